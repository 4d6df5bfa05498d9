package auth

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

// An authority is a foreign authorization server.
type authority struct {
	*httptest.Server
	asked  atomic.Int64
	mu     sync.Mutex
	tokens map[string]string // what it says of each
}

func newAuthority(t testing.TB, tokens map[string]string) *authority {
	t.Helper()
	a := &authority{tokens: tokens}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.asked.Add(1)
		id, secret, _ := r.BasicAuth()
		if r.Method != http.MethodPost || id != "gate%26way" || secret != "s%3A1" { // encoded as in a form [RFC 6749 2.3.1]
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		text, ok := a.tokens[r.PostFormValue("token")]
		if !ok {
			text = `{"active":false,"sub":"mallory"}`
		}
		fmt.Fprint(w, text)
	}))
	t.Cleanup(a.Close)
	return a
}

// say changes what it says of a token.
func (a *authority) say(token, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tokens[token] = text
}

func introspectionGate(t testing.TB, url string, change func(*grapnel.IntrospectionAuth), policies ...*grapnel.Policy) *gate {
	t.Helper()
	c := &grapnel.IntrospectionAuth{}
	c.SetDefaults()
	c.URL, c.ClientID, c.ClientSecret = &grapnel.URL{}, "gate&way", "s:1"
	if err := c.URL.UnmarshalText([]byte(url)); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(c)
	}
	return newGate(t, grapnel.AuthMethod{Introspection: c}, policies...)
}

func (g *gate) with(token string) *grapnel.Exchange {
	return g.exchange("/", "Authorization: Bearer "+token)
}

// active is what is said of a token that counts for an hour.
func active(more string) string {
	return fmt.Sprintf(`{"active":true,"exp":%d%s}`, time.Now().Add(time.Hour).Unix(), more)
}

// TestIntrospection: who is let in, as whom, and who is not [RFC 7662 2.2].
func TestIntrospection(t *testing.T) {
	a := newAuthority(t, map[string]string{
		"ann": active(`,"sub":"1","username":"ann","pol":"gold","iss":"https://id","aud":["orders"]`), "scoped": active(`,"sub":"2","scope":"openid r","iss":"https://id","aud":"orders"`),
		"plain": active(`,"sub":"3","iss":"https://id","aud":"orders"`), "nobody": active(`,"iss":"https://id","aud":"orders"`),
		"old": `{"active":true,"sub":"4","exp":1000,"iss":"https://id","aud":"orders"}`, "other": active(`,"sub":"5","iss":"https://evil","aud":"orders"`),
		"meant": active(`,"sub":"6","iss":"https://id","aud":"stock"`), "text": `{"active":"true","sub":"7"}`, "silent": `{"sub":"8"}`,
	})
	g := introspectionGate(t, a.URL, func(c *grapnel.IntrospectionAuth) {
		c.Issuer, c.Audience, c.IdentityClaim = "https://id", []string{"orders"}, "username"
		c.PolicyClaim, c.DefaultPolicies, c.Scope.Policies = "pol", []string{"basic"}, map[string]string{"r": "read"}
	}, policy("basic", 10), policy("gold", 100), policy("read", 1))
	for token, want := range map[string]struct {
		alias  string
		policy string
	}{"ann": {"ann", "gold"}, "scoped": {"2", "read"}, "plain": {"3", "basic"}} {
		s := g.passes(t, g.with(token))
		if s.Alias != want.alias || !cmp.Equal(s.ApplyPolicies, []string{want.policy}) || s.OrgID != org {
			t.Errorf("%s: session is %+v", token, s)
		}
	}
	g.refuses(t, g.exchange("/"), http.StatusBadRequest, tokenMissing, 0)
	for _, token := range []string{"unknown", "nobody", "text", "silent"} {
		g.refuses(t, g.with(token), http.StatusForbidden, tokenRefused, 1, token)
	}
	for token, reason := range map[string]string{"old": "token has expired", "other": "token has invalid issuer", "meant": "token has invalid audience"} {
		g.refuses(t, g.with(token), http.StatusUnauthorized, tokenRefused+": "+reason, 1)
	}
}

// TestIntrospectionCache: an answer is believed for a while, a bad one too, but
// not beyond the token's life; without a cache every request asks.
func TestIntrospectionCache(t *testing.T) {
	a := newAuthority(t, map[string]string{"ann": active(`,"sub":"1"`)})
	g := introspectionGate(t, a.URL, func(c *grapnel.IntrospectionAuth) { c.Cache = grapnel.Duration(time.Hour) })
	for range 3 {
		g.passes(t, g.with("ann"))
		g.refuses(t, g.with("unknown"), http.StatusForbidden, tokenRefused, 1)
	}
	if n := a.asked.Load(); n != 2 {
		t.Errorf("asked %d times about two tokens", n)
	}
	a.say("short", fmt.Sprintf(`{"active":true,"sub":"2","exp":%d}`, time.Now().Unix()-1))
	g.refuses(t, g.with("short"), http.StatusUnauthorized, tokenRefused+": token has expired", 1)
	a.say("short", active(`,"sub":"2"`))
	g.passes(t, g.with("short")) // the answer did not outlive the token

	a.asked.Store(0)
	always := introspectionGate(t, a.URL, func(c *grapnel.IntrospectionAuth) { c.Cache = 0 })
	always.passes(t, always.with("ann"))
	a.say("ann", `{"active":false}`)
	always.refuses(t, always.with("ann"), http.StatusForbidden, tokenRefused, 1)
	if n := a.asked.Load(); n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
	g.passes(t, g.with("ann")) // from memory still
}

