package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/keys"
	"github.com/grapnel-gateway/grapnel/store"
)

// A gate is one method in front of an API, with keys in a memory store.
type gate struct {
	grapnel.Authenticator
	api    *grapnel.API
	keys   *keys.Ring
	store  *brittle
	events atomic.Int64
}

// Fire counts the events and checks what they say [E-7].
func (g *gate) Fire(_ *grapnel.Exchange, t grapnel.EventType, message string) {
	if t != grapnel.EventAuthFailure || message != "Auth Failure" {
		message = "unexpected event: " + message
		slog.Error(message)
		return
	}
	g.events.Add(1)
}

// brittle is a store that can be down.
type brittle struct {
	grapnel.Sessions
	down atomic.Bool
}

func (b *brittle) Session(ctx context.Context, id string) (*grapnel.Session, error) {
	if b.down.Load() {
		return nil, grapnel.ErrUnavailable
	}
	return b.Sessions.Session(ctx, id)
}

func (b *brittle) EditSession(ctx context.Context, id string, change func(*grapnel.Session)) error {
	if b.down.Load() {
		return grapnel.ErrUnavailable
	}
	return b.Sessions.EditSession(ctx, id, change)
}

const org = "acme"

func newGate(t testing.TB, m grapnel.AuthMethod, policies ...*grapnel.Policy) *gate {
	t.Helper()
	memory := store.NewMemory()
	t.Cleanup(func() { memory.Close() })
	var rules grapnel.KeyRules
	rules.SetDefaults()
	g := &gate{api: &grapnel.API{ID: "orders", Name: `The "Orders"`, OrgID: org}, store: &brittle{Sessions: memory}}
	var err error
	if g.keys, err = keys.New(g.store, rules, keys.NewPolicies(policies...)); err != nil {
		t.Fatal(err)
	}
	if g.Authenticator, err = New(g.api, m, g.keys, g, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return g
}

// save stores a session under a key.
func (g *gate) save(t testing.TB, key string, s grapnel.Session) {
	t.Helper()
	s.KeyID, s.OrgID = key, org
	if err := g.keys.Save(t.Context(), &s, 0); err != nil {
		t.Fatal(err)
	}
}

// exchange is one with a GET of the URL and the fields "Name: value".
func (g *gate) exchange(url string, fields ...string) *grapnel.Exchange {
	r := httptest.NewRequest(http.MethodGet, url, nil)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Add(name, value)
	}
	return &grapnel.Exchange{Request: r, API: g.api, Log: slog.New(slog.DiscardHandler)}
}

// passes lets the exchange in and returns its session.
func (g *gate) passes(t testing.TB, x *grapnel.Exchange) *grapnel.Session {
	t.Helper()
	resp, err := g.Authenticate(x)
	if resp != nil || err != nil {
		t.Fatalf("refused: %v, %v", resp, err)
	}
	if x.Session == nil {
		t.Fatal("let in without a session")
	}
	return x.Session
}

// refuses expects the status and message, the event if credentials were there,
// and that nothing of the secrets is in what client and log are told.
func (g *gate) refuses(t testing.TB, x *grapnel.Exchange, status int, message string, events int, secrets ...string) *grapnel.Error {
	t.Helper()
	before := g.events.Load()
	resp, err := g.Authenticate(x)
	e, ok := errors.AsType[*grapnel.Error](err)
	switch {
	case resp != nil || !ok || x.Session != nil:
		t.Fatalf("not refused: %v, %v, session %v", resp, err, x.Session)
	case e.Status != status || e.Message != message:
		t.Errorf("refused with %d %q, want %d %q (%v)", e.Status, e.Message, status, message, e)
	}
	if n := int(g.events.Load() - before); n != events {
		t.Errorf("%d AuthFailure events, want %d", n, events)
	}
	for _, s := range secrets {
		if s != "" && (strings.Contains(e.Error(), s) || strings.Contains(e.Message, s)) {
			t.Errorf("the error holds a secret: %v", e)
		}
	}
	return e
}
