package fleet

import (
	"net/http"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel/store/storetest"
)

// TestOrganisation: the session of an organisation, set through one gateway, bounds
// the calls of all of its APIs on all gateways together, with and without a key; it
// is where the original keeps it, and what the original has stored there holds
// [R-42, Z-3, M-1].
func TestOrganisation(t *testing.T) {
	const overQuota = "This organisation quota has been exceeded, please contact your API administrator"
	redis := storetest.Redis(t)
	s := newTykSite(t, redis, object{"enforce_org_quotas": true},
		definition("keyed", object{"use_standard_auth": true}), definition("open", object{"use_keyless": true}),
		definition("elsewhere", object{"use_keyless": true, "org_id": "another"}))
	one, two := s.start(t), s.start(t)
	key := one.createKey(t, object{"access_rights": rights("keyed")})
	want := func(g *gateway, path string, status int, refusal string) {
		t.Helper()
		if r := g.get(t, path, key); r.status != status || status != http.StatusOK && r.refusal() != refusal {
			t.Errorf("%s: %d %s, want %d %s", path, r.status, r.body, status, refusal)
		}
	}

	want(one, "/open/", http.StatusOK, "")
	one.command(t, http.MethodPost, "/org/keys/"+org, object{"quota_max": 3, "quota_renewal_rate": 3600})
	if text := redis.Do("GET", "orgkey."+org); !strings.Contains(text, `"quota_max":3`) {
		t.Errorf("stored: %s", text)
	}
	if text := two.command(t, http.MethodGet, "/org/keys", nil); text != `{"keys":["`+org+`"]}` {
		t.Errorf("the other gateway lists %s", text)
	}
	want(one, "/open/", http.StatusOK, "")
	want(two, "/keyed/", http.StatusOK, "")
	want(two, "/keyed/tyk/rate-limits/", http.StatusOK, "") // counts nothing
	want(two, "/open/", http.StatusOK, "")
	want(one, "/open/", http.StatusForbidden, overQuota)
	want(two, "/keyed/", http.StatusForbidden, overQuota)
	want(two, "/elsewhere/", http.StatusOK, "")

	redis.Do("SET", "orgkey."+org, `{"is_inactive":true,"org_id":"`+org+`"}`) // by the original
	for _, path := range []string{"/open/", "/keyed/", "/keyed/tyk/rate-limits/"} {
		want(two, path, http.StatusForbidden, "this organisation access has been disabled, please contact your API administrator")
	}
	two.command(t, http.MethodDelete, "/org/keys/"+org, nil)
	if n := redis.Do("EXISTS", "orgkey."+org); n != "0\n" {
		t.Errorf("after its deletion there are %q", n)
	}
	want(one, "/keyed/", http.StatusOK, "")
}
