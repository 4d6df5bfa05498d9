package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel/store/storetest"
)

// Sessions as releases of the original have written them [S-4]: the newest leaves
// out what is zero, older ones wrote every key. Both have keys that this gateway
// does not know.
const (
	newSession = `{"org_id":"fleet","quota_max":3,"quota_renewal_rate":3600,"rate":0,"per":0,"alias":"new",
		"access_rights":{"keyed":{"api_name":"keyed","api_id":"keyed","versions":["Default"],
			"limit":{"quota_max":3,"quota_renewal_rate":3600,"smoothing":{"enabled":true}},"future_right":[1]}},
		"meta_data":{"n":12345678901234567890,"nested":{"a":[1,"b"]}},
		"mtls_static_certificate_bindings":["c1"],"smoothing":{"enabled":false,"threshold":5},"future":{"deep":[1.50,null]}}`
	oldSession = `{"last_check":0,"allowance":0,"rate":0,"per":0,"throttle_interval":0,"throttle_retry_limit":0,"max_query_depth":-1,
		"date_created":"2024-05-06T07:08:09.1Z","expires":0,"quota_max":3,"quota_renews":1700000000,"quota_remaining":3,"quota_renewal_rate":3600,
		"access_rights":{"keyed":{"api_name":"keyed","api_id":"keyed","versions":["Default"],"allowed_urls":null,"restricted_types":null,"allowed_types":null,
			"limit":null,"field_access_rights":null,"disable_introspection":false,"allowance_scope":"","future_right":"x"}},
		"org_id":"fleet","oauth_client_id":"","oauth_keys":null,"certificate":"","basic_auth_data":{"password":"","hash_type":"","salt":"s"},
		"jwt_data":{"secret":""},"hmac_enabled":false,"enable_http_signature_validation":false,"hmac_string":"","rsa_certificate_id":"",
		"is_inactive":false,"apply_policy_id":"","apply_policies":null,"data_expires":0,"monitor":{"trigger_limits":null},
		"enable_detail_recording":false,"enable_detailed_recording":false,"meta_data":null,"tags":null,"alias":"old",
		"last_updated":"1700000000","id_extractor_deadline":0,"session_lifetime":0,"session_type":7}`
)

// TestSessionOfTheOriginal: a session that the original has stored is honoured,
// its quota counted where the original counts it, and what this gateway does not
// know of it is there after it was written again [T-232, Z-1, Z-4, Z-23].
func TestSessionOfTheOriginal(t *testing.T) {
	redis := storetest.Redis(t)
	s := newTykSite(t, redis, nil, definition("keyed", object{"use_standard_auth": true}))
	s.conf["policies"] = object{"policy_source": "file", "policy_record_name": s.dir + "/policies.json"}
	write(t, s.dir+"/policies.json", object{"gold": object{"org_id": org, "active": true, "rate": 5, "per": 1,
		"access_rights": rights("keyed"), "partitions": object{"rate_limit": true}}})
	g := s.start(t)
	for key, c := range map[string]struct{ session, counter string }{
		"key-of-new": {newSession, "quota-keyed-key-of-new"},
		"key-of-old": {oldSession, "quota-key-of-old"},
	} {
		t.Run(key, func(t *testing.T) {
			redis.Do("SET", "apikey-"+key, c.session)
			redis.Do("SET", c.counter, "1", "EX", "3600") // the original has served one
			for i, want := range []int{http.StatusOK, http.StatusOK, http.StatusForbidden} {
				if r := g.get(t, "/keyed/", key); r.status != want {
					t.Errorf("request %d: %d %s, want %d", i+1, r.status, r.body, want)
				}
			}
			if n := redis.Do("GET", c.counter); n != "3\n" {
				t.Errorf("the quota's counter is %q, want 3", n)
			}
			g.command(t, http.MethodPost, "/keys/policy/"+key, object{"policy": "gold"})
			survives(t, c.session, redis.Do("GET", "apikey-"+key))
		})
	}
}

// TestHashedSessionOfTheOriginal: the same where the original stored the key under
// a hash. It is stored again under SHA-256, whole [S-31, S-62b].
func TestHashedSessionOfTheOriginal(t *testing.T) {
	const (
		owner    = "5e9d9544a1dcd60001d0ed20"
		key      = "eyJvcmciOiI1ZTlkOTU0NGExZGNkNjAwMDFkMGVkMjAiLCJpZCI6ImdycGNfaG1hY19rZXkiLCJoIjoibXVybXVyNjQifQ=="
		original = "apikey-a72fcdc09caa86b5"
	)
	redis := storetest.Redis(t)
	s := newTykSite(t, redis, object{"hash_keys": true, "hash_key_function": "murmur64"},
		definition("keyed", object{"use_standard_auth": true, "org_id": owner}))
	g := s.start(t)
	if r := g.get(t, "/keyed/", key); r.status != http.StatusForbidden {
		t.Errorf("before there is a session: %d, want 403", r.status)
	}
	session := strings.ReplaceAll(newSession, `"org_id":"fleet"`, `"org_id":"`+owner+`"`)
	redis.Do("SET", original, session)
	await(t, "let in", func() bool { return g.get(t, "/keyed/", key).status == http.StatusOK })
	sum := sha256.Sum256([]byte(key))
	survives(t, session, redis.Do("GET", "apikey-"+hex.EncodeToString(sum[:])))
	survives(t, session, redis.Do("GET", original)) // which the original still finds
}

// survives checks that every value of the JSON before is in the JSON after, digit
// by digit, but for those that the change was about, and for null.
func survives(t *testing.T, before, after string) {
	t.Helper()
	want, got := exact(t, before), exact(t, after)
	for _, name := range []string{"apply_policies", "last_updated", "quota_renews", "quota_remaining"} {
		delete(want, name)
	}
	includes(t, want, got)
}

// includes checks that got has every value of want that is not null.
func includes(t *testing.T, want, got object) {
	t.Helper()
	values := flat("", got)
	for path, value := range flat("", want) {
		if value == nil {
			continue
		}
		if diff := cmp.Diff(value, values[path]); diff != "" {
			t.Errorf("%s of the stored session (-want +got):\n%s", path, diff)
		}
	}
}

// exact decodes an object and leaves its numbers as they are written.
func exact(t *testing.T, text string) (o object) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&o); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return o
}

// flat has the values of an object, and of those in it, by their path.
func flat(at string, o object) object {
	out := object{}
	for name, v := range o {
		if inner, ok := v.(object); ok {
			maps.Copy(out, flat(at+name+".", inner))
			continue
		}
		out[at+name] = v
	}
	return out
}
