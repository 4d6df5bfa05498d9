package fleet

import (
	"math/rand/v2"
	"time"
)

// The pause before an endpoint that cannot be reached is tried again grows from
// the first of these to the second.
const (
	leastBackoff = 100 * time.Millisecond
	mostBackoff  = 5 * time.Second
)

// lost notes that an endpoint cannot be reached.
func (f *Fleet) lost(e *endpoint, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.down || f.ctx.Err() != nil {
		return
	}
	if e.backoff == 0 {
		f.log.Warn("plugin endpoint lost", "endpoint", e.place.target, "error", err)
	}
	now := time.Now()
	e.down, e.backoff = true, min(max(2*e.backoff, leastBackoff), mostBackoff)
	e.retryAt = now.Add(jitter(e.backoff))
	f.changed(now)
	poke(e.check)
}

// reached notes that an endpoint answers.
func (f *Fleet) reached(e *endpoint) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.backoff == 0 {
		return
	}
	f.log.Info("plugin endpoint is back", "endpoint", e.place.target)
	e.down, e.backoff = false, 0
	f.changed(time.Now())
}

// declared notes what an endpoint says of itself.
func (f *Fleet) declared(e *endpoint, serves bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.refuses != serves {
		return
	}
	f.log.Info("plugin endpoint says whether it serves", "endpoint", e.place.target, "serves", serves)
	e.refuses = !serves
	f.changed(time.Now())
}

// The time of an ejection grows with each one up to so many times the first, and
// starts over when there was none for as long.
const longestEjection = 10

// eject keeps an endpoint from being asked for a while, unless it is the last one
// or too many are ejected already.
func (f *Fleet) eject(e *endpoint, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if now.Before(e.out) || f.ctx.Err() != nil {
		return
	}
	h, all := f.server.Health, f.roster.Load().all
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
	f.log.Warn("plugin endpoint ejected", "endpoint", e.place.target, "for", e.out.Sub(now), "error", err)
	f.changed(now)
}

// changed makes the roster anew, and has the keeper look at what is to come.
func (f *Fleet) changed(now time.Time) {
	f.publish(f.roster.Load().all, now)
	poke(f.wake)
}

// publish makes the roster of these endpoints. When none is usable all are asked:
// what is known of them may be wrong or old, and there is nothing to lose.
func (f *Fleet) publish(all []*endpoint, now time.Time) {
	r := &roster{all: all}
	for _, e := range all {
		was := e.passed
		if e.passed = e.refuses || e.down || now.Before(e.out); e.passed {
			continue
		}
		if was {
			e.ramp(now, f.server.Balance)
		}
		r.usable = append(r.usable, e)
		r.ramping = r.ramping || e.back.Load() != 0
	}
	if len(r.usable) == 0 {
		r.usable = all
		poke(f.stale)
	}
	f.roster.Store(r)
}

// idleAfter is how long a connection carries nothing before it is closed, unless
// it is the only one.
const idleAfter = time.Minute

// keep does what is due: it gives endpoints back that were ejected or lost, ends
// slow starts and closes connections that nobody needs.
func (f *Fleet) keep() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	looked := time.Now()
	for {
		select {
		case <-f.ctx.Done():
			return
		case <-timer.C:
		case <-f.wake:
		}
		now := time.Now()
		if now.Sub(looked) >= idleAfter {
			looked = now
			for _, e := range f.roster.Load().all {
				e.shrink()
			}
		}
		timer.Reset(max(min(f.settle(now), idleAfter), time.Millisecond))
	}
}

// settle ends what is over, and returns when there will be more to end.
func (f *Fleet) settle(now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := now.Add(idleAfter)
	due := func(at time.Time) bool {
		if now.Before(at) && at.Before(next) {
			next = at
		}
		return !now.Before(at)
	}
	all := f.roster.Load().all
	for _, e := range all {
		due(e.out)
		if e.down && f.server.Health.Interval == 0 && due(e.retryAt) {
			e.down = false // a call will show
		}
		if back := e.back.Load(); back != 0 && due(time.Unix(0, back).Add(time.Duration(f.server.Balance.SlowStart))) {
			e.back.Store(0)
		}
	}
	f.publish(all, now)
	return next.Sub(now)
}

// jitter is about as long, so that not everybody does the same at once.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}
