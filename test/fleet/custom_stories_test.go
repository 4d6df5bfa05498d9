package fleet

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
	"github.com/grapnel-gateway/grapnel/store/storetest"
)

const (
	notThisAPI = "Access to this API has been disallowed"
	notThisURL = "Access to this resource has been disallowed"
	overRate   = "Rate Limit Exceeded"
	overQuota  = "Quota exceeded"
)

// TestCustomAuth: what a plugin's session says holds [C-4…C-14].
func TestCustomAuth(t *testing.T) {
	tell(t, storetest.Redis(t),
		story{id: "T-112", hook: func(o *coprocess.Object) { o.Session, o.Metadata = unlimited(), nil },
			turns: []turn{refused("x", 403, "Forbidden")}, asked: 1},
		story{id: "T-114", hook: func(o *coprocess.Object) {
			o.Session, o.Metadata = &coprocess.SessionState{Metadata: map[string]string{"token": "t114"}}, nil
		}, turns: []turn{passes("")}, asked: 1},
		story{id: "T-117", hook: gives(&coprocess.SessionState{QuotaMax: 1, QuotaRemaining: 1, QuotaRenewalRate: 60}),
			turns: []turn{passes("t117"), refused("t117", 403, overQuota), passes("t117-other")}, asked: 3},
		story{id: "T-118", hook: gives(&coprocess.SessionState{ApplyPolicies: []string{"one"}}),
			turns: []turn{passes("t118"), refused("t118", 403, overQuota)}, asked: 2},
		story{id: "T-119a", hook: gives(&coprocess.SessionState{ApplyPolicies: []string{"missing"}}),
			turns: []turn{refused("t119a", 403, "Forbidden")}, asked: 1},
		story{id: "T-119b", hook: gives(&coprocess.SessionState{ApplyPolicyId: "elsewhere"}),
			turns: []turn{refused("t119b", 403, notThisAPI)}, asked: 1},
		story{id: "T-119c", hook: gives(&coprocess.SessionState{ApplyPolicies: []string{"foreign"}}),
			turns: []turn{refused("t119c", 403, "Forbidden")}, asked: 1},
		story{id: "T-120", hook: gives(&coprocess.SessionState{AccessRights: right("another", nil)}),
			turns: []turn{refused("t120", 403, notThisAPI)}, asked: 1},
		story{id: "T-121", hook: gives(unlimited()), turns: []turn{passes("t121")}, asked: 1},
		story{id: "T-122", hook: gives(&coprocess.SessionState{Expires: 1479033599}),
			turns: []turn{refused("t122", 401, "Key has expired, please renew")}, asked: 1},
		story{id: "C-13", hook: gives(&coprocess.SessionState{Expires: -1}), turns: []turn{passes("c13")}, asked: 1},
		story{id: "T-123", hook: gives(&coprocess.SessionState{IsInactive: true}),
			turns: []turn{refused("t123", 403, "Key is inactive, please renew")}, asked: 1},
		story{id: "T-125", hook: accept(func() *coprocess.SessionState { // L-36
			return &coprocess.SessionState{Rate: 2, Per: 60, LastUpdated: fmt.Sprint(time.Now().UnixNano())}
		}), turns: []turn{passes("t125"), passes("t125"), refused("t125", 429, overRate)}, asked: 3},
		story{id: "T-138", hook: gives(&coprocess.SessionState{HmacEnabled: true, HmacSecret: "9879879878787878"}),
			turns: []turn{passes("t138"), passes("t138"), passes("t138")}, asked: 3},
		story{id: "T-140", hook: gives(&coprocess.SessionState{AccessRights: right("T-140", []*coprocess.AccessSpec{{Url: "/a", Methods: []string{"GET"}}})}),
			turns: []turn{
				{path: "a", credential: "t140", status: 200},
				{path: "b", credential: "t140", status: 403, refusal: notThisURL},
				{path: "a", credential: "t140", body: "x", status: 403, refusal: notThisURL},
			}, asked: 3},
		story{id: "T-131", hook: gives(unlimited()), api: ignoring("T-131", "/ignored"),
			turns: []turn{
				{path: "something", credential: "wrong", status: 403, refusal: "wrong credentials"},
				{path: "ignored", credential: "wrong", status: 200},
				{path: "ignored", status: 200},
			}, asked: 1},
	)
}

