package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/grapnel-gateway/grapnel"
)

const withAuth = `plugins: { p: { target: "p:1" } }
apis: [{id: a, listen_path: /a, target: http://a, auth: [`

// TestAuthChecks: each entry is one method, and none lets everyone in or nobody.
func TestAuthChecks(t *testing.T) {
	const at = "g.yaml:2: apis[0].auth[0]"
	const listener = ": needs a TLS listener that asks for certificates; set tls.certificates, and tls.client_certificates to request"
	for entry, want := range map[string]string{
		`{}`:                                  ".plugin: missing; it names one of the plugins",
		`{basic: {}, hmac: {}}`:               ": is basic and hmac at once; each entry of the list is one method",
		`{plugin: p, token: {}}`:              ": is plugin and token at once; each entry of the list is one method",
		`{basic: {header: ""}}`:               ".basic.header: must not be empty",
		`{token: {header: ""}}`:               ".token.header: must not be empty where there is neither param nor cookie",
		`{jwt: {secret: x}}`:                  ".jwt.algorithms: missing; name those that the issuer uses, as in [RS256]",
		`{jwt: {algorithms: [HS256, RS256]}}`: ".jwt.algorithms: algorithms with a secret (HS…) and with a public key do not go together",
		`{jwt: {algorithms: [HS256], secret: x, jwks: [http://x]}}`:         ".jwt: jwks, public_key and secret do not go together; give one of them",
		`{jwt: {algorithms: [HS256], jwks: [http://x]}}`:                    ".jwt.algorithms: HS algorithms need a secret; whoever reads a public key could sign with it",
		`{jwt: {algorithms: [RS256], secret: x}}`:                           ".jwt.algorithms: a secret needs an HS algorithm",
		`{jwt: {algorithms: [RS256], jwks: [ftp://x]}}`:                     `.jwt.jwks[0]: the scheme "ftp" is not one of http, https`,
		`{jwt: {algorithms: [RS256], public_key: x}}`:                       ".jwt.public_key: is not PEM: it begins with -----BEGIN",
		`{jwt: {algorithms: [none]}}`:                                       `.jwt.algorithms[0]: "none" is not one of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA`,
		`{jwt: {algorithms: [RS256], header: ""}}`:                          ".jwt.header: must not be empty where there is neither param nor cookie",
		`{hmac: {algorithms: [rsa-sha256]}}`:                                `.hmac.algorithms[0]: "rsa-sha256" is not one of hmac-sha1, hmac-sha256, hmac-sha384, hmac-sha512`,
		`{hmac: {header: ""}}`:                                              ".hmac.header: must not be empty",
		`{certificate: {fingerprints: [` + strings.Repeat("ab", 32) + `]}}`: ".certificate" + listener,
	} {
		t.Run(entry, func(t *testing.T) {
			if diff := cmp.Diff(at+want, failure(t, withAuth+entry+"]}]")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAuthCertificates: the lists and the listener of client certificates.
func TestAuthCertificates(t *testing.T) {
	t.Chdir(t.TempDir())
	writeCertificate(t, ".", "a.pem", "a.key")
	const tls = "tls: { certificates: [{ cert: a.pem, key: a.key }], client_certificates: request }\n"
	const at = "g.yaml:3: apis[0].auth[0].certificate"
	for entry, want := range map[string]string{
		`{}`:                    ": lets nobody in; give fingerprints, files or ca",
		`{fingerprints: [abc]}`: `.fingerprints[0]: "abc" is not a SHA-256 fingerprint: 64 hexadecimal digits`,
		`{files: [b.pem]}`:      ".files[0]: open b.pem: no such file or directory",
		`{ca: validate.go}`:     ".ca: open validate.go: no such file or directory",
	} {
		if diff := cmp.Diff(at+want, failure(t, tls+withAuth+"{certificate: "+entry+"}]}]")); diff != "" {
			t.Errorf("%s:\n%s", entry, diff)
		}
	}
	mustParse(t, tls+withAuth+"{certificate: {files: [a.pem], ca: a.pem}}]}]")
	want := "g.yaml:3: tls.client_ca: has no effect while tls.client_certificates is none"
	if diff := cmp.Diff(want, failure(t, withAuth+"{plugin: p}]}]\ntls: { client_ca: a.pem }")); diff != "" {
		t.Error(diff)
	}
}

// TestAuthDefaults: what a method need not say.
func TestAuthDefaults(t *testing.T) {
	c := mustParse(t, withAuth+"{token: {param: key}}, {basic: {}}, {jwt: {algorithms: [RS256], scope: {policies: {r: p}}}}, {hmac: {}}]}]")
	got := c.APIs[0].Auth
	jwt, hmac := &grapnel.JWTAuth{}, &grapnel.HMACAuth{}
	jwt.SetDefaults()
	hmac.SetDefaults()
	jwt.Algorithms, jwt.Scope.Policies = []string{"RS256"}, map[string]string{"r": "p"}
	inherit := grapnel.Hook{Timeout: grapnel.Inherit}
	want := []grapnel.AuthMethod{
		{Hook: inherit, Token: &grapnel.TokenAuth{Credential: grapnel.Credential{Header: "Authorization", Param: "key"}}},
		{Hook: inherit, Basic: &grapnel.BasicAuth{Header: "Authorization"}},
		{Hook: inherit, JWT: jwt},
		{Hook: inherit, HMAC: hmac},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if jwt.Header != "Authorization" || !jwt.RequireExpiry || jwt.Scope.Claim != "scope" || hmac.ClockSkew == 0 {
		t.Error("the defaults are not those that the documentation gives")
	}
}
