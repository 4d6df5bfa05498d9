package auth

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/keys"
	"github.com/grapnel-gateway/grapnel/store"
)

// TestWriteBack: what changes of a stored session's metadata while hooks run is
// stored; the rest of the session, and what policies added, is not [L-21].
func TestWriteBack(t *testing.T) {
	gold := &grapnel.Policy{ID: "gold", OrgID: org, Rate: 10, Per: 1, Metadata: map[string]any{"plan": "gold"}, AccessRights: map[string]grapnel.AccessDefinition{"orders": {}}}
	g := newGate(t, grapnel.AuthMethod{Token: &grapnel.TokenAuth{Credential: grapnel.Credential{Header: "X-Key"}}}, gold)
	g.save(t, "abc", grapnel.Session{Rate: 1, ApplyPolicies: []string{"gold"}, Metadata: map[string]any{"n": json.Number("7"), "gone": "x", "stays": "y"}})
	failed := errors.New("upstream")
	edit := func(x *grapnel.Exchange) (*http.Response, error) {
		s := *x.Session
		s.Rate, s.Metadata = 99, maps.Clone(s.Metadata)
		s.Metadata["new"], s.Metadata["n"] = true, json.Number("8")
		delete(s.Metadata, "gone")
		x.Session = &s
		return nil, failed // what was noted of a request counts, whatever became of it
	}
	g.api.Hooks.Post = []grapnel.Hook{{WriteBack: true}}
	x := g.exchange("/orders", "X-Key: abc")
	g.passes(t, x)
	if x.Session.Metadata["plan"] != "gold" {
		t.Fatalf("the policy is not applied: %v", x.Session.Metadata)
	}
	if _, err := WriteBack(g.api, g.keys)(edit)(x); err != failed {
		t.Errorf("error %v", err)
	}
	stored, err := g.keys.Stored(t.Context(), x.Session.KeyID)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"n": json.Number("8"), "stays": "y", "new": true}
	if diff := cmp.Diff(want, stored.Metadata); diff != "" || stored.Rate != 1 {
		t.Errorf("rate %v, %s", stored.Rate, diff)
	}
}

// TestWriteBackLeaves: what is not stored, what was deleted and what did not
// change is not stored, and a store that is down fails no reply.
func TestWriteBackLeaves(t *testing.T) {
	g := newGate(t, grapnel.AuthMethod{Token: &grapnel.TokenAuth{Credential: grapnel.Credential{Header: "X-Key"}}})
	if WriteBack(g.api, g.keys) != nil {
		t.Error("there is something to do where no hook writes back")
	}
	g.api.Hooks.PostKeyAuth = []grapnel.Hook{{WriteBack: true}}
	run := func(x *grapnel.Exchange, meanwhile func(*grapnel.Session)) {
		resp, err := WriteBack(g.api, g.keys)(func(x *grapnel.Exchange) (*http.Response, error) {
			s := *x.Session
			s.Metadata = map[string]any{"new": "1"}
			meanwhile(&s)
			x.Session = &s
			return &http.Response{StatusCode: 204}, nil
		})(x)
		if err != nil || resp.StatusCode != 204 {
			t.Errorf("%v, %v", resp, err)
		}
	}
	g.save(t, "abc", grapnel.Session{Metadata: map[string]any{"old": "1"}})
	x := g.exchange("/orders", "X-Key: abc")
	key := g.passes(t, x).KeyID
	before, err := g.keys.Stored(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	run(x, func(s *grapnel.Session) { s.Metadata = map[string]any{"old": "1"} })
	if after, err := g.keys.Stored(t.Context(), key); err != nil || after != before {
		t.Errorf("an unchanged session was stored: %v, %v", after, err)
	}
	g.passes(t, x)
	run(x, func(*grapnel.Session) { g.store.down.Store(true) })
	g.store.down.Store(false)
	g.passes(t, x)
	run(x, func(*grapnel.Session) {
		if err := g.keys.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
	})
	if s, err := g.keys.Stored(t.Context(), key); !errors.Is(err, grapnel.ErrNotFound) {
		t.Errorf("a deleted session is back: %v, %v", s, err)
	}
	x.Session = &grapnel.Session{KeyID: "passing"}
	run(x, func(*grapnel.Session) {})
	if s, err := g.keys.Stored(t.Context(), "passing"); !errors.Is(err, grapnel.ErrNotFound) {
		t.Errorf("a session that was never stored is: %v, %v", s, err)
	}
}

// A hook that clears the metadata of a session which belongs to an issuer's tokens
// does not make a key of the session's name.
func TestWriteBackKeepsTheMark(t *testing.T) {
	g := newGate(t, grapnel.AuthMethod{Token: &grapnel.TokenAuth{Credential: grapnel.Credential{Header: "X-Key"}}})
	g.save(t, "abc", grapnel.Session{Metadata: map[string]any{identityMark: "abc", "old": "1"}})
	stored, err := g.keys.Stored(t.Context(), "abc")
	if err != nil {
		t.Fatal(err)
	}
	g.api.Hooks.Post = []grapnel.Hook{{WriteBack: true}}
	x := g.exchange("/orders", "X-Key: abc")
	x.Session = stored
	clear := func(x *grapnel.Exchange) (*http.Response, error) {
		s := *x.Session
		s.Metadata = map[string]any{"new": "1"}
		x.Session = &s
		return grapnel.Reply(200, nil, nil), nil
	}
	if _, err := WriteBack(g.api, g.keys)(clear)(x); err != nil {
		t.Fatal(err)
	}
	after, err := g.keys.Stored(t.Context(), "abc")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{identityMark: "abc", "new": "1"}, after.Metadata); diff != "" {
		t.Error(diff)
	}
	if !guessable(after) {
		t.Error("the session's name is a key")
	}
}

