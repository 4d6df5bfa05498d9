package config

import (
	"encoding/pem"
	"os"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// checkAuth reports methods that could let nobody in, or everyone. What is wrong
// with a plugin's is checkHooks' business.
func checkAuth(c *grapnel.Config, a *grapnel.API, at string, r *report) {
	for i := range a.Auth {
		m, path := &a.Auth[i], item(child(at, "auth"), i)
		if kinds := kindsOf(m); len(kinds) > 1 {
			r.add(path, "is %s at once; each entry of the list is one method", strings.Join(kinds, " and "))
		}
		if m.ID != nil {
			checkExtractor(m, child(path, "id_extractor"), r)
		}
		if m.Token != nil {
			checkPlace(m.Token.Credential, child(path, "token"), r)
		}
		if m.Basic != nil && m.Basic.Header == "" {
			r.add(child(child(path, "basic"), "header"), "must not be empty")
		}
		if m.JWT != nil {
			checkPlace(m.JWT.Credential, child(path, "jwt"), r)
			checkJWT(m.JWT, child(path, "jwt"), r)
		}
		if m.HMAC != nil {
			checkHMAC(m.HMAC, child(path, "hmac"), r)
		}
		if m.Token != nil && m.Token.Certificate {
			checkAsking(c.TLS, child(path, "token.certificate"), r)
		}
		if m.Certificate != nil {
			checkCertificate(c.TLS, m.Certificate, child(path, "certificate"), r)
		}
		if m.OAuth != nil {
			checkOAuth(c, a, m.OAuth, child(path, "oauth"), r)
		}
		if m.Introspection != nil {
			checkPlace(m.Introspection.Credential, child(path, "introspection"), r)
			checkIntrospection(m.Introspection, child(path, "introspection"), r)
		}
	}
}

func kindsOf(m *grapnel.AuthMethod) []string {
	var kinds []string
	for _, k := range []struct {
		name string
		on   bool
	}{
		{"plugin", m.Plugin != "" || m.Hook.Name != ""},
		{"token", m.Token != nil},
		{"basic", m.Basic != nil},
		{"jwt", m.JWT != nil},
		{"hmac", m.HMAC != nil},
		{"certificate", m.Certificate != nil},
		{"oauth", m.OAuth != nil},
		{"introspection", m.Introspection != nil},
	} {
		if k.on {
			kinds = append(kinds, k.name)
		}
	}
	return kinds
}

func checkPlace(p grapnel.Credential, at string, r *report) {
	if p.Header == "" && p.Param == "" && p.Cookie == "" {
		r.add(child(at, "header"), "must not be empty where there is neither param nor cookie")
	}
}

func checkJWT(j *grapnel.JWTAuth, at string, r *report) {
	algorithms := child(at, "algorithms")
	secret, public := false, false
	for i, name := range j.Algorithms {
		oneOf(r, item(algorithms, i), name, "HS256", "HS384", "HS512", "RS256", "RS384", "RS512",
			"PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
		hs := strings.HasPrefix(name, "HS")
		secret, public = secret || hs, public || !hs
	}
	sources := 0
	for _, given := range []bool{len(j.JWKS) > 0, j.PublicKey != "", j.Secret != ""} {
		if given {
			sources++
		}
	}
	switch {
	case len(j.Algorithms) == 0:
		r.add(algorithms, "missing; name those that the issuer uses, as in [RS256]")
	case secret && public:
		r.add(algorithms, "algorithms with a secret (HS…) and with a public key do not go together")
	case sources > 1:
		r.add(at, "jwks, public_key and secret do not go together; give one of them")
	case secret && (len(j.JWKS) > 0 || j.PublicKey != ""):
		r.add(algorithms, "HS algorithms need a secret; whoever reads a public key could sign with it")
	case public && j.Secret != "":
		r.add(algorithms, "a secret needs an HS algorithm")
	}
	for i, u := range j.JWKS {
		checkScheme(r, item(child(at, "jwks"), i), u, "http", "https")
	}
	if j.PublicKey != "" {
		if block, _ := pem.Decode([]byte(j.PublicKey)); block == nil {
			r.add(child(at, "public_key"), "is not PEM: it begins with -----BEGIN")
		}
	}
	notNegative(r, child(at, "jwks_refresh"), j.JWKSRefresh)
	notNegative(r, child(at, "clock_skew"), j.ClockSkew)
}

func checkHMAC(h *grapnel.HMACAuth, at string, r *report) {
	if h.Header == "" {
		r.add(child(at, "header"), "must not be empty")
	}
	for i, name := range h.Algorithms {
		oneOf(r, item(child(at, "algorithms"), i), strings.ToLower(name), "hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512")
	}
	notNegative(r, child(at, "clock_skew"), h.ClockSkew)
}

func checkCertificate(t grapnel.TLS, c *grapnel.CertificateAuth, at string, r *report) {
	if len(c.Fingerprints) == 0 && len(c.Files) == 0 && c.CA == "" {
		r.add(at, "lets nobody in; give fingerprints, files or ca")
	}
	checkAsking(t, at, r)
	checkList(c.Fingerprints, c.Files, at, r)
	if c.CA != "" {
		checkPEM(c.CA, child(at, "ca"), r)
	}
	checkRevocation(c.CA, c.CRL, child(at, "crl"), child(at, "ca"), r)
}

// checkPEM reports a file that is not one with PEM blocks.
func checkPEM(file, at string, r *report) {
	text, err := os.ReadFile(file)
	if err != nil {
		r.add(at, "%v", err)
	} else if block, _ := pem.Decode(text); block == nil {
		r.add(at, "%s: there is no PEM block in it", file)
	}
}
