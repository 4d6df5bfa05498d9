package store

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	shards = 64
	// grains is into how many parts a window is divided at most. Events that
	// are closer together than that are remembered as one grain.
	grains = 128
)

// A limiter counts events against rates, for one process. It is exact: never
// more than limit events in any window. What it may refuse too much is small: an
// event is remembered for the window and at most one grain, 1/128 of it.
type limiter struct {
	seed   maphash.Seed
	start  time.Time // times are spans since then, on the monotonic clock
	shards [shards]struct {
		sync.Mutex
		windows map[string]*window
	}
}

func newLimiter() *limiter {
	l := &limiter{seed: maphash.MakeSeed(), start: time.Now()}
	for i := range l.shards {
		l.shards[i].windows = map[string]*window{}
	}
	return l
}

// take counts an event now, or returns how long to wait for room.
func (l *limiter) take(key string, limit int, per time.Duration) time.Duration {
	s := &l.shards[maphash.String(l.seed, key)%shards]
	s.Lock()
	defer s.Unlock()
	w := s.windows[key]
	if w == nil {
		w = &window{}
		s.windows[key] = w
	}
	return w.take(time.Since(l.start), limit, per)
}

func (l *limiter) forget(key string) {
	s := &l.shards[maphash.String(l.seed, key)%shards]
	s.Lock()
	defer s.Unlock()
	delete(s.windows, key)
}

// sweep drops the windows in which nothing counts any more.
func (l *limiter) sweep() {
	for i := range l.shards {
		s := &l.shards[i]
		s.Lock()
		now := time.Since(l.start)
		for key, w := range s.windows {
			if w.idle(now) {
				delete(s.windows, key)
			}
		}
		s.Unlock()
	}
}

// A grain is events that happened within a window's 128th part.
type grain struct {
	first, last time.Duration
	events      int
}

// A window remembers the events of a key that still count, oldest first. There
// are never more than grains+2 of them for one span.
type window struct {
	per    time.Duration
	events int
	grains []grain
}

// take counts an event at now, which never goes back.
func (w *window) take(now time.Duration, limit int, per time.Duration) time.Duration {
	if per <= 0 {
		return 0
	}
	w.per = per
	w.expire(now)
	if w.events >= limit {
		return w.wait(now, limit)
	}
	w.events++
	if n := len(w.grains); n > 0 && now-w.grains[n-1].first < per/grains {
		w.grains[n-1].last = now
		w.grains[n-1].events++
		return 0
	}
	w.grains = append(w.grains, grain{first: now, last: now, events: 1})
	return 0
}

// expire forgets the grains whose last event has left the window.
func (w *window) expire(now time.Duration) {
	n := 0
	for n < len(w.grains) && w.grains[n].last+w.per <= now {
		w.events -= w.grains[n].events
		n++
	}
	if n > 0 {
		w.grains = append(w.grains[:0], w.grains[n:]...)
	}
}

// wait is how long it takes until so many grains have left that there is room.
func (w *window) wait(now time.Duration, limit int) time.Duration {
	left := w.events
	for _, g := range w.grains {
		if left -= g.events; left < limit {
			return g.last + w.per - now
		}
	}
	return w.per // a limit of 0 never has room
}

func (w *window) idle(now time.Duration) bool {
	w.expire(now)
	return len(w.grains) == 0
}
