package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// sessions: what was put is found, until it is deleted.
func sessions(t *testing.T, s grapnel.Store) {
	ctx := t.Context()
	_, err := s.Session(ctx, "a")
	wantError(t, "an unknown session", err, grapnel.ErrNotFound)
	wantError(t, "deleting an unknown session", s.DeleteSession(ctx, "a"), grapnel.ErrNotFound)

	put := &grapnel.Session{KeyID: "credential", OrgID: "o", Alias: "one", Metadata: map[string]any{"k": "v"}}
	must(t, s.PutSession(ctx, "a", put, 0))
	put.Alias, put.Metadata["k"] = "changed", "changed" // the caller's copy, not the store's
	got, err := s.Session(ctx, "a")
	must(t, err)
	if got.Alias != "one" || got.Metadata["k"] != "v" || got.OrgID != "o" {
		t.Errorf("got %+v", got)
	}
	if got.StoreID != "a" || got.KeyID != "" {
		t.Errorf("StoreID is %q and KeyID %q; a store knows its id and no credential", got.StoreID, got.KeyID)
	}
	must(t, s.PutSession(ctx, "a", put, 0))
	if got, err = s.Session(ctx, "a"); err != nil || got.Alias != "changed" {
		t.Errorf("after a second put: %+v, %v", got, err)
	}
	must(t, s.DeleteSession(ctx, "a"))
	_, err = s.Session(ctx, "a")
	wantError(t, "a deleted session", err, grapnel.ErrNotFound)
	wantError(t, "deleting it again", s.DeleteSession(ctx, "a"), grapnel.ErrNotFound)
}

// sessionForm: the stored form comes back whole, with what nobody here knows
// [S-4, Z-23].
func sessionForm(t *testing.T, s grapnel.Store) {
	stored := `{"rate":5,"per":1.5,"smoothing":{"enabled":true},"mtls_static_certificate_bindings":["c"],` +
		`"access_rights":{"a":{"api_id":"a","limit":{"rate":3,"smoothing":{"step":2}},"field_access_rights":[{"t":"Q"}],"new":1}},` +
		`"meta_data":{"number":7,"large":12345678901234567890,"nested":{"a":[1,"b"]}},"monitor":{"trigger_limits":[80]},"enable_detail_recording":true}`
	put := &grapnel.Session{}
	must(t, json.Unmarshal([]byte(stored), put))
	must(t, s.PutSession(t.Context(), "a", put, 0))
	got, err := s.Session(t.Context(), "a")
	must(t, err)
	want, err := json.Marshal(put)
	must(t, err)
	have, err := json.Marshal(got)
	must(t, err)
	if string(have) != string(want) {
		t.Errorf("stored\n%s\ncame back as\n%s", want, have)
	}
	for _, part := range []string{`"smoothing":{"step":2}`, `"new":1`, `12345678901234567890`, `"mtls_static_certificate_bindings":["c"]`} {
		if !strings.Contains(string(have), part) {
			t.Errorf("%s is missing in %s", part, have)
		}
	}
}

// sessionsExpire: a ttl ends a session, and the last put decides about it.
func sessionsExpire(t *testing.T, s grapnel.Store) {
	ctx := t.Context()
	const ttl = 200 * time.Millisecond
	begun := time.Now()
	must(t, s.PutSession(ctx, "short", &grapnel.Session{}, ttl))
	must(t, s.PutSession(ctx, "kept", &grapnel.Session{}, ttl))
	must(t, s.PutSession(ctx, "kept", &grapnel.Session{}, 0))
	must(t, s.PutSession(ctx, "renewed", &grapnel.Session{}, ttl))
	must(t, s.PutSession(ctx, "renewed", &grapnel.Session{}, time.Hour))
	if _, err := s.Session(ctx, "short"); err != nil && time.Since(begun) < ttl {
		t.Errorf("before its time: %v", err)
	}
	until(t, "a session expires", func() bool {
		_, err := s.Session(ctx, "short")
		return errors.Is(err, grapnel.ErrNotFound)
	})
	if e := time.Since(begun); e < ttl {
		t.Errorf("it expired after %v, before its ttl of %v", e, ttl)
	}
	wantError(t, "deleting an expired session", s.DeleteSession(ctx, "short"), grapnel.ErrNotFound)
	ids, err := s.SessionIDs(ctx, "")
	must(t, err)
	if !slices.Equal(ids, []string{"kept", "renewed"}) {
		t.Errorf("left are %v", ids)
	}
}

// sessionIDs: a prefix means itself, whatever characters it has.
func sessionIDs(t *testing.T, s grapnel.Store) {
	ctx := t.Context()
	for _, id := range []string{"org*one", "orgxtwo", "org*", "or", "[a]1", "a1", `b\c`, "ü1"} {
		must(t, s.PutSession(ctx, id, &grapnel.Session{}, 0))
	}
	for prefix, want := range map[string][]string{
		"":      {"[a]1", "a1", `b\c`, "or", "org*", "org*one", "orgxtwo", "ü1"},
		"org":   {"org*", "org*one", "orgxtwo"},
		"org*":  {"org*", "org*one"},
		"[a]":   {"[a]1"},
		`b\`:    {`b\c`},
		"?":     {},
		"ü":     {"ü1"},
		"org*o": {"org*one"},
	} {
		got, err := s.SessionIDs(ctx, prefix)
		must(t, err)
		if !slices.Equal(got, want) {
			t.Errorf("prefix %q: got %q, want %q", prefix, got, want)
		}
	}
}

// sessionsConcurrent: writers and readers of different and of the same ids do
// not disturb each other.
func sessionsConcurrent(t *testing.T, s grapnel.Store) {
	ctx := t.Context()
	var all sync.WaitGroup
	const writers, each = 16, 20
	for w := range writers {
		all.Go(func() {
			for i := range each {
				id := fmt.Sprintf("w%02d-%02d", w, i)
				if err := s.PutSession(ctx, id, &grapnel.Session{Alias: id}, 0); err != nil {
					t.Error(err)
				}
				if got, err := s.Session(ctx, id); err != nil || got.Alias != id {
					t.Errorf("%s: got %+v, %v", id, got, err)
				}
				if err := s.PutSession(ctx, "same", &grapnel.Session{Alias: id}, time.Hour); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	ids, err := s.SessionIDs(ctx, "w")
	must(t, err)
	if len(ids) != writers*each {
		t.Errorf("%d sessions, want %d", len(ids), writers*each)
	}
	if _, err := s.Session(ctx, "same"); err != nil {
		t.Error(err)
	}
}
