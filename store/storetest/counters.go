package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// takeLimits: so many events and no more, for each key by itself; who waits as
// long as told finds room.
func takeLimits(t *testing.T, s grapnel.Store) {
	ctx := t.Context()
	const per = 300 * time.Millisecond
	begun := time.Now()
	for i := range 3 {
		if wait, err := s.Take(ctx, "a", 3, per); err != nil || wait != 0 {
			t.Fatalf("event %d: wait %v, %v", i+1, wait, err)
		}
	}
	wait, err := s.Take(ctx, "a", 3, per)
	must(t, err)
	if time.Since(begun) < per && (wait <= 0 || wait > per) {
		t.Errorf("the fourth event: wait %v, want up to %v", wait, per)
	}
	if wait, err := s.Take(ctx, "b", 3, per); err != nil || wait != 0 {
		t.Errorf("another key: wait %v, %v", wait, err)
	}
	time.Sleep(wait)
	until(t, "room after the wait", func() bool {
		again, err := s.Take(ctx, "a", 3, per)
		must(t, err)
		return again == 0
	})
	if e := time.Since(begun); e < per {
		t.Errorf("four events within %v, less than %v", e, per)
	}
	if wait, err := s.Take(ctx, "none", 0, per); err != nil || wait <= 0 {
		t.Errorf("a limit of 0: wait %v, %v", wait, err)
	}
}

// takeNeverOver: under load from many callers no window has more events than
// the limit, and hardly fewer.
func takeNeverOver(t *testing.T, s grapnel.Store) {
	through, refused := Hammer(t, []grapnel.Store{s}, "key", 50, 100*time.Millisecond, time.Second)
	if through == 0 || refused == 0 {
		t.Errorf("%d events got through and %d did not: the test shows nothing", through, refused)
	}
}

// spendExact: of many concurrent callers exactly as many as the quota has get
// through, each with a number of its own [S-36].
func spendExact(t *testing.T, s grapnel.Store) {
	ctx := t.Context()
	const quota, callers, each = 500, 64, 12
	var through, refused atomic.Int64
	var mu sync.Mutex
	seen := map[int64]bool{}
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range each {
				u, err := s.Spend(ctx, "q", quota, time.Hour)
				if err != nil {
					t.Error(err)
					return
				}
				if u.Used > quota {
					refused.Add(1)
					continue
				}
				through.Add(1)
				mu.Lock()
				if seen[u.Used] {
					t.Errorf("number %d was given out twice", u.Used)
				}
				seen[u.Used] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if through.Load() != quota || refused.Load() != callers*each-quota {
		t.Errorf("%d got through and %d did not, want %d and %d", through.Load(), refused.Load(), quota, callers*each-quota)
	}
	u, err := s.Usage(ctx, "q")
	must(t, err)
	left := time.Until(u.Renews)
	if u.Used != quota || left > time.Hour || left < time.Hour-time.Minute {
		t.Errorf("usage is %d and renews in %v", u.Used, left)
	}
}

// spendRenews: the period begins with the first use, and is not moved by later
// ones.
func spendRenews(t *testing.T, s grapnel.Store) {
	ctx := t.Context()
	const period = 300 * time.Millisecond
	begun := time.Now()
	first, err := s.Spend(ctx, "q", 2, period)
	must(t, err)
	second, err := s.Spend(ctx, "q", 2, period)
	must(t, err)
	if d := second.Renews.Sub(first.Renews).Abs(); time.Since(begun) < period && (first.Used != 1 || second.Used != 2 || d > 50*time.Millisecond) {
		t.Errorf("first %+v, second %+v", first, second)
	}
	until(t, "the quota renews", func() bool {
		u, err := s.Usage(ctx, "q")
		must(t, err)
		return u == grapnel.Usage{}
	})
	if e := time.Since(begun); e < period {
		t.Errorf("it was renewed after %v, before its period of %v", e, period)
	}
	if u, err := s.Spend(ctx, "q", 2, period); err != nil || u.Used != 1 {
		t.Errorf("after the renewal: %+v, %v", u, err)
	}
}

// spendForever: a period of 0 never renews, until one is given.
func spendForever(t *testing.T, s grapnel.Store) {
	ctx := t.Context()
	for want := range int64(2) {
		u, err := s.Spend(ctx, "q", 2, 0)
		must(t, err)
		if u.Used != want+1 || !u.Renews.IsZero() {
			t.Errorf("use %d: %+v", want+1, u)
		}
	}
	for range 3 {
		u, err := s.Spend(ctx, "q", 2, 0)
		must(t, err)
		if u.Used <= 2 {
			t.Errorf("a spent quota says %+v", u)
		}
	}
	u, err := s.Usage(ctx, "q")
	must(t, err)
	if u.Used != 2 {
		t.Errorf("refusals were counted: %+v", u)
	}
	u, err = s.Spend(ctx, "q", 5, time.Hour)
	must(t, err)
	if u.Used != 3 || u.Renews.IsZero() {
		t.Errorf("with a larger quota and a period: %+v", u)
	}
	if u, err := s.Usage(ctx, "never used"); err != nil || u != (grapnel.Usage{}) {
		t.Errorf("never used: %+v, %v", u, err)
	}
}

// forget: rate and quota begin anew, those of other keys do not.
func forget(t *testing.T, s grapnel.Store) {
	ctx := t.Context()
	for _, key := range []string{"a", "b"} {
		_, err := s.Take(ctx, key, 1, time.Hour)
		must(t, err)
		_, err = s.Spend(ctx, key, 1, time.Hour)
		must(t, err)
	}
	must(t, s.Forget(ctx, "a"))
	must(t, s.Forget(ctx, "never used"))
	for key, fresh := range map[string]bool{"a": true, "b": false} {
		wait, err := s.Take(ctx, key, 1, time.Hour)
		must(t, err)
		u, err := s.Spend(ctx, key, 1, time.Hour)
		must(t, err)
		if (wait == 0) != fresh || (u.Used == 1) != fresh {
			t.Errorf("%s: wait %v, usage %+v", key, wait, u)
		}
	}
}
