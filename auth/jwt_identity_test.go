package auth

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/grapnel-gateway/grapnel"
)

const issuerSecret = "the-secret-of-the-one-issuer-of-all"

func policy(id string, rate float64) *grapnel.Policy {
	return &grapnel.Policy{
		ID: id, OrgID: org, Active: true, Rate: rate, Per: 1, QuotaMax: -1, Tags: []string{id},
		AccessRights: map[string]grapnel.AccessDefinition{"orders": {APIID: "orders"}},
	}
}

func identityGate(t testing.TB, change func(*grapnel.JWTAuth)) *gate {
	return jwtGate(t, func(c *grapnel.JWTAuth) {
		c.Algorithms, c.Secret = []string{"HS256"}, issuerSecret
		if change != nil {
			change(c)
		}
	}, policy("basic", 10), policy("gold", 100), policy("read", 1), policy("write", 2))
}

func issued(t testing.TB, c claims) string {
	return signToken(t, "HS256", []byte(issuerSecret), c, nil)
}

// TestJWTPolicies: the policy claim, the scopes and the defaults [7.2, S-44].
func TestJWTPolicies(t *testing.T) {
	g := identityGate(t, func(c *grapnel.JWTAuth) {
		c.PolicyClaim, c.DefaultPolicies = "pol", []string{"basic"}
		c.Scope.Policies = map[string]string{"r": "read", "w": "write", "rw": "write"}
	})
	for name, c := range map[string]struct {
		claims claims
		want   []string // nil is refused
	}{
		"default":                {lively(), []string{"basic"}},
		"empty claims":           {lively("pol", "", "scope", ""), []string{"basic"}},
		"policy":                 {lively("pol", "gold"), []string{"gold"}},
		"policies":               {lively("pol", []string{"gold", "read"}), []string{"gold", "read"}},
		"unknown policy":         {lively("pol", "platinum"), nil},
		"scope":                  {lively("scope", "r"), []string{"read"}},
		"scopes, some unknown":   {lively("scope", "openid r w rw"), []string{"read", "write"}},
		"scopes as a list":       {lively("scope", []string{"w", "r"}), []string{"write", "read"}},
		"unknown scope":          {lively("scope", "admin"), nil}, // not the defaults
		"policy and scope":       {lively("pol", "gold", "scope", "r"), []string{"gold", "read"}},
		"policy of another type": {lively("pol", 7), []string{"basic"}},
	} {
		t.Run(name, func(t *testing.T) {
			x := g.bearing(issued(t, c.claims))
			if c.want == nil {
				g.refuses(t, x, http.StatusForbidden, tokenNoPolicy, 1)
				return
			}
			s := g.passes(t, x)
			if diff := cmp.Diff(c.want, s.ApplyPolicies); diff != "" || s.Rate == 0 || len(s.AccessRights) != 1 {
				t.Errorf("%s\nrate %v, rights %v", diff, s.Rate, s.AccessRights)
			}
		})
	}
	none := identityGate(t, func(c *grapnel.JWTAuth) { c.RequirePolicy = true })
	none.refuses(t, none.bearing(issued(t, lively())), http.StatusForbidden, tokenNoPolicy, 1)
}

// TestJWTSession: an identity has one session, stored under the key of the
// original, without its policies; other policies take the place of the old.
func TestJWTSession(t *testing.T) {
	g := identityGate(t, func(c *grapnel.JWTAuth) { c.PolicyClaim, c.IdentityClaim = "pol", "user" })
	key := g.keys.Token(org, "900150983cd24fb0d6963f7d28e17f72") // the MD5 of abc [S-62]
	s := g.passes(t, g.bearing(issued(t, lively("user", "abc", "pol", "basic"))))
	if s.KeyID != key || s.StoreID == "" || s.Alias != "abc" || s.OrgID != org || s.Rate != 10 {
		t.Fatalf("session %+v", s)
	}
	stored, err := g.keys.Stored(t.Context(), key)
	if err != nil || stored.Rate != 0 || stored.Metadata[identityMark] != key {
		t.Fatalf("stored %+v, %v", stored, err)
	}
	changed := stored.Clone()
	changed.Alias = "by the operator"
	if err := g.keys.Save(t.Context(), changed, 0); err != nil {
		t.Fatal(err)
	}
	again := g.passes(t, g.bearing(issued(t, lively("user", "abc", "pol", "gold"))))
	if again.Rate != 100 || again.StoreID != s.StoreID || again.Alias != "by the operator" {
		t.Errorf("session %+v", again)
	}
	if s.Rate != 10 {
		t.Error("a session that others may share has changed")
	}
	other := g.passes(t, g.bearing(issued(t, lively("pol", "gold")))) // by sub
	if other.KeyID == key || other.Alias != "alice" {
		t.Errorf("session %+v", other)
	}
	for _, nobody := range []claims{lively("sub", ""), lively("sub", nil), lively("sub", []string{"abc"})} {
		g.refuses(t, g.bearing(issued(t, nobody)), http.StatusForbidden, tokenRefused, 1)
	}
}

