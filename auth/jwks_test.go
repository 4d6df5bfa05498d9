package auth

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/lestrrat-go/jwx/v3/jwk"
)

// An issuer publishes keys on a real server.
type issuer struct {
	*httptest.Server
	reply   atomic.Pointer[string] // the body; nil is a failure
	fetches atomic.Int64
	hold    chan struct{} // when not nil, replies wait for it
}

func newIssuer(t testing.TB) *issuer {
	i := &issuer{}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.fetches.Add(1)
		if i.hold != nil {
			<-i.hold
		}
		if body := i.reply.Load(); body != nil {
			w.Write([]byte(*body))
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(i.Close)
	return i
}

// publishes replaces the keys, by their kid.
func (i *issuer) publishes(t testing.TB, public map[string]any) {
	t.Helper()
	set := jwk.NewSet()
	for id, raw := range public {
		k, err := jwk.Import(raw)
		if err != nil {
			t.Fatal(err)
		}
		if id != "" {
			k.Set("kid", id)
		}
		if err := set.AddKey(k); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	body := string(text)
	i.reply.Store(&body)
}

// jwksGate is one that fetches as often as it is asked to.
func jwksGate(t testing.TB, refresh, pause time.Duration, issuers ...*issuer) *gate {
	t.Helper()
	g := jwtGate(t, func(c *grapnel.JWTAuth) {
		c.Algorithms, c.JWKSRefresh = []string{"RS256", "ES256"}, grapnel.Duration(refresh)
		for _, i := range issuers {
			u, err := url.Parse(i.URL)
			if err != nil {
				t.Fatal(err)
			}
			u.User = url.UserPassword("gateway", "hush-hush")
			c.JWKS = append(c.JWKS, &grapnel.URL{URL: *u})
		}
	})
	for _, s := range g.Authenticator.(*bearer).issuers.(keySets) {
		s.pause = pause
	}
	return g
}

func kid(id string) map[string]any { return map[string]any{"kid": id} }

// TestJWKSRotation: a new key is found by its kid at once, and an old one goes
// when it is no longer published.
func TestJWKSRotation(t *testing.T) {
	first, second, i := pairs(t)["RSA"], pairs(t)["RSA"], newIssuer(t)
	i.publishes(t, map[string]any{"1": first.Public()})
	g := jwksGate(t, time.Hour, 0, i)
	one, two := signToken(t, "RS256", first, lively(), kid("1")), signToken(t, "RS256", second, lively(), kid("2"))
	for range 3 {
		g.passes(t, g.bearing(one))
	}
	if n := i.fetches.Load(); n != 1 {
		t.Errorf("%d fetches for one key", n)
	}
	g.refuses(t, g.bearing(two), http.StatusForbidden, tokenRefused, 1)
	i.publishes(t, map[string]any{"2": second.Public()})
	g.passes(t, g.bearing(two))
	g.refuses(t, g.bearing(one), http.StatusForbidden, tokenRefused, 1)
	g.refuses(t, g.bearing(signToken(t, "RS256", first, lively(), kid("2"))), http.StatusForbidden, tokenRefused, 1)
	g.passes(t, g.bearing(signToken(t, "RS256", second, lively(), nil))) // without a kid any key may fit
}

// TestJWKSUnknownKid: tokens with made-up kids do not make the gateway fetch
// more than once in a while.
func TestJWKSUnknownKid(t *testing.T) {
	pair, i := pairs(t)["P-256"], newIssuer(t)
	i.publishes(t, map[string]any{"1": pair.Public()})
	g := jwksGate(t, time.Hour, time.Hour, i)
	for range 20 {
		g.refuses(t, g.bearing(signToken(t, "ES256", pair, lively(), kid("made-up"))), http.StatusForbidden, tokenRefused, 1)
	}
	if n := i.fetches.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

// TestJWKSDown: no keys yet is the gateway's fault, not the caller's; keys that
// were fetched go on serving. A reply that is too long, no key set or empty is
// as bad as none.
func TestJWKSDown(t *testing.T) {
	pair, i := pairs(t)["P-256"], newIssuer(t)
	g := jwksGate(t, time.Nanosecond, 0, i)
	good := signToken(t, "ES256", pair, lively(), kid("1"))
	unavailable := func() {
		t.Helper()
		e := g.refuses(t, g.bearing(good), http.StatusServiceUnavailable, "Service temporarily unavailable.", 0, "hush-hush", good)
		if e.Code != grapnel.CodeKeysUnavailable {
			t.Errorf("code %q", e.Code)
		}
	}
	unavailable()
	i.publishes(t, map[string]any{"1": pair.Public()})
	right := *i.reply.Load()
	private, err := jwk.Import([]byte("a shared secret that is not for publishing"))
	if err != nil {
		t.Fatal(err)
	}
	secret, err := json.Marshal(private)
	if err != nil {
		t.Fatal(err)
	}
	bad := []string{
		strings.Repeat(" ", maxKeySet) + right, // huge
		`{}`, `{"keys":[]}`, `<html>`, ``, `{"keys":[` + string(secret) + `]}`,
		strings.Replace(right, `"kid"`, `"use":"enc","kid"`, 1),
	}
	for _, body := range bad {
		i.reply.Store(&body)
		unavailable()
	}
	mixed := strings.Replace(right, `"keys":[`, `"keys":[{"kty":"future"},{"kty":"RSA"},`, 1)
	i.reply.Store(&mixed)
	g.passes(t, g.bearing(good))
	for _, body := range bad {
		i.reply.Store(&body)
		g.passes(t, g.bearing(good))
		g.refuses(t, g.bearing(signToken(t, "ES256", pair, lively(), kid("2"))), http.StatusForbidden, tokenRefused, 1)
	}
	i.Close()
	g.passes(t, g.bearing(good))
}

// TestJWKSShared: callers that come together share one fetch, one that gives up
// does not spoil it for others, and old keys serve while new ones are fetched.
func TestJWKSShared(t *testing.T) {
	pair, i := pairs(t)["P-256"], newIssuer(t)
	i.publishes(t, map[string]any{"1": pair.Public()})
	i.hold = make(chan struct{})
	g := jwksGate(t, time.Hour, 0, i)
	token := signToken(t, "ES256", pair, lively(), kid("1"))

	gone, leave := context.WithCancel(t.Context())
	leave()
	x := g.bearing(token)
	x.Request = x.Request.WithContext(gone)
	g.refuses(t, x, http.StatusServiceUnavailable, "Service temporarily unavailable.", 0)

	results := make(chan error)
	for range 8 {
		go func() {
			_, err := g.Authenticate(g.bearing(token))
			results <- err
		}()
	}
	i.hold <- struct{}{} // one reply is enough for all
	for range 8 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	set := g.Authenticator.(*bearer).issuers.(keySets)[0]
	set.mu.Lock()
	set.got = set.got.Add(-2 * time.Hour)
	set.mu.Unlock()
	for range 5 {
		g.passes(t, g.bearing(token)) // while the fetch is held
	}
	i.hold <- struct{}{}
	if n := i.fetches.Load(); n != 2 {
		t.Errorf("%d fetches, want 2", n)
	}
}

// TestJWKSSeveral: each issuer's keys count, also while another is down.
func TestJWKSSeveral(t *testing.T) {
	all, one, two, down := pairs(t), newIssuer(t), newIssuer(t), newIssuer(t)
	one.publishes(t, map[string]any{"1": all["RSA"].Public()})
	two.publishes(t, map[string]any{"": all["P-256"].Public()})
	g := jwksGate(t, time.Hour, 0, down, one, two)
	g.passes(t, g.bearing(signToken(t, "RS256", all["RSA"], lively(), kid("1"))))
	g.passes(t, g.bearing(signToken(t, "ES256", all["P-256"], lively(), kid("any"))))
	g.refuses(t, g.bearing(signToken(t, "ES256", pairs(t)["P-256"], lively(), nil)), http.StatusForbidden, tokenRefused, 1)
}
