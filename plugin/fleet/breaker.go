package fleet

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// A breaker stops calls after so many outages in a row. While it is open none is
// made; then it is half open, and lets probes through: if all of them get an
// answer it closes, and the first that does not opens it again.
type breaker struct {
	limit  int64 // outages in a row that open it; 0 is never
	pause  time.Duration
	probes int
	log    *slog.Logger

	outages atomic.Int64
	tripped atomic.Bool // open or half open: everyone has to ask

	mu        sync.Mutex
	until     time.Time // it is open until then
	under     int       // probes under way
	succeeded int
}

func newBreaker(b grapnel.Breaker, log *slog.Logger) *breaker {
	return &breaker{limit: int64(b.Failures), pause: time.Duration(b.Open), probes: max(b.Probes, 1), log: log}
}

// allow says whether a call may be made, and whether it is a probe. Who may make
// one says afterwards what came of it, by settle.
func (b *breaker) allow() (probe bool, err error) {
	if !b.tripped.Load() {
		return false, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.tripped.Load() {
		return false, nil
	}
	now := time.Now()
	switch {
	case now.Before(b.until):
		return false, refusal("the breaker is open: the server only fails", b.until.Sub(now))
	case b.under+b.succeeded >= b.probes:
		return false, refusal("the breaker is half open: probes are under way", time.Second)
	}
	b.under++
	return true, nil
}

// settle takes what came of a call. Those that began before the breaker opened
// have no say in whether it closes.
func (b *breaker) settle(probe bool, v Verdict) {
	switch {
	case b.limit == 0:
	case probe:
		b.settleProbe(v)
	case v == Answer && b.outages.Load() != 0:
		b.outages.Store(0)
	case v == Outage && b.outages.Add(1) == b.limit:
		b.mu.Lock()
		defer b.mu.Unlock()
		if !b.tripped.Load() {
			b.trip()
		}
	}
}

func (b *breaker) settleProbe(v Verdict) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.under = max(b.under-1, 0)
	switch {
	case !b.tripped.Load() || time.Now().Before(b.until): // decided by another one
	case v == Outage:
		b.trip()
	case v == Answer:
		if b.succeeded++; b.succeeded >= b.probes {
			b.outages.Store(0)
			b.tripped.Store(false)
			b.log.Info("the breaker is closed: the plugin server answers again")
		}
	}
}

func (b *breaker) trip() {
	b.until, b.under, b.succeeded = time.Now().Add(b.pause), 0, 0
	b.tripped.Store(true)
	b.log.Warn("the breaker is open: calls of the plugin server only fail", "for", b.pause)
}

// state is its name in reports.
func (b *breaker) state() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.tripped.Load():
		return "closed"
	case time.Now().Before(b.until):
		return "open"
	}
	return "half_open"
}