// TestJWTStoredLast: the session of a token is stored when all methods have
// passed, and its time in the store is renewed while it is used [S-25].
func TestJWTStoredLast(t *testing.T) {
	g := identityGate(t, func(c *grapnel.JWTAuth) { c.DefaultPolicies = []string{"gold"} })
	key := g.keys.Token(org, "6384e2b2184bcbf58eccf10ca7a6563c") // the MD5 of alice
	no := refuser{}
	g.api.Auth = make([]grapnel.AuthMethod, 2)
	x := g.bearing(issued(t, lively()))
	next := func(*grapnel.Exchange) (*http.Response, error) { return grapnel.Reply(204, nil, nil), nil }
	if _, err := Stage(g.api, []grapnel.Authenticator{g.Authenticator, no})(next)(x); !errors.Is(err, errRefused) {
		t.Fatalf("stage: %v", err)
	}
	if _, err := g.keys.Stored(t.Context(), key); !errors.Is(err, grapnel.ErrNotFound) {
		t.Errorf("a session was stored for a refused request: %v", err)
	}
	g.api.Sessions.Lifetime = grapnel.Duration(time.Hour)
	for range 2 {
		g.passes(t, x)
		if _, err := g.keys.Stored(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
}

type refuser struct{}

var errRefused = errors.New("refused")

func (refuser) Authenticate(*grapnel.Exchange) (*http.Response, error) { return nil, errRefused }

// TestJWTWithoutPolicies: where none are configured a token gives the right to
// the API, and needs no store.
func TestJWTWithoutPolicies(t *testing.T) {
	g := identityGate(t, nil)
	g.store.down.Store(true)
	s := g.passes(t, g.bearing(issued(t, lively("scope", "admin", "pol", "gold"))))
	if _, ok := s.AccessRights["orders"]; !ok || len(s.AccessRights) != 1 || s.Alias != "alice" || s.KeyID == "" {
		t.Errorf("session %+v", s)
	}
}

// TestJWTSessionKeys: without a key in the configuration, the session that the
// kid or the identity names holds it.
func TestJWTSessionKeys(t *testing.T) {
	all := pairs(t)
	rsa := publicPEM(t, all["RSA"].Public())
	secrets := jwtGate(t, func(c *grapnel.JWTAuth) { c.Algorithms = []string{"HS256"} })
	secrets.save(t, "alices-key", grapnel.Session{Alias: "alice", JWTData: grapnel.JWTData{Secret: issuerSecret}})
	secrets.save(t, "pem-key", grapnel.Session{JWTData: grapnel.JWTData{Secret: rsa}})
	secrets.save(t, "empty-key", grapnel.Session{})

	kid := func(id string) map[string]any { return map[string]any{"kid": id} }
	own := signToken(t, "HS256", []byte(issuerSecret), lively(), kid("alices-key"))
	if s := secrets.passes(t, secrets.bearing(own)); s.Alias != "alice" || s.KeyID != "alices-key" {
		t.Errorf("session %+v", s)
	}
	secrets.passes(t, secrets.bearing(issued(t, lively("sub", "alices-key"))))
	for name, token := range map[string]string{
		"unknown kid":          signToken(t, "HS256", []byte(issuerSecret), lively(), kid("bobs-key")),
		"kid before sub":       signToken(t, "HS256", []byte(issuerSecret), lively("sub", "alices-key"), kid("bobs-key")),
		"public key as secret": signToken(t, "HS256", []byte(rsa), lively(), kid("pem-key")),
		"empty secret":         forge(`{"alg":"HS256","kid":"empty-key"}`, `{"exp":99999999999}`, nil),
		"wrong secret":         signToken(t, "HS256", []byte("some-other-secret-of-some-length"), lively(), kid("alices-key")),
		"nobody":               issued(t, claims{"exp": 99999999999}),
	} {
		t.Run(name, func(t *testing.T) {
			secrets.refuses(t, secrets.bearing(token), http.StatusForbidden, tokenRefused, 1, issuerSecret, token)
		})
	}

	ignoring := jwtGate(t, func(c *grapnel.JWTAuth) { c.Algorithms, c.IgnoreKID = []string{"RS256", "ES256"}, true })
	ignoring.save(t, "alices-key", grapnel.Session{JWTData: grapnel.JWTData{Secret: rsa}})
	ignoring.save(t, "plain-key", grapnel.Session{JWTData: grapnel.JWTData{Secret: issuerSecret}})
	ignoring.passes(t, ignoring.bearing(signToken(t, "RS256", all["RSA"], lively("sub", "alices-key"), kid("bobs-key"))))
	ignoring.refuses(t, ignoring.bearing(signToken(t, "ES256", all["P-256"], lively("sub", "alices-key"), nil)), http.StatusForbidden, tokenRefused, 1)
	ignoring.refuses(t, ignoring.bearing(signToken(t, "RS256", all["RSA"], lively("sub", "plain-key"), nil)), http.StatusForbidden, tokenRefused, 1, issuerSecret)
}
