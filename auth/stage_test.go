package auth_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/auth"
)

func as(alias string) grapnel.Authenticator {
	return method(func(x *grapnel.Exchange) (*http.Response, error) {
		x.Session = &grapnel.Session{KeyID: alias, Alias: alias, Rate: 200}
		return nil, nil
	})
}

func refuser() grapnel.Authenticator {
	return method(func(*grapnel.Exchange) (*http.Response, error) {
		return nil, &grapnel.Error{Status: http.StatusForbidden, Code: grapnel.CodeForbidden, Message: "test"}
	})
}

// TestBaseIdentity: whose session stays, and whether the plugin's is stored
// [C-14, C-20…C-22, T-128, T-129].
func TestBaseIdentity(t *testing.T) {
	for _, c := range []struct {
		base   string
		want   string // alias
		stored bool
	}{
		{"", "token", true},
		{"custom_auth", "plugin", true},
		{"auth_token", "token", false},
		{"basic_auth_user", "basic", false},
	} {
		d := newDesk(t, setup{
			sessions: grapnel.APISessions{BaseIdentity: c.base},
			before:   []grapnel.Authenticator{as("basic")}, after: []grapnel.Authenticator{as("token")},
		}, returning(grapnel.Session{Alias: "plugin", Rate: 100}))
		if s := d.passes(t, "abc"); s.Alias != c.want {
			t.Errorf("base %q: the session of %s, want %s", c.base, s.Alias, c.want)
		}
		if _, err := d.keys.Stored(t.Context(), "abc"); (err == nil) != c.stored {
			t.Errorf("base %q: stored %v, want %v", c.base, err, c.stored)
		}
	}
}

// TestBaseIdentityValidates: a session that will not stay must be good all the
// same [C-14].
func TestBaseIdentityValidates(t *testing.T) {
	d := newDesk(t, setup{
		sessions: grapnel.APISessions{BaseIdentity: "auth_token"}, after: []grapnel.Authenticator{as("token")},
	}, returning(grapnel.Session{ApplyPolicies: []string{"missing"}}))
	if _, err := d.call("abc"); grapnel.AsError(err).Status != http.StatusForbidden || d.events.Load() != 1 {
		t.Errorf("%v with %d events", err, d.events.Load())
	}
}

// TestRefusedStoresNothing: a request that another method refuses leaves no
// session behind, and nobody waiting.
func TestRefusedStoresNothing(t *testing.T) {
	value := header("value", "", 0)
	for _, s := range []setup{{after: []grapnel.Authenticator{refuser()}}, {after: []grapnel.Authenticator{refuser()}, extractor: &value}} {
		d := newDesk(t, s, returning(grapnel.Session{IDExtractorDeadline: soon()}))
		for range 2 {
			if _, err := d.call("abc"); grapnel.AsError(err).Status != http.StatusForbidden {
				t.Errorf("%v", err)
			}
		}
		if d.writes.Load() != 0 || d.calls.Load() != 2 {
			t.Errorf("%d writes and %d calls", d.writes.Load(), d.calls.Load())
		}
	}
}

// TestShortcutIgnoresBaseIdentity: a stored session stays, whatever the base
// identity is; a later method that is the base has the last word [I-11, T-169].
func TestShortcutIgnoresBaseIdentity(t *testing.T) {
	s := withValue()
	s.sessions.BaseIdentity = "basic_auth_user"
	s.before = []grapnel.Authenticator{as("basic")}
	d := newDesk(t, s, returning(grapnel.Session{Alias: "plugin"}))
	known := &grapnel.Session{KeyID: sessionOfABC, OrgID: "default", Alias: "stored", IDExtractorDeadline: time.Now().Add(time.Hour).Unix()}
	if err := d.keys.Save(t.Context(), known, 0); err != nil {
		t.Fatal(err)
	}
	if got := d.passes(t, "abc"); got.Alias != "stored" || d.calls.Load() != 0 {
		t.Errorf("the session of %s with %d calls", got.Alias, d.calls.Load())
	}
	if got := d.passes(t, "other"); got.Alias != "basic" {
		t.Errorf("without a stored one, the session of %s", got.Alias)
	}
}

// TestNoSession: where nobody's session stays, the request ends [S-49, C-1].
func TestNoSession(t *testing.T) {
	d := newDesk(t, setup{sessions: grapnel.APISessions{BaseIdentity: "auth_token"}}, returning(grapnel.Session{}))
	_, err := d.call("abc")
	if status, message := answer(err); status != http.StatusBadRequest || message != "Session state is missing or unset! Please make sure that auth headers are properly applied" {
		t.Errorf("%d %s", status, message)
	}
	if d.writes.Load() != 0 {
		t.Error("something was stored")
	}
}

// TestOpenPaths need no caller [C-3]; an API without methods has no stage.
func TestOpenPaths(t *testing.T) {
	d := newDesk(t, setup{}, refusing)
	x := exchange("GET", "/", "")
	x.API, x.Open = d.api, true
	if _, err := d.handler(x); err != nil || d.calls.Load() != 0 {
		t.Errorf("%v with %d calls", err, d.calls.Load())
	}
	if auth.Stage(&grapnel.API{}, nil) != nil {
		t.Error("an API that is open to everyone has a stage")
	}
}

// TestCustomAlone: without a stage around it, the session is stored at once.
func TestCustomAlone(t *testing.T) {
	d := newDesk(t, setup{}, nil)
	alone := auth.Custom(d.api, as("plugin"), d.keys, nil, d)
	x := exchange("GET", "/", "")
	if _, err := alone.Authenticate(x); err != nil || x.Session.Alias != "plugin" || d.writes.Load() != 1 {
		t.Errorf("%v, %+v", err, x.Session)
	}
	if _, err := auth.Custom(d.api, refuser(), d.keys, nil, d).Authenticate(x); err == nil || errors.Is(err, grapnel.ErrNotFound) {
		t.Errorf("%v", err)
	}
}
