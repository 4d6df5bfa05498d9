package admin_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"github.com/grapnel-gateway/grapnel"
)

// rights are what makes a session admissible.
const rights = `"org_id":"o","access_rights":{"a":{"api_id":"a","api_name":"a","versions":["Default"]}}`

// R-30…R-36: the life of a key, on every store.
func TestKeyLife(t *testing.T) {
	onStores(t, func(t *testing.T, url string) {
		s := newSite(t, url, plain())
		s.want(t, "GET", "/keys", "", 200, `{"keys":[]}`)
		s.want(t, "POST", "/keys/mine", `{"alias":"first","expires":-1,`+rights+`}`, 200, done("omine", "added"))
		s.want(t, "POST", "/keys/other/", `{`+rights+`}`, 200, done("oother", "added"))
		s.want(t, "GET", "/keys", "", 200, `{"keys":["omine","oother"]}`)
		s.want(t, "GET", "/keys?filter=omi", "", 200, `{"keys":["omine"]}`)
		s.want(t, "GET", "/keys?api_id=a", "", 400, refused("api_id needs a filter"))
		s.want(t, "GET", "/keys?api_id=a&filter=oo", "", 200, `{"keys":["oother"]}`)

		first := s.session(t, "GET", "/keys/omine/?api_id=a", "")
		created, err := time.Parse(time.RFC3339Nano, first.DateCreated)
		if err != nil || !near(created.Unix(), time.Now()) || first.Alias != "first" || first.Expires != -1 || len(first.AccessRights) != 1 {
			t.Errorf("got %+v (%v)", first, err)
		}
		s.want(t, "PUT", "/keys/omine", `{"alias":"second",`+rights+`}`, 200, done("omine", "modified"))
		second := s.session(t, "GET", "/keys/omine", "")
		if second.Alias != "second" || second.Expires != 0 || second.DateCreated != first.DateCreated {
			t.Errorf("after the update: %+v", second)
		}
		s.want(t, "PUT", "/keys/mine", `{"alias":"third",`+rights+`}`, 200, done("omine", "modified"))
		s.want(t, "PUT", "/keys/nobody", `{`+rights+`}`, 404, refused("Key is not found"))
		s.want(t, "GET", "/keys/nobody", "", 404, refused("Key not found"))
		s.want(t, "GET", "/keys/mine?org_id=p", "", 404, refused("Key not found"))
		if got := s.session(t, "GET", "/keys/mine?org_id=o", ""); got.Alias != "third" {
			t.Errorf("by custom id: %+v", got)
		}
		s.want(t, "DELETE", "/keys/omine", "", 200, done("omine", "deleted"))
		s.want(t, "DELETE", "/keys/omine", "", 404, refused("There is no such key found"))
		s.want(t, "GET", "/keys/omine", "", 404, refused("Key not found"))
		s.wantEvents(t, "TokenCreated o omine", "TokenCreated o oother", "TokenUpdated o omine", "TokenUpdated o omine", "TokenDeleted o omine")
	})
}

