package auth

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

func tokenGate(t testing.TB, place grapnel.Credential) *gate {
	return newGate(t, grapnel.AuthMethod{Token: &grapnel.TokenAuth{Credential: place}})
}

// TestTokenPlaces: a parameter goes before the header, a cookie before both
// [7.2], and Bearer is dropped [S-63].
func TestTokenPlaces(t *testing.T) {
	everywhere := grapnel.Credential{Header: "X-Key", Param: "key", Cookie: "session"}
	for name, c := range map[string]struct {
		place  grapnel.Credential
		url    string
		fields []string
		want   string // the alias of the session; empty is missing
	}{
		"header":                  {everywhere, "/", []string{"X-Key: key-h"}, "h"},
		"bearer":                  {everywhere, "/", []string{"X-Key: bEaReR key-h"}, "h"},
		"query over header":       {everywhere, "/?key=key-q", []string{"X-Key: key-h"}, "q"},
		"cookie over all":         {everywhere, "/?key=key-q", []string{"X-Key: key-h", "Cookie: a=1; session=key-c"}, "c"},
		"empty ones do not count": {everywhere, "/?key=", []string{"X-Key: key-h", "Cookie: session="}, "h"},
		"header alone":            {grapnel.Credential{Header: "X-Key"}, "/?key=key-q", []string{"Cookie: session=key-c"}, ""},
		"no header":               {grapnel.Credential{Param: "key"}, "/", []string{"X-Key: key-h", "Authorization: key-h"}, ""},
		"nothing":                 {everywhere, "/", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := tokenGate(t, c.place)
			for _, alias := range []string{"h", "q", "c"} {
				g.save(t, "key-"+alias, grapnel.Session{Alias: alias})
			}
			x := g.exchange(c.url, c.fields...)
			if c.want == "" {
				g.refuses(t, x, http.StatusUnauthorized, "Authorization field missing", 0) // [S-41]
				return
			}
			if s := g.passes(t, x); s.Alias != c.want || s.KeyID != "key-"+c.want {
				t.Errorf("session %q of key %q, want %q", s.Alias, s.KeyID, c.want)
			}
		})
	}
}

// TestTokenRefused: unknown keys, and keys that follow from a name, get the same
// answer [S-42, S-64].
func TestTokenRefused(t *testing.T) {
	g := tokenGate(t, grapnel.Credential{Header: "Authorization"})
	g.save(t, g.keys.Token(org, "alice"), grapnel.Session{BasicAuthData: grapnel.BasicAuthData{Password: "x"}})
	g.save(t, g.keys.Token(org, "identity"), grapnel.Session{Metadata: map[string]any{identityMark: "key"}})
	for _, key := range []string{"unknown-key", "ab", "alice", g.keys.Token(org, "alice"), "identity", "Bearer"} {
		g.refuses(t, g.exchange("/", "Authorization: "+key), http.StatusForbidden, "Access to this API has been disallowed", 1, key)
	}
}

// TestStoreDown: while nobody can be looked up, nobody is let in, whatever the
// method.
func TestStoreDown(t *testing.T) {
	var hmac grapnel.HMACAuth
	hmac.SetDefaults()
	hmac.ClockSkew = 0
	for name, c := range map[string]struct {
		method grapnel.AuthMethod
		field  string
	}{
		"token": {grapnel.AuthMethod{Token: &grapnel.TokenAuth{Credential: grapnel.Credential{Header: "Authorization"}}}, "some-key"},
		"basic": {grapnel.AuthMethod{Basic: &grapnel.BasicAuth{Header: "Authorization"}}, "Basic YWxpY2U6c2VjcmV0"},
		"hmac":  {grapnel.AuthMethod{HMAC: &hmac}, `Signature keyId="k1k1",algorithm="hmac-sha1",headers="(request-target)",signature="aGVsbG8="`},
		"jwt":   {grapnel.AuthMethod{JWT: &grapnel.JWTAuth{Credential: grapnel.Credential{Header: "Authorization"}, Algorithms: []string{"HS256"}}}, signToken(t, "HS256", []byte("secret"), claims{"sub": "alice"}, nil)},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGate(t, c.method)
			g.store.down.Store(true)
			e := g.refuses(t, g.exchange("/", "Authorization: "+c.field), http.StatusServiceUnavailable, "Service temporarily unavailable.", 0)
			if e.Code != grapnel.CodeStoreUnavailable || e.Header.Get("Retry-After") == "" {
				t.Errorf("code %q, header %v", e.Code, e.Header)
			}
		})
	}
}

// TestTokenOfCertificate: a key that is bound to a certificate is found by it, and
// does not count without it; whoever knows the fingerprint is not let in.
func TestTokenOfCertificate(t *testing.T) {
	later, client := time.Now().Add(time.Hour), x509.ExtKeyUsageClientAuth
	bound, other := issue(t, "bound", later, client, nil), issue(t, "other", later, client, nil)
	expired := issue(t, "expired", time.Now().Add(-time.Minute), client, nil)
	const refused = "Access to this API has been disallowed"
	for _, certificate := range []bool{true, false} {
		g := newGate(t, grapnel.AuthMethod{Token: &grapnel.TokenAuth{Credential: grapnel.Credential{Header: "Authorization"}, Certificate: certificate}})
		for _, c := range []*tls.Certificate{bound, expired} {
			g.save(t, g.keys.Token(org, fingerprint(c)), grapnel.Session{Alias: "derived", Certificate: org + fingerprint(c)})
		}
		g.save(t, "named-key", grapnel.Session{Alias: "named", Certificate: org + fingerprint(bound)})
		g.save(t, "free-key", grapnel.Session{Alias: "free"})
		with := func(c *tls.Certificate, key string) *grapnel.Exchange {
			x := g.exchange("/")
			if key != "" {
				x.Request.Header.Set("Authorization", key)
			}
			if c != nil {
				x.Request.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{c.Leaf}}
			}
			return x
		}
		derived := g.keys.Token(org, fingerprint(bound))
		for _, c := range []struct {
			as            *tls.Certificate
			key           string
			with, without string // the session's alias, with the setting and without it
		}{
			{bound, derived, "derived", "derived"},
			{bound, fingerprint(bound), "derived", "derived"},
			{bound, "named-key", "named", "named"},
			{other, "named-key", "", "named"},
			{bound, "free-key", "", "free"},
			{other, derived, "", ""},
			{nil, derived, "", ""},
			{nil, fingerprint(bound), "", ""},
			{expired, g.keys.Token(org, fingerprint(expired)), "", ""},
		} {
			want := c.without
			if certificate {
				want = c.with
			}
			if want == "" {
				g.refuses(t, with(c.as, c.key), http.StatusForbidden, refused, 1, c.key)
			} else if s := g.passes(t, with(c.as, c.key)); s.Alias != want {
				t.Errorf("session %q of %s, want %q", s.Alias, c.key, want)
			}
		}
		if !certificate {
			g.refuses(t, with(bound, ""), http.StatusUnauthorized, "Authorization field missing", 0)
			continue
		}
		if s := g.passes(t, with(bound, "")); s.Alias != "derived" {
			t.Errorf("session %q by the certificate alone", s.Alias)
		}
		g.refuses(t, with(other, ""), http.StatusForbidden, refused, 1)
		g.refuses(t, with(expired, ""), http.StatusUnauthorized, "Authorization field missing", 0)
	}
}
