package fleet

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/store/storetest"
)

// A shot is a request that passed, and when it did: somewhere between.
type shot struct{ begin, end time.Time }

// hammer asks for a path as often as it can until more says no, by several
// clients of each gateway. It returns what passed and the number of requests;
// any other refusal than the given one fails the test.
func hammer(t *testing.T, gateways []*gateway, path, key string, refusal int, more func() bool) (passed []shot, sent int64) {
	t.Helper()
	const clients = 8
	var (
		mu    sync.Mutex
		count atomic.Int64
		done  sync.WaitGroup
	)
	for _, g := range gateways {
		for range clients {
			done.Go(func() {
				for more() {
					begin := time.Now()
					r, err := g.try(path, key)
					count.Add(1)
					switch {
					case err != nil || r.status != http.StatusOK && r.status != refusal:
						t.Errorf("%d %s (%v), want 200 or %d", r.status, r.body, err, refusal)
						return
					case r.status == http.StatusOK:
						mu.Lock()
						passed = append(passed, shot{begin, time.Now()})
						mu.Unlock()
					}
				}
			})
		}
	}
	done.Wait()
	return passed, count.Load()
}

// most is how many requests passed, beyond doubt, in one window of the width.
func most(passed []shot, width time.Duration) int {
	slices.SortFunc(passed, func(a, b shot) int { return a.begin.Compare(b.begin) })
	found := 0
	for i, first := range passed {
		n, end := 0, first.begin.Add(width)
		for _, s := range passed[i:] {
			if s.begin.After(end) {
				break
			}
			if s.end.Before(end) {
				n++
			}
		}
		found = max(found, n)
	}
	return found
}

// TestRateOfTwoGateways: two gateways on one Redis let through what one would:
// never more than the rate in any window, and hardly less [S-30].
func TestRateOfTwoGateways(t *testing.T) {
	const (
		rate = 400
		per  = time.Second
		full = 3 // whole windows
	)
	s := newSite(t, storetest.Redis(t).URL(), api("rated", tokenAuth()))
	gateways := []*gateway{s.start(t), s.start(t)}
	key := gateways[0].createKey(t, object{"rate": rate, "per": per.Seconds(), "access_rights": rights("rated")})

	begin := time.Now()
	passed, sent := hammer(t, gateways, "/rated/", key, http.StatusTooManyRequests, func() bool {
		return time.Since(begin) < full*per-per/4
	})
	load := float64(sent) / time.Since(begin).Seconds()
	t.Logf("%.0f requests/s; %d passed", load, len(passed))

	if n := most(passed, per); n > rate {
		t.Errorf("%d requests passed within %v, the rate is %d", n, per, rate)
	}
	if len(passed) > full*rate {
		t.Errorf("%d requests passed in less than %v, want at most %d", len(passed), full*per, full*rate)
	}
	if load < 2*rate { // the last window may not be full yet
		t.Logf("the machine is too slow for a figure of what is refused too much")
	} else if least := full * rate * 99 / 100; len(passed) < least {
		t.Errorf("%d requests passed, want at least %d: 99 %%", len(passed), least)
	}
}

// TestQuotaOfTwoGateways: a quota is spent exactly once, whatever gateway is asked,
// and one that is restarted knows what was spent [S-36].
func TestQuotaOfTwoGateways(t *testing.T) {
	const quota = 600
	s := newSite(t, storetest.Redis(t).URL(), api("counted", tokenAuth()))
	a, b := s.start(t), s.start(t)
	key := a.createKey(t, object{"quota_max": quota, "quota_renewal_rate": 3600, "access_rights": rights("counted")})

	var turns atomic.Int64
	upTo := func(n int64) func() bool {
		turns.Store(n)
		return func() bool { return turns.Add(-1) >= 0 }
	}
	first, _ := hammer(t, []*gateway{a, b}, "/counted/", key, http.StatusForbidden, upTo(quota/2))
	if len(first) != quota/2 {
		t.Errorf("%d of the first %d requests passed", len(first), quota/2)
	}
	b.Stop(t)
	b.again(t)
	if left := remaining(t, b, key); left != quota-quota/2 {
		t.Errorf("after the restart, %d of the quota remain, want %d", left, quota-quota/2)
	}
	second, _ := hammer(t, []*gateway{a, b}, "/counted/", key, http.StatusForbidden, upTo(quota))
	if all := len(first) + len(second); all != quota || s.upstream.hits.Load() != quota {
		t.Errorf("%d requests passed and %d reached the upstream, want %d", all, s.upstream.hits.Load(), quota)
	}
	if r := b.get(t, "/counted/", key); r.status != http.StatusForbidden || r.refusal() != "Quota exceeded" {
		t.Errorf("got %d %q, want 403 Quota exceeded", r.status, r.refusal())
	}
}

// remaining is what the control API says is left of a key's quota.
func remaining(t *testing.T, g *gateway, key string) int64 {
	t.Helper()
	var session struct {
		QuotaRemaining int64 `json:"quota_remaining"`
	}
	decode(t, g.command(t, http.MethodGet, keyPath(key), nil), &session)
	return session.QuotaRemaining
}