// keys that the gateway makes; what is not taken.
func TestKeyCreate(t *testing.T) {
	s := newSite(t, "memory:", plain())
	keys := map[string]bool{}
	for _, target := range []string{"/keys/create", "/keys", "/keys/", "/keys/create/"} {
		key := s.key(t, "POST", target, `{`+rights+`}`)
		if len(key) != len("o")+32 || keys[key] || !strings.HasPrefix(key, "o") {
			t.Errorf("%s made %q", target, key)
		}
		keys[key] = true
		if got := s.session(t, "GET", "/keys/"+key, ""); got.OrgID != "o" {
			t.Errorf("%s: got %+v", key, got)
		}
	}
	const noRights = "Failed to create key, keys must have at least one Access Rights record set."
	const insecure = "Failed to create key, ensure security settings are correct."
	s.want(t, "POST", "/keys/create", `{}`, 400, refused(noRights))
	s.want(t, "POST", "/keys/create", `null`, 400, refused(noRights))
	s.want(t, "POST", "/keys/create", `{`, 500, refused("Unmarshalling failed"))
	s.want(t, "POST", "/keys/create", `{"apply_policies":["none"]}`, 500, refused(`Failed to create key - policy not found: \"none\"`))
	s.want(t, "POST", "/keys/mine", `{}`, 500, refused(insecure))
	s.want(t, "POST", "/keys/mine", `{`, 400, refused("Request malformed"))
	s.want(t, "POST", "/keys/mine", `{"rate":"x"}`, 400, refused("Request malformed"))
	s.want(t, "PUT", "/keys/mine", `[]`, 400, refused("Request malformed"))
	if status, text := s.call(t, "POST", "/keys/ab", `{`+rights+`}`); status != 400 ||
		!strings.Contains(text, "custom key ID length 2 is less than min_token_length (3); ") {
		t.Errorf("a short id: got %d %s", status, text)
	}
	for key := range keys {
		s.want(t, "PUT", "/keys/"+key, `{}`, 500, refused(insecure))
	}
	if len(s.events) != len(keys) {
		t.Errorf("events: %v", s.events)
	}
}

// Keys that may call everything are made only where the operator allows it.
func TestUnrestricted(t *testing.T) {
	rules := plain()
	rules.Unrestricted = true
	s := newSite(t, "memory:", rules)
	s.want(t, "POST", "/keys/mine", `{"org_id":"o"}`, 200, done("omine", "added"))
}

// keys of which only the hash is known, on every store.
func TestHashedKeys(t *testing.T) {
	onStores(t, func(t *testing.T, address string) {
		s := newSite(t, address, hashed())
		status, text := s.call(t, "POST", "/keys/mine", `{"alias":"first",`+rights+`}`)
		var made struct {
			Key  string `json:"key"`
			Hash string `json:"key_hash"`
		}
		if err := json.Unmarshal([]byte(text), &made); err != nil || status != 200 || made.Hash != s.ring.StoreID(s.ring.Token("o", "mine")) {
			t.Fatalf("got %d %s (%v)", status, text, err)
		}
		byKey, byHash := "/keys/"+url.PathEscape(made.Key), "/keys/"+made.Hash
		if a, b := s.session(t, "GET", byKey, ""), s.session(t, "GET", byHash+"?hashed=1", ""); a.Alias != "first" || b.Alias != "first" {
			t.Errorf("by key %+v, by hash %+v", a, b)
		}
		s.want(t, "GET", byHash, "", 404, refused("Key not found"))
		s.want(t, "GET", byKey+"?hashed=1", "", 404, refused("Key not found"))
		s.want(t, "GET", "/keys", "", 404, refused("Hashed key listing is disabled in config (enable_hashed_keys_listing)"))

		s.want(t, "PUT", byHash+"?hashed=true", `{"alias":"second",`+rights+`}`, 200, done(made.Hash, "modified"))
		if got := s.session(t, "GET", byKey, ""); got.Alias != "second" {
			t.Errorf("after an update by hash: %+v", got)
		}
		s.want(t, "DELETE", byHash+"?hashed=1", "", 200, done(made.Hash, "deleted"))
		s.want(t, "DELETE", byHash+"?hashed=1", "", 404, refused("There is no such key found"))
		s.want(t, "GET", byKey, "", 404, refused("Key not found"))
		s.wantEvents(t, "TokenCreated o "+made.Hash, "TokenUpdated o "+made.Hash, "TokenDeleted o "+made.Hash)
	})
}

// hashes are listed where that is allowed, and are no keys where
// nothing is hashed.
func TestHashedListing(t *testing.T) {
	rules := hashed()
	rules.List = true
	s := newSite(t, "memory:", rules)
	s.key(t, "POST", "/keys/mine", `{`+rights+`}`)
	hash := s.ring.StoreID(s.ring.Token("o", "mine"))
	s.want(t, "GET", "/keys", "", 200, `{"keys":["`+hash+`"]}`)
	s.want(t, "GET", "/keys?filter=nothing&api_id=a", "", 200, `{"keys":["`+hash+`"]}`)

	s = newSite(t, "memory:", plain())
	s.key(t, "POST", "/keys/mine", `{`+rights+`}`)
	s.want(t, "GET", "/keys/omine?hashed=1", "", 400, refused("Key requested by hash but key hashing is not enabled"))
}