// right is the right to one API.
func right(id string, urls []*coprocess.AccessSpec) map[string]*coprocess.AccessDefinition {
	return map[string]*coprocess.AccessDefinition{id: {ApiName: id, ApiId: id, Versions: []string{"Default"}, AllowedUrls: urls}}
}

// ignoring has a definition ignore a path, and ask a Pre hook everywhere.
func ignoring(id, path string) object {
	d := custom(id, nil)
	d["custom_middleware"].(object)["pre"] = []object{{"name": "pre of " + id}}
	d["version_data"] = object{"not_versioned": true, "versions": object{"Default": object{
		"name": "Default", "use_extended_paths": true,
		"extended_paths": object{"ignored": []object{{"path": path, "method_actions": object{
			"GET": object{"action": "no_action", "code": 200},
		}}}},
	}}}
	return d
}

// TestIgnoredPathWithPre: the Pre hook is asked where authentication is not
// [T-132].
func TestIgnoredPathWithPre(t *testing.T) {
	s, _ := tell(t, storetest.Redis(t), story{id: "T-132", hook: gives(unlimited()), api: ignoring("T-132", "/ignored"),
		turns: []turn{{path: "ignored", status: 200}, {path: "ignored", status: 200}}})
	if n := s.plugin.called("pre of T-132"); n != 2 {
		t.Errorf("the Pre hook was asked %d times, want 2", n)
	}
}

// TestNamelessHook: a hook that is disabled or missing is asked without a name
// [T-134, T-135].
func TestNamelessHook(t *testing.T) {
	disabled, absent := custom("", nil), custom("", nil)
	disabled["custom_middleware"].(object)["auth_check"] = object{"name": "T-134", "disabled": true}
	delete(absent["custom_middleware"].(object), "auth_check")
	redis := storetest.Redis(t)
	s := newTykSite(t, redis, nil, definition("T-134", disabled), definition("T-135", absent))
	s.plugin.on("", gives(unlimited()))
	g := s.start(t)
	for i, id := range []string{"T-134", "T-135"} {
		if r := g.get(t, "/"+id+"/", "someone"); r.status != http.StatusOK || s.plugin.called("") != i+1 {
			t.Errorf("%s: %d %s, and the hook without a name was asked %d times", id, r.status, r.body, s.plugin.called(""))
		}
	}
}

// TestCustomSessionStored: the session is found, as the plugin gave it, at the
// control API under its token; deleted, it is asked for again
// [T-110, T-115, T-116, T-141, T-142, R-40].
func TestCustomSessionStored(t *testing.T) {
	_, g := tell(t, storetest.Redis(t), story{id: "T-141", hook: func(o *coprocess.Object) {
		o.Session = &coprocess.SessionState{
			OrgId: "evil", Alias: "a", Tags: []string{"t"}, Certificate: "cert", MaxQueryDepth: 7, QuotaMax: -1,
			OauthKeys: map[string]string{"k": "v"}, Metadata: map[string]string{"both": "session's", "own": "session's"},
		}
		o.Metadata = map[string]string{"token": "t141", "both": "object's"}
	}, turns: []turn{passes("x")}, asked: 1})
	want := object{
		"org_id": org, "alias": "a", "tags": []any{"t"}, "certificate": "cert", "max_query_depth": 7.0,
		"oauth_keys": object{"k": "v"}, "meta_data": object{"token": "t141", "both": "object's", "own": "session's"},
	}
	stored := func() (got object) {
		t.Helper()
		decode(t, g.command(t, http.MethodGet, "/keys/t141", nil), &got)
		return got
	}
	includes(t, want, stored())
	if text := g.command(t, http.MethodDelete, "/keys/t141", nil); !strings.Contains(text, `"deleted"`) {
		t.Errorf("the deletion was answered with %s", text)
	}
	if r := g.ask(t, http.MethodGet, "/keys/t141", nil); r.status != http.StatusNotFound {
		t.Errorf("the deleted session: %d, want 404", r.status)
	}
	g.get(t, "/T-141/", "x")
	stored()
}

