package tyk

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

// writeCertificate puts a fresh self-signed certificate and its key into files.
func writeCertificate(t *testing.T, cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotAfter: time.Now().Add(time.Hour)}
	chain, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

const publicKey = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
`

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// TestJWT translates the keys about tokens, one a case [7.2].
func TestJWT(t *testing.T) {
	hs := []string{"HS256", "HS384", "HS512"}
	rs := []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	issuer := func(host string) *grapnel.URL {
		return &grapnel.URL{URL: url.URL{Scheme: "https", Host: host, Path: "/jwks"}}
	}
	for keys, change := range map[string]func(*grapnel.JWTAuth){
		`"jwt_signing_method": "hmac"`: func(*grapnel.JWTAuth) {}, // each session holds its key
		`"jwt_signing_method": "rsa"`:  func(j *grapnel.JWTAuth) { j.Algorithms = rs },
		`"jwt_signing_method": ""`:     func(*grapnel.JWTAuth) {},
		`"jwt_signing_method": "hmac", "jwt_source": "` + base64Of("top secret") + `"`: func(j *grapnel.JWTAuth) { j.Secret = "top secret" },
		`"jwt_signing_method": "rsa", "jwt_source": "` + base64Of(publicKey) + `"`:     func(j *grapnel.JWTAuth) { j.Algorithms, j.PublicKey = rs, publicKey },
		`"jwt_signing_method": "ecdsa", "jwt_source": "` + base64Of("https://a/jwks") + `"`: func(j *grapnel.JWTAuth) {
			j.Algorithms, j.JWKS = []string{"ES256", "ES384", "ES512"}, []*grapnel.URL{issuer("a")}
		},
		`"jwt_signing_method": "rsa", "jwt_source": "https://a/jwks"`: func(j *grapnel.JWTAuth) { j.Algorithms, j.JWKS = rs, []*grapnel.URL{issuer("a")} },
		`"jwt_signing_method": "rsa", "jwt_jwks_uris": [{"url": "https://a/jwks"}, {"url": "https://b/jwks", "cache_timeout": 9}]`: func(j *grapnel.JWTAuth) {
			j.Algorithms, j.JWKS = rs, []*grapnel.URL{issuer("a"), issuer("b")}
		},
		`"jwt_identity_base_field": "user", "jwt_policy_field_name": "pol", "jwt_default_policies": ["d"], "jwt_skip_kid": true`: func(j *grapnel.JWTAuth) {
			j.IdentityClaim, j.PolicyClaim, j.DefaultPolicies, j.IgnoreKID = "user", "pol", []string{"d"}, true
		},
		`"jwt_issued_at_validation_skew": 1, "jwt_expires_at_validation_skew": 2, "jwt_not_before_validation_skew": 3`: func(j *grapnel.JWTAuth) {
			j.Skew = grapnel.JWTSkew{IssuedAt: second, ExpiresAt: 2 * second, NotBefore: 3 * second}
		},
		`"scopes": {"jwt": {"scope_claim_name": "scp", "scope_to_policy": {"r": "p"}}}, "jwt_scope_claim_name": "old"`: func(j *grapnel.JWTAuth) {
			j.Scope = grapnel.JWTScope{Claim: "scp", Policies: map[string]string{"r": "p"}}
		},
		`"jwt_scope_claim_name": "old", "jwt_scope_to_policy_mapping": {"r": "p"}`: func(j *grapnel.JWTAuth) {
			j.Scope = grapnel.JWTScope{Claim: "old", Policies: map[string]string{"r": "p"}}
		},
		`"auth_configs": {"jwt": {"auth_header_name": "X-T", "use_cookie": true, "cookie_name": "c"}}`: func(j *grapnel.JWTAuth) {
			j.Credential = grapnel.Credential{Header: "X-T", Cookie: "c"}
		},
	} {
		a, notices := one(t, plugged, `{"use_keyless": false, "enable_jwt": true, `+keys+`}`)
		if a == nil {
			t.Fatalf("%s: refused: %v", keys, notices)
		}
		want := &grapnel.JWTAuth{}
		want.SetDefaults()
		want.Algorithms, want.RequireExpiry, want.RequirePolicy = hs, false, true
		change(want)
		if diff := cmp.Diff(want, a.Auth[0].JWT); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", keys, diff)
		}
	}
}

// TestJWTNotices: what is otherwise than an operator may think.
func TestJWTNotices(t *testing.T) {
	for keys, want := range map[string]string{
		`"jwt_signing_method": "none"`:   `jwt_signing_method: "none" is none of hmac, rsa and ecdsa: hmac is used`,
		`"jwt_client_base_field": "azp"`: "jwt_client_base_field: has no effect",
		`"jwt_signing_method": "rsa", "jwt_source": "https://a/jwks", "jwt_jwks_uris": [{"url": "https://b/jwks"}]`: "jwt_source: has no effect beside jwt_jwks_uris",
	} {
		a, notices := one(t, plugged, `{"use_keyless": false, "enable_jwt": true, `+keys+`}`)
		if a == nil {
			t.Errorf("%s: refused: %v", keys, notices)
		}
		expectTold(t, notices, slog.LevelWarn, want)
	}
}

// TestRefusedJWT: keys of another kind than the signing method's would let
// anyone sign who can read them; no key at all would let in nobody.
func TestRefusedJWT(t *testing.T) {
	jwt := func(method, keys string) string {
		return `{"use_keyless": false, "enable_jwt": true, "jwt_signing_method": "` + method + `", ` + keys + `}`
	}
	expectRefused(t, []refusal{
		{"public key as a secret", plugged, jwt("hmac", `"jwt_source": "`+base64Of(publicKey)+`"`), "jwt_source"},
		{"published keys as secrets", plugged, jwt("hmac", `"jwt_source": "https://a/jwks"`), "jwt_signing_method"},
		{"published keys and no method", plugged, jwt("", `"jwt_jwks_uris": [{"url": "https://a/jwks"}]`), "jwt_signing_method"},
		{"secret for a public key", plugged, jwt("rsa", `"jwt_source": "`+base64Of("top secret")+`"`), "jwt_source"},
		{"not base64", plugged, jwt("rsa", `"jwt_source": "-----BEGIN"`), "jwt_source"},
		{"issuer that is no URL", plugged, jwt("rsa", `"jwt_jwks_uris": [{"url": "a/jwks"}]`), "jwt_jwks_uris[0].url"},
	})
}