// counters start anew with an update, unless they are to be kept;
// what is left is what the counters say.
func TestCounters(t *testing.T) {
	onStores(t, func(t *testing.T, url string) {
		s := newSite(t, url, plain())
		const body = `{"quota_max":5,"quota_remaining":3,"quota_renewal_rate":3600,"rate":1,"per":60,"org_id":"o",` +
			`"access_rights":{"a":{"api_id":"a"},"b":{"api_id":"b","limit":{"quota_max":7,"quota_renewal_rate":60}}}}`
		s.key(t, "POST", "/keys/mine", body)
		remains := func(own, right int64) *grapnel.Session {
			t.Helper()
			got := s.session(t, "GET", "/keys/omine", "")
			if limit := got.AccessRights["b"].Limit; got.QuotaRemaining != own || limit.QuotaRemaining != right {
				t.Errorf("remaining: got %d and %d, want %d and %d", got.QuotaRemaining, limit.QuotaRemaining, own, right)
			}
			return got
		}
		remains(5, 7)
		s.use(t, "omine", 2)
		s.use(t, "b-omine", 3)
		got := remains(3, 4)
		if !near(got.QuotaRenews, time.Now().Add(time.Hour)) || !near(got.AccessRights["b"].Limit.QuotaRenews, time.Now().Add(time.Minute)) {
			t.Errorf("renewals: %+v", got)
		}
		s.key(t, "PUT", "/keys/omine?suppress_reset=1", body)
		if again := remains(3, 4); again.LastUpdated != got.LastUpdated || again.QuotaRenews != got.QuotaRenews {
			t.Errorf("last_updated %s, quota_renews %d; they were %s and %d", again.LastUpdated, again.QuotaRenews, got.LastUpdated, got.QuotaRenews)
		}
		if s.rate(t, "omine") == 0 {
			t.Error("the rate started anew")
		}
		s.key(t, "PUT", "/keys/omine", body)
		remains(5, 7)
		if s.rate(t, "omine") != 0 {
			t.Error("the rate went on")
		}
		s.use(t, "omine", 9)
		remains(0, 7)
		s.apis["a"] = &grapnel.API{Limits: grapnel.APILimits{KeepCounters: true}}
		s.key(t, "PUT", "/keys/omine", body)
		remains(5, 7) // not all of its APIs want them kept
		s.apis["b"] = s.apis["a"]
		s.use(t, "omine", 1)
		s.key(t, "POST", "/keys/mine", body)
		remains(4, 7)
		s.key(t, "DELETE", "/keys/omine", "")
		s.key(t, "POST", "/keys/mine", body)
		remains(5, 7)
	})
}

// use spends quota and a rate of one per minute.
func (s *site) use(t *testing.T, key string, n int) {
	t.Helper()
	for range n {
		if _, err := s.store.Spend(t.Context(), key, 5, map[bool]time.Duration{true: time.Hour, false: time.Minute}[key == "omine"]); err != nil {
			t.Fatal(err)
		}
	}
	s.rate(t, key)
}

