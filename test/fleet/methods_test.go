package fleet

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/store/storetest"
)

const tokenSecret = "the-secret-of-the-tokens"

// TestMethods: each built-in method lets in who proves who they are, and nobody
// else, whatever kind of configuration asks for it.
func TestMethods(t *testing.T) {
	redis := storetest.Redis(t)
	tyk := newTykSite(t, redis, object{"hash_keys": true, "hash_key_function": "murmur64"},
		definition("token", object{"use_standard_auth": true}),
		definition("basic", object{"use_basic_auth": true}),
		definition("jwt", object{
			"enable_jwt": true, "jwt_signing_method": "hmac", "jwt_identity_base_field": "sub", "jwt_policy_field_name": "pol",
			"jwt_source": base64.StdEncoding.EncodeToString([]byte(tokenSecret)),
		}),
		definition("hmac", object{"enable_signature_checking": true, "hmac_allowed_clock_skew": 60_000}),
	)
	native := newSite(t, storetest.Redis(t).URL(),
		api("token", tokenAuth()), api("basic", object{"basic": object{}}),
		api("jwt", object{"jwt": object{"algorithms": []string{"HS256"}, "secret": tokenSecret, "policy_claim": "pol"}}),
		api("hmac", object{"hmac": object{"clock_skew": "1m"}}),
	)
	policies := tyk.dir + "/policies.json"
	write(t, policies, object{"gold": object{"org_id": org, "active": true, "access_rights": rights("jwt"), "quota_max": -1}})
	native.config["policies"], tyk.conf["policies"] = policies, object{"policy_source": "file", "policy_record_name": policies}

	t.Run("native", func(t *testing.T) { methods(t, native.start(t)) })
	t.Run("tyk", func(t *testing.T) { methods(t, tyk.start(t)) })
}

// A trial is a credential, and what its request gets.
type trial struct {
	name, api, credential string
	status                int
	refusal               string
}

func methods(t *testing.T, g *gateway) {
	key := g.createKey(t, object{"access_rights": rights("token")})
	g.command(t, http.MethodPost, "/keys/alice", object{
		"org_id": org, "basic_auth_data": object{"password": "alice's password"}, "access_rights": rights("basic"),
	})
	signing := g.createKey(t, object{"hmac_enabled": true, "access_rights": rights("hmac")})
	var stored struct {
		Secret string `json:"hmac_string"`
	}
	decode(t, g.command(t, http.MethodGet, keyPath(signing), nil), &stored)

	const unsigned = "Authorization field missing, malformed or invalid"
	now := time.Now().UTC()
	date, soon := now.Format(http.TimeFormat), now.Add(time.Minute).Unix()
	claims := object{"sub": "bob", "pol": "gold", "exp": soon}
	for _, c := range []trial{
		{"a key", "token", key, 200, ""},
		{"a key with a scheme", "token", "Bearer " + key, 200, ""},
		{"another key", "token", key[:len(key)-8] + "AAAAAAA=", 403, notThisAPI},
		{"no key", "token", "", 401, noID},
		{"a password", "basic", basic("alice", "alice's password"), 200, ""},
		{"a wrong password", "basic", basic("alice", "bob's password"), 401, "User not authorised"},
		{"a name that nobody has", "basic", basic("mallory", "alice's password"), 401, "User not authorised"},
		{"no password", "basic", "", 401, noID},
		{"a token", "jwt", "Bearer " + token(t, "HS256", tokenSecret, claims), 200, ""},
		{"a token of another issuer", "jwt", token(t, "HS256", "another secret", claims), 403, "Key not authorized"},
		{"a token without a signature", "jwt", token(t, "none", "", claims), 403, "Key not authorized: Unexpected signing method"},
		{"a token that has expired", "jwt", token(t, "HS256", tokenSecret, object{"sub": "bob", "pol": "gold", "exp": soon - 3600}), 401, ""},
		{"a token without a policy", "jwt", token(t, "HS256", tokenSecret, object{"sub": "bob", "exp": soon}), 403, "key not authorized: no matching policy"},
		{"no token", "jwt", "", 400, noID},
		{"a signature", "hmac", signature(signing, stored.Secret, date), 200, ""},
		{"a wrong signature", "hmac", signature(signing, "another secret", date), 400, unsigned},
		{"no signature", "hmac", "", 400, unsigned},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := http.NewRequest(http.MethodGet, "http://"+g.Addr+"/"+c.api+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Date", date)
			if c.credential != "" {
				r.Header.Set("Authorization", c.credential)
			}
			got, err := send(g.client, r)
			if err != nil {
				t.Fatal(err)
			}
			if got.status != c.status || c.refusal != "" && got.refusal() != c.refusal {
				t.Errorf("%d %q, want %d %q", got.status, got.refusal(), c.status, c.refusal)
			}
		})
	}
}

func basic(name, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
}

// token is a JSON Web Token.
func token(t *testing.T, algorithm, secret string, claims object) string {
	t.Helper()
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := part(object{"alg": algorithm, "typ": "JWT"}) + "." + part(claims)
	if algorithm == "none" {
		return text + "."
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(mac(secret, text))
}

// signature signs the date.
func signature(key, secret, date string) string {
	return fmt.Sprintf(`Signature keyId="%s",algorithm="hmac-sha256",signature="%s"`,
		key, url.QueryEscape(base64.StdEncoding.EncodeToString(mac(secret, "date: "+date))))
}

func mac(secret, text string) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(text))
	return m.Sum(nil)
}
