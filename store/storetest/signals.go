package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// Listen returns a channel of what the store's signals say from now on.
func Listen(ctx context.Context, t *testing.T, s grapnel.Signals) <-chan grapnel.Signal {
	t.Helper()
	heard := make(chan grapnel.Signal, 10_000)
	must(t, s.Subscribe(ctx, func(s grapnel.Signal) { heard <- s }))
	return heard
}

// Hear waits for the next signal.
func Hear(t *testing.T, heard <-chan grapnel.Signal) grapnel.Signal {
	t.Helper()
	select {
	case s := <-heard:
		return s
	case <-time.After(patience):
		t.Fatal("no signal was heard")
		return grapnel.Signal{}
	}
}

// signals: everybody who listens hears, the sender too, and nobody after their
// context has ended.
func signals(t *testing.T, s grapnel.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	one, two := Listen(ctx, t, s), Listen(t.Context(), t, s)
	must(t, s.Publish(t.Context(), grapnel.Signal{Kind: grapnel.SignalSessions, IDs: []string{"a", "b"}}))
	for _, heard := range []<-chan grapnel.Signal{one, two} {
		got := Hear(t, heard)
		if got.Kind != grapnel.SignalSessions || !slices.Equal(got.IDs, []string{"a", "b"}) {
			t.Errorf("heard %+v", got)
		}
	}
	cancel()
	// The end of a context is noticed in the background.
	until(t, "the listener goes", func() bool {
		must(t, s.Publish(t.Context(), grapnel.Signal{Kind: grapnel.SignalReload}))
		if got := Hear(t, two); got.Kind != grapnel.SignalReload {
			t.Errorf("heard %+v", got)
		}
		select {
		case <-one:
			return false
		case <-time.After(20 * time.Millisecond):
			return true
		}
	})
}

// signalsAll: every signal comes, and comes once. Their order is not promised.
func signalsAll(t *testing.T, s grapnel.Store) {
	heard := Listen(t.Context(), t, s)
	const many = 200
	for i := range many {
		must(t, s.Publish(t.Context(), grapnel.Signal{Kind: grapnel.SignalSessions, IDs: []string{fmt.Sprint(i)}}))
	}
	seen := map[string]bool{}
	for range many {
		got := Hear(t, heard)
		if len(got.IDs) != 1 || seen[got.IDs[0]] {
			t.Fatalf("heard %+v after %d others", got, len(seen))
		}
		seen[got.IDs[0]] = true
	}
}
