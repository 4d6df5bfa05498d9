package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// sessionsEdited: an edit changes what is there, undoes nothing that happens while
// it is made, and ends no later than the session.
func sessionsEdited(t *testing.T, s grapnel.Store) {
	ctx := t.Context()
	wantError(t, "editing an unknown session", s.EditSession(ctx, "a", func(*grapnel.Session) {}), grapnel.ErrNotFound)
	must(t, s.PutSession(ctx, "a", &grapnel.Session{Alias: "one", Metadata: map[string]any{"k": "v"}}, 0))
	before, err := s.Session(ctx, "a")
	must(t, err)
	must(t, s.EditSession(ctx, "a", func(one *grapnel.Session) { one.Metadata["new"] = "1" }))
	if _, touched := before.Metadata["new"]; touched {
		t.Error("what was read before has changed")
	}
	wantMetadata(t, s, "a", `{"k":"v","new":"1"}`)

	runs := 0
	must(t, s.EditSession(ctx, "a", func(one *grapnel.Session) {
		if runs++; runs == 1 { // another gateway comes between
			must(t, s.PutSession(ctx, "a", &grapnel.Session{Alias: "two", Metadata: map[string]any{"k": "theirs"}}, 0))
		}
		one.Metadata["mine"] = "1"
	}))
	wantMetadata(t, s, "a", `{"k":"theirs","mine":"1"}`)
	if got, err := s.Session(ctx, "a"); err != nil || got.Alias != "two" || runs != 2 {
		t.Errorf("after %d runs: %+v, %v", runs, got, err)
	}

	err = s.EditSession(ctx, "a", func(one *grapnel.Session) {
		if err := s.DeleteSession(ctx, "a"); err != nil {
			t.Error(err)
		}
		one.Alias = "back"
	})
	wantError(t, "editing what is deleted meanwhile", err, grapnel.ErrNotFound)
	_, err = s.Session(ctx, "a")
	wantError(t, "the deleted session", err, grapnel.ErrNotFound)

	must(t, s.PutSession(ctx, "short", &grapnel.Session{}, 200*time.Millisecond))
	if err := s.EditSession(ctx, "short", func(one *grapnel.Session) { one.Alias = "x" }); err != nil {
		wantError(t, "on a machine that is busy", err, grapnel.ErrNotFound)
	}
	until(t, "an edited session expires", func() bool {
		_, err := s.Session(ctx, "short")
		return errors.Is(err, grapnel.ErrNotFound)
	})
	wantError(t, "editing it then", s.EditSession(ctx, "short", func(*grapnel.Session) {}), grapnel.ErrNotFound)
}

func wantMetadata(t *testing.T, s grapnel.Store, id, want string) {
	t.Helper()
	got, err := s.Session(t.Context(), id)
	must(t, err)
	text, err := json.Marshal(got.Metadata)
	must(t, err)
	if string(text) != want {
		t.Errorf("%s has %s, want %s", id, text, want)
	}
}

// sessionsEditedAtOnce: of edits that are made at once none is lost.
func sessionsEditedAtOnce(t *testing.T, s grapnel.Store) {
	ctx := t.Context()
	must(t, s.PutSession(ctx, "a", &grapnel.Session{}, time.Hour))
	var all sync.WaitGroup
	const editors, each = 8, 10
	for e := range editors {
		all.Go(func() {
			for i := range each {
				err := s.EditSession(ctx, "a", func(one *grapnel.Session) {
					if one.Metadata == nil {
						one.Metadata = map[string]any{}
					}
					one.Metadata[fmt.Sprint(e, "-", i)] = "1"
					one.Rate++
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	got, err := s.Session(ctx, "a")
	must(t, err)
	if len(got.Metadata) != editors*each || got.Rate != editors*each {
		t.Errorf("%d entries, a sum of %v; want %d", len(got.Metadata), got.Rate, editors*each)
	}
}