// deaf is a gateway that no news reaches.
type deaf struct{ grapnel.Store }

func (deaf) Subscribe(context.Context, func(grapnel.Signal)) error { return nil }

// gateways are two of them that share a store; what the second does, the first does
// not hear of.
func gateways(t *testing.T) (here, there *keys.Ring, shared grapnel.Store) {
	t.Helper()
	shared = store.NewMemory()
	t.Cleanup(func() { shared.Close() })
	cache, err := store.Cache(shared, deaf{shared}, time.Hour, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cache.Close)
	ring := func(sessions grapnel.Sessions) *keys.Ring {
		r, err := keys.New(sessions, grapnel.KeyRules{Hash: true, MinLength: 3, CacheFor: grapnel.Duration(time.Hour)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	return ring(cache), ring(shared), shared
}

// What another gateway has changed or deleted, of which this one has not heard,
// stays as it is there.
func TestWriteBackBesideAnotherGateway(t *testing.T) {
	here, there, shared := gateways(t)
	api := &grapnel.API{Hooks: grapnel.Hooks{Post: []grapnel.Hook{{WriteBack: true}}}}
	run := func(entry string, meanwhile func()) {
		known, err := here.Load(t.Context(), "abc")
		if err != nil {
			t.Fatal(err)
		}
		log := &strings.Builder{}
		x := &grapnel.Exchange{Request: httptest.NewRequest("GET", "/", nil), Session: known, Log: slog.New(slog.NewTextHandler(log, nil))}
		_, err = WriteBack(api, here)(func(x *grapnel.Exchange) (*http.Response, error) {
			s := *x.Session
			s.Metadata = maps.Clone(s.Metadata)
			s.Metadata[entry] = "1"
			x.Session = &s
			meanwhile()
			return grapnel.Reply(200, nil, nil), nil
		})(x)
		if err != nil || log.Len() > 0 {
			t.Errorf("%v, the log %q", err, log)
		}
	}
	first := &grapnel.Session{KeyID: "abc", Rate: 1, Metadata: map[string]any{"k": "v"}}
	if err := there.Save(t.Context(), first, 0); err != nil {
		t.Fatal(err)
	}
	run("mine", func() {
		changed := &grapnel.Session{KeyID: "abc", Rate: 5, Metadata: map[string]any{"theirs": "1"}}
		if err := there.Save(t.Context(), changed, 0); err != nil {
			t.Error(err)
		}
	})
	after, err := shared.Session(t.Context(), there.StoreID("abc"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"theirs": "1", "mine": "1"}, after.Metadata); diff != "" || after.Rate != 5 {
		t.Errorf("rate %v, %s", after.Rate, diff)
	}
	run("again", func() {
		if err := there.Delete(t.Context(), "abc"); err != nil {
			t.Error(err)
		}
	})
	if s, err := shared.Session(t.Context(), there.StoreID("abc")); !errors.Is(err, grapnel.ErrNotFound) {
		t.Errorf("a deleted session is back: %v, %v", s, err)
	}
}