// TestIntrospectionTenants: what one authority says of a token means nothing to
// an API that trusts another, nor do its names: the same token and the same sub
// are different callers, with sessions of their own.
func TestIntrospectionTenants(t *testing.T) {
	mine := newAuthority(t, map[string]string{"token": active(`,"sub":"1","pol":"gold"`), "shared": active(`,"sub":"1","pol":"basic"`)})
	theirs := newAuthority(t, map[string]string{"shared": active(`,"sub":"1","pol":"basic"`)})
	policies := []*grapnel.Policy{policy("basic", 10), policy("gold", 100)}
	byClaim := func(c *grapnel.IntrospectionAuth) { c.PolicyClaim, c.Cache = "pol", grapnel.Duration(time.Hour) }
	g := introspectionGate(t, mine.URL, byClaim, policies...)
	other := introspectionGate(t, theirs.URL, byClaim, policies...)
	other.keys, other.store = g.keys, g.store // one store, as in one gateway
	method := grapnel.AuthMethod{Introspection: other.Authenticator.(*introspection).settingsOf()}
	var err error
	if other.Authenticator, err = New(&grapnel.API{ID: "stock", OrgID: org}, method, g.keys, other, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	g.passes(t, g.with("token"))
	other.refuses(t, other.with("token"), http.StatusForbidden, tokenRefused, 1)
	first, second := g.passes(t, g.with("shared")), other.passes(t, other.with("shared"))
	if first.StoreID == second.StoreID || first.KeyID == second.KeyID {
		t.Errorf("the two callers share the session %s", first.StoreID)
	}
	theirs.say("token", active(`,"sub":"9","pol":"basic"`))
	if s := g.passes(t, g.with("token")); s.Alias != "1" || s.Rate != 100 {
		t.Errorf("session is %+v", s)
	}
}

// settingsOf gives the settings back.
func (i *introspection) settingsOf() *grapnel.IntrospectionAuth { return &i.settings }

// TestIntrospectionUnavailable: who cannot be asked lets nobody in, and what went
// wrong is not remembered.
func TestIntrospectionUnavailable(t *testing.T) {
	const unavailable = "Service temporarily unavailable."
	stuck := make(chan struct{})
	var mode atomic.Value
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch mode.Load() {
		case "hangs":
			<-stuck
		case "fails":
			http.Error(w, `{"active":true,"sub":"1"}`, http.StatusInternalServerError)
		case "babbles":
			fmt.Fprint(w, "<html>")
		case "is large":
			fmt.Fprint(w, `{"active":true,"sub":"1","x":"`+strings.Repeat("x", maxAnswer)+`"}`)
		case "sends elsewhere":
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		default:
			fmt.Fprint(w, active(`,"sub":"1"`))
		}
	}))
	g := introspectionGate(t, s.URL, func(c *grapnel.IntrospectionAuth) { c.Timeout = grapnel.Duration(300 * time.Millisecond) })
	for _, m := range []string{"hangs", "fails", "babbles", "is large", "sends elsewhere"} {
		mode.Store(m)
		e := g.refuses(t, g.with("secret-token"), http.StatusServiceUnavailable, unavailable, 0, "secret-token", "s:1")
		if e.Code != grapnel.CodeStoreUnavailable {
			t.Errorf("%s: code %s", m, e.Code)
		}
	}
	mode.Store("works")
	patient := introspectionGate(t, s.URL, nil)
	patient.passes(t, patient.with("secret-token"))
	close(stuck)
	s.Close()
	gone := introspectionGate(t, s.URL, nil)
	gone.refuses(t, gone.with("secret-token"), http.StatusServiceUnavailable, unavailable, 0, "secret-token")
}

// TestIntrospectionAtOnce: many who present one token ask once.
func TestIntrospectionAtOnce(t *testing.T) {
	a := newAuthority(t, map[string]string{"ann": active(`,"sub":"1"`)})
	a.mu.Lock() // it answers nobody yet
	g := introspectionGate(t, a.URL, nil)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if resp, err := g.Authenticate(g.with("ann")); resp != nil || err != nil {
				t.Errorf("refused: %v, %v", resp, err)
			}
		})
	}
	for a.asked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	a.mu.Unlock()
	all.Wait()
	if n := a.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}
