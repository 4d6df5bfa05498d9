package main

import (
	"context"
	"runtime"
	"testing"
	"time"
)

func TestPercent(t *testing.T) {
	for live, want := range map[uint64]int{
		0: 6400, 1 << 20: 6400, 8 << 20: 800, 64 << 20: 100, 1 << 30: 100,
	} {
		if got := percent(live); got != want {
			t.Errorf("%d live bytes: %d%%, want %d%%", live, got, want)
		}
	}
}

// It is called after each collection, not just the first.
func TestAfterCollection(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	called := make(chan struct{}, 100)
	afterCollection(ctx, func() { called <- struct{}{} })
	for range 3 {
		collectUntil(t, called)
	}
	cancel()
}

func collectUntil(t *testing.T, called <-chan struct{}) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		runtime.GC()
		select {
		case <-called:
			return
		case <-time.After(time.Millisecond):
		}
	}
	t.Fatal("not called after a collection")
}
