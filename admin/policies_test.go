package admin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

func gold() *grapnel.Policy {
	return &grapnel.Policy{
		ID: "gold", OrgID: "o", Rate: 9, Per: 1, QuotaMax: -1, KeyExpiresIn: 3600,
		AccessRights: map[string]grapnel.AccessDefinition{"a": {APIID: "a"}}, Tags: []string{"g"},
	}
}

// S-20…S-24: policies on keys.
func TestKeysWithPolicies(t *testing.T) {
	s := newSite(t, "memory:", plain(), gold())
	const body = `{"org_id":"o","apply_policies":["gold"],"rate":1}`
	s.key(t, "POST", "/keys/mine", body)
	got := s.session(t, "GET", "/keys/omine", "")
	if got.Rate != 9 || len(got.AccessRights) != 1 || !near(got.Expires, time.Now().Add(time.Hour)) {
		t.Errorf("got %+v", got)
	}
	if stored, err := s.ring.Stored(t.Context(), "omine"); err != nil || stored.Rate != 1 {
		t.Errorf("stored with its policy: %+v (%v)", stored, err)
	}
	preview := s.session(t, "POST", "/keys/preview", body)
	if preview.Rate != 9 || len(preview.Tags) != 1 {
		t.Errorf("preview %+v", preview)
	}
	s.want(t, "POST", "/keys/preview", `{`, 500, refused("Unmarshalling failed"))
	s.want(t, "POST", "/keys/preview", `{"apply_policy_id":"none"}`, 500, refused(`Failed to create key - policy not found: \"none\"`))
	s.want(t, "GET", "/keys", "", 200, `{"keys":["omine"]}`)

	s.ring.SetPolicies(nil) // a key whose policy is gone can be looked at, and be deleted
	if got := s.session(t, "GET", "/keys/omine", ""); got.Rate != 1 {
		t.Errorf("without its policy: %+v", got)
	}
	s.key(t, "DELETE", "/keys/omine", "")
}

// policies are set on a stored session.
func TestSetPolicies(t *testing.T) {
	for name, rules := range map[string]grapnel.KeyRules{"plain": plain(), "hashed": hashed()} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "memory:", rules, gold())
			key := s.key(t, "POST", "/keys/mine", `{"rate":1,`+rights+`}`)
			hash := s.ring.StoreID(key)
			s.want(t, "POST", "/keys/policy/"+hash, `{"policy":"gold"}`, 200, done(hash, "updated"))
			got, err := s.ring.Load(t.Context(), key)
			if err != nil || got.Rate != 9 {
				t.Fatalf("got %+v (%v)", got, err)
			}
			if diff := cmp.Diff([]string{"gold"}, got.ApplyPolicies); diff != "" {
				t.Error(diff)
			}
			s.want(t, "POST", "/keys/policy/"+hash, `{"apply_policies":["none"]}`, 500, refused("Failed to create key, ensure security settings are correct."))
			s.want(t, "POST", "/keys/policy/"+hash, `{`, 400, refused("Couldn't decode instruction"))
			s.want(t, "POST", "/keys/policy/nobody", `{"policy":"gold"}`, 404, refused("Key not found"))
		})
	}
}

// S-25: for how long a key is stored.
func TestLifetime(t *testing.T) {
	onStores(t, func(t *testing.T, url string) {
		s := newSite(t, url, plain())
		s.apis["a"] = &grapnel.API{Sessions: grapnel.APISessions{Lifetime: grapnel.Duration(50 * time.Millisecond)}}
		s.key(t, "POST", "/keys/brief", `{`+rights+`}`)
		s.key(t, "POST", "/keys/both", strings.Replace(`{`+rights+`}`, `"a":{`, `"b":{"api_id":"b"},"a":{`, 1))
		s.apis["b"] = &grapnel.API{}
		s.key(t, "POST", "/keys/long", strings.Replace(`{`+rights+`}`, `"a":{`, `"b":{"api_id":"b"},"a":{`, 1))
		s.key(t, "POST", "/keys/own", `{"session_lifetime":3600,`+rights+`}`)
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if _, text := s.call(t, "GET", "/keys", ""); text == `{"keys":["olong","oown"]}` {
				return
			}
		}
		_, text := s.call(t, "GET", "/keys", "")
		t.Errorf("after their lifetimes there are %s", text)
	})
}

// policies are kept as they were sent.
func TestPolicies(t *testing.T) {
	onStores(t, func(t *testing.T, url string) {
		s := newSite(t, url, plain())
		s.want(t, "GET", "/policies", "", 200, `[]`)
		s.want(t, "POST", "/policies", `{"id":"b","rate":1,"later":{"x":1}}`, 200, done("b", "added"))
		s.want(t, "PUT", "/policies/a", `{"id":"a"}`, 200, done("a", "modified"))
		s.want(t, "GET", "/policies/", "", 200, `[{"id":"a"},{"id":"b","rate":1,"later":{"x":1}}]`)
		s.want(t, "GET", "/policies/b", "", 200, `{"id":"b","rate":1,"later":{"x":1}}`)
		s.want(t, "GET", "/policies/c", "", 404, refused("Policy not found"))
		s.want(t, "DELETE", "/policies/b", "", 200, done("b", "deleted"))
		s.want(t, "DELETE", "/policies/b", "", 404, refused("Policy not found"))

		s.want(t, "POST", "/policies", `{}`, 400, refused("Unable to create policy without id."))
		s.want(t, "POST", "/policies", `{`, 400, refused("Request malformed"))
		s.want(t, "POST", "/policies", `null`, 400, refused("Request malformed"))
		s.want(t, "POST", "/policies", `{"id":"a","rate":"x"}`, 400, refused("Request malformed"))
		s.want(t, "PUT", "/policies/a", `{"id":"b"}`, 400, refused("Request ID does not match that in policy! For Update operations these must match."))
		for _, id := range []string{"../x", "a/b", ".hidden", "..", "a b", strings.Repeat("x", 129), "a\\u0000"} {
			s.want(t, "POST", "/policies", `{"id":"`+id+`"}`, 400, refused("Invalid Policy ID: Allowed characters: a-z, A-Z, 0-9, ., _, -, ~"))
		}
		s.want(t, "GET", "/policies", "", 200, `[{"id":"a"}]`)
	})
}
