package fleet

import (
	"context"
	"time"
)

// How often names are looked up: every so often, and when no endpoint works at
// once, but with that much between.
const (
	lookUpEvery = 5 * time.Second
	lookUpPause = 250 * time.Millisecond
)

// follow keeps the fleet as the DNS has it.
func (f *Fleet) follow() {
	failing := false
	for first := true; ; first = false {
		found, err := f.places.find(f.ctx)
		if f.ctx.Err() != nil {
			return
		}
		if err != nil && !failing {
			f.log.Warn("plugin server not found; what is known of it stays", "error", err)
		}
		failing = err != nil
		if err := f.muster(found, time.Now()); err != nil {
			f.log.Error("plugin endpoint not used", "error", err)
		}
		if first {
			close(f.known)
		}
		if !pause(f.ctx, lookUpPause, nil) || !pause(f.ctx, jitter(lookUpEvery)-lookUpPause, f.stale) {
			return
		}
	}
}

// pause waits for as long, or for the signal. It returns false when the context
// ends.
func pause(ctx context.Context, d time.Duration, until <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-until:
	case <-ctx.Done():
		return false
	}
	return true
}
