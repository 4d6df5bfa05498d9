package store

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/grapnel-gateway/grapnel"
)

// TestWindowNeverOver: against a log of every event, no window ever has more
// than the limit, memory stays bounded, and nothing is refused that an event's
// life of one window and one grain would allow.
func TestWindowNeverOver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 400).Draw(t, "limit")
		per := time.Duration(rapid.IntRange(1, 5000).Draw(t, "per µs")) * time.Microsecond
		pace := rapid.SampledFrom([]time.Duration{1, per / 2000, per / 300, per / 50, per / 5}).Draw(t, "pace")
		steps := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		w, now, taken := &window{}, time.Duration(0), []time.Duration{}
		for range 3000 {
			now += time.Duration(steps.ExpFloat64() * float64(pace))
			wait := w.take(now, limit, per)
			within := func(span time.Duration) (n int) {
				for i := len(taken) - 1; i >= 0 && taken[i]+span > now; i-- {
					n++
				}
				return n
			}
			switch {
			case wait == 0 && within(per) >= limit:
				t.Fatalf("at %v an event was let through although %d were in the last %v", now, limit, per)
			case wait != 0 && within(per+per/grains) < limit:
				t.Fatalf("at %v an event was refused with only %d in the last %v and a grain", now, within(per+per/grains), per)
			case wait == 0:
				taken = append(taken, now)
			case wait < 0 || wait > per+per/grains:
				t.Fatalf("a wait of %v in a window of %v", wait, per)
			}
			// A window of few nanoseconds has fewer grains than 128; its
			// parts are rounded down, so there may be up to twice as many.
			if len(w.grains) > 2*grains+2 {
				t.Fatalf("%d grains are remembered", len(w.grains))
			}
		}
	})
}

// TestWindowWait: whoever comes back after the wait finds room, and a moment
// before does not.
func TestWindowWait(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit, per := rapid.IntRange(1, 200).Draw(t, "limit"), time.Second
		w, now := &window{}, time.Duration(0)
		for {
			now += time.Duration(rapid.IntRange(0, 20_000).Draw(t, "step µs")) * time.Microsecond
			wait := w.take(now, limit, per)
			if wait == 0 {
				continue
			}
			if w.take(now+wait-1, limit, per) == 0 {
				t.Fatalf("there was room before the wait of %v was over", wait)
			}
			if again := w.take(now+wait, limit, per); again != 0 {
				t.Fatalf("after a wait of %v: wait %v", wait, again)
			}
			return
		}
	})
}

// TestWindowSparse: events that are far apart are counted exactly: one more is
// let through in the very moment in which the first leaves.
func TestWindowSparse(t *testing.T) {
	w := &window{}
	for i := range time.Duration(10_000) {
		if wait := w.take(i*200*time.Millisecond, 5, time.Second); wait != 0 {
			t.Fatalf("event %d of five a second: wait %v", i, wait)
		}
	}
}

// TestWindowSaturated: under a load far beyond the limit less than 1 % of it is
// lost.
func TestWindowSaturated(t *testing.T) {
	const limit, seconds = 10_000, 60
	w, taken := &window{}, 0
	for now := time.Duration(0); now < seconds*time.Second; now += 30 * time.Microsecond {
		if w.take(now, limit, time.Second) == 0 {
			taken++
		}
	}
	if taken > limit*seconds || taken < limit*seconds*99/100 {
		t.Errorf("%d events in %d s at %d a second", taken, seconds, limit)
	}
}

// TestMemoryIsSwept: expired sessions leave the memory.
func TestMemoryIsSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory().(*memory)
		for id, ttl := range map[string]time.Duration{"short": time.Minute, "kept": 0} {
			if err := m.PutSession(t.Context(), id, &grapnel.Session{}, ttl); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute + 2*sweepEvery)
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		left := 0
		for i := range m.shards {
			left += len(m.shards[i].sessions)
		}
		if left != 1 {
			t.Errorf("%d sessions are left, want 1", left)
		}
	})
}

// TestIdleIsDropped: keys that nobody uses cost nothing.
func TestIdleIsDropped(t *testing.T) {
	l, q := newLimiter(), newQuotas(func(string, quota) error { return nil })
	for i := range 1000 {
		key := string(rune('a' + i))
		l.take(key, 1, time.Nanosecond)
		if _, err := q.spend(key, 1, time.Nanosecond); err != nil {
			t.Fatal(err)
		}
	}
	l.take("kept", 1, time.Hour)
	time.Sleep(time.Millisecond)
	l.sweep()
	q.sweep(time.Now())
	windows, counters := 0, 0
	for i := range shards {
		windows += len(l.shards[i].windows)
		counters += len(q.shards[i].byKey)
	}
	if windows != 1 || counters != 0 {
		t.Errorf("%d windows and %d quotas are left, want 1 and 0", windows, counters)
	}
}