func (s *site) rate(t *testing.T, key string) time.Duration {
	t.Helper()
	wait, err := s.store.Take(t.Context(), key, 1, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

// an expiry that has passed does not end a key by mistake.
func TestPastExpiry(t *testing.T) {
	s := newSite(t, "memory:", plain())
	expires := time.Now().Add(time.Hour).Unix()
	s.key(t, "POST", "/keys/mine", fmt.Sprintf(`{"expires":%d,%s}`, expires, rights))
	for sent, want := range map[string]int64{"1000000000": expires, "0": 0, "1": 1, "-1": -1} {
		s.key(t, "PUT", "/keys/omine", fmt.Sprintf(`{"expires":%d,%s}`, expires, rights))
		s.key(t, "PUT", "/keys/omine", `{"expires":`+sent+`,`+rights+`}`)
		if got := s.session(t, "GET", "/keys/omine", ""); got.Expires != want {
			t.Errorf("expires %s became %d, want %d", sent, got.Expires, want)
		}
	}
}

// a user's password is hashed once, and the user is found by name.
func TestUsers(t *testing.T) {
	s := newSite(t, "memory:", hashed())
	const body = `{"basic_auth_data":{"password":"open sesame"},` + rights + `}`
	status, text := s.call(t, "POST", "/keys/ali", body)
	if want := `{"key":"","status":"ok","action":"added","key_hash":"` + s.ring.StoreID(s.ring.Token("o", "ali")) + `"}`; status != 200 || text != want {
		t.Errorf("got %d %s, want %s", status, text, want)
	}
	const target = "/keys/ali?username=true&org_id=o"
	got := s.session(t, "GET", target, "")
	first := got.BasicAuthData
	if first.Hash != "bcrypt" || !strings.HasPrefix(first.Password, "$2a$10$") {
		t.Errorf("stored: %+v", first)
	}
	whole, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	s.key(t, "PUT", target, string(whole)) // as it was read
	if again := s.session(t, "GET", target, "").BasicAuthData; again != first {
		t.Errorf("the password was hashed again: %+v", again)
	}
	s.key(t, "PUT", target, strings.Replace(body, "sesame", "barley", 1))
	if next := s.session(t, "GET", target, "").BasicAuthData; bcrypt.CompareHashAndPassword([]byte(next.Password), []byte("open barley")) != nil {
		t.Errorf("the new password: %+v", next)
	}
	long := strings.Repeat("x", 73)
	s.want(t, "PUT", target, strings.Replace(body, "open sesame", long, 1), 400, refused("A password has at most 72 bytes"))
	s.want(t, "GET", "/keys/ali?username=true&org_id=p", "", 404, refused("Key not found"))
	s.key(t, "DELETE", target, "")
	s.want(t, "GET", target, "", 404, refused("Key not found"))
	if strings.Contains(s.log.String(), "sesame") {
		t.Error("the log has the password")
	}
}

// a key for signatures has a secret, which stays.
func TestSigningSecret(t *testing.T) {
	s := newSite(t, "memory:", plain())
	s.key(t, "POST", "/keys/mine", `{"hmac_enabled":true,`+rights+`}`)
	first := s.session(t, "GET", "/keys/omine", "").HMACSecret
	s.key(t, "PUT", "/keys/omine", `{"hmac_enabled":true,`+rights+`}`)
	if again := s.session(t, "GET", "/keys/omine", "").HMACSecret; len(first) < 20 || again != first {
		t.Errorf("secrets %q and %q", first, again)
	}
	s.key(t, "POST", "/keys/mine", `{"hmac_enabled":true,"hmac_string":"given",`+rights+`}`)
	if got := s.session(t, "GET", "/keys/omine", "").HMACSecret; got != "given" {
		t.Errorf("the given secret became %q", got)
	}
}

// Z-23: what this gateway does not know stays in the session.
func TestUnknownMembers(t *testing.T) {
	s := newSite(t, "memory:", plain())
	s.key(t, "POST", "/keys/mine", `{"later":{"x":[1]},`+rights+`}`)
	_, text := s.call(t, "GET", "/keys/omine", "")
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"x": []any{1.0}}, got["later"]); diff != "" {
		t.Error(diff)
	}
}

// A key may hold whatever a path can.
func TestOddKeys(t *testing.T) {
	s := newSite(t, "memory:", plain())
	for _, id := range []string{"a/b+c==", "../../etc", "sp ace", "%41", "ключ", "create/"} {
		s.key(t, "POST", "/keys/"+url.PathEscape(id), `{"alias":"x",`+rights+`}`)
		if got := s.session(t, "GET", "/keys/o"+url.PathEscape(id), ""); got.Alias != "x" {
			t.Errorf("%q: got %+v", id, got)
		}
		s.key(t, "DELETE", "/keys/o"+url.PathEscape(id), "")
	}
}
