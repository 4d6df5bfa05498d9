package fleet

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// The members of a fleet are its endpoints, and what is held against each.
type members struct {
	health grapnel.Health
	slow   time.Duration // how long an endpoint is being started
	log    *slog.Logger
	ctx    context.Context // the fleet's life

	roster atomic.Pointer[roster]
	mu     sync.Mutex    // guards the standings of endpoints, and is held to replace the roster
	wake   chan struct{} // the keeper has something new to wait for
	stale  chan struct{} // the addresses should be looked up again
}

// A roster says who can be asked. It never changes.
type roster struct {
	all     []*endpoint
	usable  []*endpoint // who is asked: those that work, or when there are none, all
	ramping bool        // some of them are being started
}

// The pause before an endpoint that cannot be reached is tried again grows from
// the first of these to the second.
const (
	leastBackoff = 100 * time.Millisecond
	mostBackoff  = 5 * time.Second
)

// lost notes that an endpoint cannot be reached.
func (m *members) lost(e *endpoint, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.down || m.ctx.Err() != nil {
		return
	}
	if e.backoff == 0 {
		m.log.Warn("plugin endpoint lost", "endpoint", e.place.target, "error", err)
	}
	now := time.Now()
	e.down, e.backoff = true, min(max(2*e.backoff, leastBackoff), mostBackoff)
	e.retryAt = now.Add(jitter(e.backoff))
	m.changed(now)
	poke(e.check)
}

// reached notes that an endpoint answers.
func (m *members) reached(e *endpoint) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.backoff == 0 {
		return
	}
	m.log.Info("plugin endpoint is back", "endpoint", e.place.target)
	e.down, e.backoff = false, 0
	m.changed(time.Now())
}

// declared notes what an endpoint says of itself.
func (m *members) declared(e *endpoint, serves bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.refuses != serves {
		return
	}
	m.log.Info("plugin endpoint says whether it serves", "endpoint", e.place.target, "serves", serves)
	e.refuses = !serves
	m.changed(time.Now())
}

// The time of an ejection grows with each one up to so many times the first, and
// starts over when there was none for as long.
const longestEjection = 10

// eject keeps an endpoint from being asked for a while, unless it is the last one
// or too many are ejected already.
func (m *members) eject(e *endpoint, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if now.Before(e.out) || m.ctx.Err() != nil {
		return
	}
	h, all := m.health, m.roster.Load().all
	ejected, others := 0, 0
	for _, o := range all {
		switch {
		case now.Before(o.out):
			ejected++
		case o != e && !o.passed:
			others++
		}
	}
	allowed := max(int(float64(h.MaxEjected)*float64(len(all))/100), 1)
	if others == 0 || h.MaxEjected == 0 || ejected >= allowed {
		return
	}
	unit := time.Duration(h.Eject)
	if now.Sub(e.out) > longestEjection*unit {
		e.ejected = 0
	}
	e.ejected = min(e.ejected+1, longestEjection)
	e.out = now.Add(time.Duration(e.ejected) * unit)
	m.log.Warn("plugin endpoint ejected", "endpoint", e.place.target, "for", e.out.Sub(now), "error", err)
	m.changed(now)
}

// changed makes the roster anew, and has the keeper look at what is to come.
func (m *members) changed(now time.Time) {
	m.publish(m.roster.Load().all, now)
	poke(m.wake)
}

// publish makes the roster of these endpoints. When none is usable all are asked:
// what is known of them may be wrong or old, and there is nothing to lose.
func (m *members) publish(all []*endpoint, now time.Time) {
	r := &roster{all: all}
	for _, e := range all {
		was := e.passed
		if e.passed = e.refuses || e.down || now.Before(e.out); e.passed {
			continue
		}
		if was {
			e.ramp(now, m.slow)
		}
		r.usable = append(r.usable, e)
		r.ramping = r.ramping || e.back.Load() != 0
	}
	if len(r.usable) == 0 {
		r.usable = all
		poke(m.stale)
	}
	m.roster.Store(r)
}

// idleAfter is how long a connection carries nothing before it is closed, unless
// it is the only one.
const idleAfter = time.Minute

// keep does what is due: it gives endpoints back that were ejected or lost, ends
// slow starts and closes connections that nobody needs.
func (m *members) keep() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	looked := time.Now()
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-timer.C:
		case <-m.wake:
		}
		now := time.Now()
		if now.Sub(looked) >= idleAfter {
			looked = now
			for _, e := range m.roster.Load().all {
				e.shrink()
			}
		}
		timer.Reset(max(min(m.settle(now), idleAfter), time.Millisecond))
	}
}

// settle ends what is over, and returns when there will be more to end.
func (m *members) settle(now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := now.Add(idleAfter)
	due := func(at time.Time) bool {
		if now.Before(at) && at.Before(next) {
			next = at
		}
		return !now.Before(at)
	}
	all := m.roster.Load().all
	for _, e := range all {
		due(e.out)
		if e.down && m.health.Interval == 0 && due(e.retryAt) {
			e.down = false // a call will show
		}
		if back := e.back.Load(); back != 0 && due(time.Unix(0, back).Add(m.slow)) {
			e.back.Store(0)
		}
	}
	m.publish(all, now)
	return next.Sub(now)
}

// jitter is about as long, so that not everybody does the same at once.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}

// note keeps account of what the end of a call says of its endpoint.
func (m *members) note(e *endpoint, o outcome) {
	e.calls.Add(1)
	if o.err != nil && o.says != Nothing {
		e.failures.Add(1)
	}
	switch {
	case o.says == Answer && e.outages.Load() != 0:
		e.outages.Store(0)
		m.reached(e)
	case o.says == Outage:
		n := e.outages.Add(1)
		if rpc.Unsent(o.err) {
			m.lost(e, o.err)
		} else if limit := m.health.Failures; limit > 0 && n >= int64(limit) {
			m.eject(e, o.err)
		}
	}
}

// poke leaves a signal, unless there is one already.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