// TestCustomSessionLifetime: for how long the session is stored [T-127, T-143,
// S-25].
func TestCustomSessionLifetime(t *testing.T) {
	redis := storetest.Redis(t)
	in := func(seconds int64) int64 { return time.Now().Unix() + seconds }
	for _, c := range []struct {
		id      string
		session *coprocess.SessionState
		api     int // session_lifetime
		least   int64
		most    int64
	}{
		{"forever", unlimited(), 0, -1, -1},
		{"of-the-api", unlimited(), 20, 15_000, 20_000},
		{"its-own", &coprocess.SessionState{SessionLifetime: 100}, 20, 95_000, 100_000},
		{"retain", &coprocess.SessionState{Expires: in(30), PostExpiryAction: "retain", PostExpiryGracePeriod: 60}, 0, 80_000, 90_000},
		{"delete", &coprocess.SessionState{Expires: in(30), PostExpiryAction: "delete", PostExpiryGracePeriod: 60}, 0, 20_000, 30_000},
	} {
		api := custom(c.id, nil)
		api["session_lifetime"] = c.api
		_, g := tell(t, redis, story{id: c.id, hook: gives(c.session), api: api, turns: []turn{passes(c.id)}, asked: 1})
		var ttl int64
		decode(t, redis.Do("PTTL", "apikey-"+c.id), &ttl)
		if ttl < c.least || ttl > c.most {
			t.Errorf("%s: the session is stored for %d ms, want %d to %d", c.id, ttl, c.least, c.most)
		}
		var got struct {
			Action string `json:"post_expiry_action"`
			Grace  int64  `json:"post_expiry_grace_period"`
		}
		decode(t, g.command(t, http.MethodGet, "/keys/"+c.id, nil), &got)
		if got.Action != c.session.PostExpiryAction || got.Grace != c.session.PostExpiryGracePeriod {
			t.Errorf("%s: the stored session has %+v", c.id, got)
		}
	}
}

// TestBaseIdentity: of a stored key and the plugin, both must agree; one gives the
// session [T-128, T-129, C-22].
func TestBaseIdentity(t *testing.T) {
	s := newTykSite(t, storetest.Redis(t), nil, both("custom_auth", nil), both("auth_token", nil))
	s.plugin.on("both", gives(&coprocess.SessionState{Rate: 100, Per: 1, QuotaMax: 100, QuotaRemaining: 100, QuotaRenewalRate: 60}))
	g := s.start(t)
	key := g.createKey(t, object{"rate": 200, "per": 1, "quota_max": 200, "quota_renewal_rate": 60, "access_rights": rights("custom_auth", "auth_token")})
	for id, limit := range map[string]string{"custom_auth": "100", "auth_token": "200"} {
		r := ask(t, g, id, key, "plugins-credential")
		if r.status != http.StatusOK || r.header.Get("X-Ratelimit-Limit") != limit {
			t.Errorf("%s: %d, with the quota %s; want 200 with %s", id, r.status, r.header.Get("X-Ratelimit-Limit"), limit)
		}
		if r := ask(t, g, id, key, "wrong"); r.status != http.StatusForbidden || r.refusal() != "wrong credentials" {
			t.Errorf("%s, refused by the plugin: %d %s", id, r.status, r.body)
		}
		if r := ask(t, g, id, "no-key", "plugins-credential"); r.status != http.StatusForbidden || r.refusal() != notThisAPI {
			t.Errorf("%s, without a key: %d %s", id, r.status, r.body)
		}
	}
}

// both is the definition of an API with a stored key, in X-Key, and custom
// authentication.
func both(base string, extractor object) object {
	d := definition(base, custom("both", extractor))
	d["use_standard_auth"], d["base_identity_provided_by"] = true, base
	d["auth_configs"] = object{"authToken": object{"auth_header_name": "X-Key"}}
	return d
}

// ask calls an API that wants two credentials.
func ask(t *testing.T, g *gateway, id, key, credential string) reply {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://"+g.Addr+"/"+id+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Key", key)
	r.Header.Set("Authorization", credential)
	got, err := send(g.client, r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
