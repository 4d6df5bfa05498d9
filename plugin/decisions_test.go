package plugin_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin"
)

// A guard is an auth plugin that can be told what to say.
type guard struct {
	*fake
	say func() error
}

func newGuard() *guard {
	g := &guard{}
	g.fake = &fake{request: func(_ context.Context, x *grapnel.Exchange) (*http.Response, error) {
		if err := g.say(); err != nil {
			return nil, err
		}
		x.Session = &grapnel.Session{KeyID: "of " + x.Request.Header.Get("Authorization"), Metadata: map[string]any{"a": "b"}}
		return nil, nil
	}}
	return g
}

var (
	errDown    = errors.New("down")
	errRefused = &grapnel.Error{Status: 403, Code: grapnel.CodePluginRefused}
)

func yes() error     { return nil }
func isDown() error  { return errDown }
func refuses() error { return errRefused }

// rememberer makes an authenticator of the guard whose decisions last a minute.
func rememberer(t *testing.T, g *guard, d *plugin.Decisions, api, hook string) grapnel.Authenticator {
	t.Helper()
	a, err := plugin.Binder{Servers: g.lookup, Events: &fired{}, Decisions: d}.Authenticator(&grapnel.API{ID: api}, grapnel.Hook{
		Plugin: "p", Name: hook, Stage: grapnel.Auth,
		Failure: grapnel.Failure{OnError: []grapnel.Step{{Kind: grapnel.StepCached, MaxAge: grapnel.Duration(time.Minute)}}},
	}, func(x *grapnel.Exchange) string { return x.Request.Header.Get("Authorization") })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// enter tries to get in with the credential: the session, or nil.
func enter(t *testing.T, a grapnel.Authenticator, credential string) *grapnel.Session {
	t.Helper()
	x := exchange(t)
	if credential != "" {
		x.Request.Header.Set("Authorization", credential)
	}
	resp, err := a.Authenticate(x)
	if resp != nil || (err == nil) != (x.Session != nil) {
		t.Fatalf("%v, %v, session %v", resp, err, x.Session)
	}
	if err == nil && x.Calls[0].Failed && x.Calls[0].Outcome != grapnel.OutcomeCached {
		t.Errorf("calls %+v", x.Calls)
	}
	return x.Session
}

// A good decision is taken again while the plugin is down: for the same
// credential, API and hook, until it is old or the plugin has refused since.
func TestDecisions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, d := newGuard(), plugin.NewDecisions()
		a := rememberer(t, g, d, "a", "h")
		g.say = isDown
		if enter(t, a, "k") != nil {
			t.Error("let in without any decision")
		}
		g.say = yes
		enter(t, a, "k")
		enter(t, a, "")
		g.say = isDown
		first := enter(t, a, "k")
		want := &grapnel.Session{KeyID: "of k", Metadata: map[string]any{"a": "b"}}
		if diff := cmp.Diff(want, first); diff != "" {
			t.Error(diff)
		}
		first.Metadata["a"] = "changed"
		if diff := cmp.Diff(want, enter(t, a, "k")); diff != "" {
			t.Errorf("one exchange changed the session of the next: %s", diff)
		}
		for name, other := range map[string]*grapnel.Session{
			"another credential": enter(t, a, "other"),
			"no credential":      enter(t, a, ""),
			"another API":        enter(t, rememberer(t, g, d, "b", "h"), "k"),
			"another hook":       enter(t, rememberer(t, g, d, "a", "i"), "k"),
		} {
			if other != nil {
				t.Errorf("%s was let in as %v", name, other)
			}
		}
		if enter(t, rememberer(t, g, d, "a", "h"), "k") == nil {
			t.Error("forgotten by a reload")
		}
		time.Sleep(time.Minute + time.Second)
		if enter(t, a, "k") != nil {
			t.Error("let in by a decision that is too old")
		}
		g.say = yes
		enter(t, a, "k")
		g.say = refuses
		enter(t, a, "k")
		g.say = isDown
		if enter(t, a, "k") != nil {
			t.Error("let in after it was refused")
		}
	})
}

// A good answer that was asked for before a refusal, and comes after it, is not
// remembered: the credential was refused since.
func TestDecisionsOutOfOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, release := newGuard(), make(chan struct{})
		a := rememberer(t, g, plugin.NewDecisions(), "a", "h")
		g.say = func() error { <-release; return nil }
		slow := make(chan *grapnel.Session)
		go func() { slow <- enter(t, a, "k") }()
		synctest.Wait()
		g.say = refuses
		if enter(t, a, "k") != nil {
			t.Error("let in by a refusal")
		}
		close(release)
		if <-slow == nil {
			t.Error("the slow answer was good")
		}
		g.say = isDown
		if enter(t, a, "k") != nil {
			t.Error("let in by an answer from before the refusal")
		}
	})
}
