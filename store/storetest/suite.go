// Package storetest is the contract of grapnel.Store as a test, and real Redis
// servers to run it on.
package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// patience bounds every wait for something that ought to happen.
const patience = 10 * time.Second

// Suite checks that a store keeps the contract of grapnel.Store. Open returns a
// store that is empty, and is closed by the test's cleanup; it is called once
// for each part.
func Suite(t *testing.T, open func(t *testing.T) grapnel.Store) {
	parts := []struct {
		name string
		test func(*testing.T, grapnel.Store)
	}{
		{"Sessions", sessions},
		{"SessionsForm", sessionForm},
		{"SessionsExpire", sessionsExpire},
		{"SessionIDs", sessionIDs},
		{"SessionsConcurrent", sessionsConcurrent},
		{"SessionsEdited", sessionsEdited},
		{"SessionsEditedAtOnce", sessionsEditedAtOnce},
		{"TakeLimits", takeLimits},
		{"TakeNeverOver", takeNeverOver},
		{"SpendExact", spendExact},
		{"SpendRenews", spendRenews},
		{"SpendForever", spendForever},
		{"Forget", forget},
		{"Catalog", catalog},
		{"Records", records},
		{"RecordsExpire", recordsExpire},
		{"RecordsOneWins", recordsOneWins},
		{"Signals", signals},
		{"SignalsAll", signalsAll},
		{"Cancelled", cancelled},
		{"Closed", closed},
	}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) { p.test(t, open(t)) })
	}
}

// until polls, and fails when it takes too long.
func until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !happened() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: did not happen within %v", what, patience)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

// everything calls each operation once and returns the errors by its name.
func everything(ctx context.Context, s grapnel.Store) map[string]error {
	out := map[string]error{}
	_, out["Session"] = s.Session(ctx, "a")
	out["PutSession"] = s.PutSession(ctx, "a", &grapnel.Session{}, 0)
	out["EditSession"] = s.EditSession(ctx, "a", func(*grapnel.Session) {})
	out["DeleteSession"] = s.DeleteSession(ctx, "a")
	_, out["SessionIDs"] = s.SessionIDs(ctx, "")
	_, out["Take"] = s.Take(ctx, "a", 1, time.Second)
	_, out["Spend"] = s.Spend(ctx, "a", 1, time.Second)
	_, out["Usage"] = s.Usage(ctx, "a")
	out["Forget"] = s.Forget(ctx, "a")
	_, out["Documents"] = s.Documents(ctx, "apis")
	out["PutDocument"] = s.PutDocument(ctx, "apis", "a", []byte("{}"))
	out["DeleteDocument"] = s.DeleteDocument(ctx, "apis", "a")
	_, out["Record"] = s.Record(ctx, "a")
	out["SwapRecord"] = s.SwapRecord(ctx, "a", nil, []byte("{}"), 0)
	_, out["Records"] = s.Records(ctx, "")
	out["Publish"] = s.Publish(ctx, grapnel.Signal{Kind: grapnel.SignalReload})
	out["Subscribe"] = s.Subscribe(ctx, func(grapnel.Signal) {})
	out["Ping"] = s.Ping(ctx)
	return out
}

// cancelled: what nobody waits for any more is not begun, and says why.
func cancelled(t *testing.T, s grapnel.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for op, err := range everything(ctx, s) {
		wantError(t, op, err, context.Canceled)
		wantError(t, op, err, grapnel.ErrUnavailable)
	}
	must(t, s.Ping(t.Context()))
	if ids, err := s.SessionIDs(t.Context(), ""); err != nil || len(ids) != 0 {
		t.Errorf("a cancelled write left %v, %v", ids, err)
	}
}

// closed: after Close everything is unavailable, and closing again is nothing.
func closed(t *testing.T, s grapnel.Store) {
	must(t, s.Subscribe(t.Context(), func(grapnel.Signal) {}))
	must(t, s.PutSession(t.Context(), "a", &grapnel.Session{}, 0))
	must(t, s.Close())
	for op, err := range everything(t.Context(), s) {
		wantError(t, op, err, grapnel.ErrUnavailable)
	}
	must(t, s.Close())
}

// catalog: documents are kept by kind and id, byte by byte.
func catalog(t *testing.T, s grapnel.Store) {
	ctx := t.Context()
	all, err := s.Documents(ctx, "apis")
	must(t, err)
	if len(all) != 0 {
		t.Errorf("an empty store has %v", all)
	}
	document := []byte("{\"id\": 1}\x00\xff")
	must(t, s.PutDocument(ctx, "apis", "a", document))
	must(t, s.PutDocument(ctx, "apis", "b", nil))
	must(t, s.PutDocument(ctx, "policies", "a", []byte("policy")))
	document[0] = 'x'
	all, err = s.Documents(ctx, "apis")
	must(t, err)
	if len(all) != 2 || string(all["a"]) != "{\"id\": 1}\x00\xff" || len(all["b"]) != 0 {
		t.Errorf("documents are %q", all)
	}
	must(t, s.PutDocument(ctx, "apis", "a", []byte("new")))
	must(t, s.DeleteDocument(ctx, "apis", "b"))
	wantError(t, "deleting again", s.DeleteDocument(ctx, "apis", "b"), grapnel.ErrNotFound)
	wantError(t, "deleting of another kind", s.DeleteDocument(ctx, "none", "a"), grapnel.ErrNotFound)
	all, err = s.Documents(ctx, "apis")
	must(t, err)
	if len(all) != 1 || string(all["a"]) != "new" {
		t.Errorf("documents are %q", all)
	}
}
