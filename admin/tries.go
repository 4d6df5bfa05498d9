package admin

import (
	"maps"
	"sync"
	"time"
)

// How many wrong tries an address has, and for how long each counts.
const (
	triesAllowed = 5
	triesCount   = time.Second
)

// A verdict says what becomes of a call.
type verdict int

const (
	refused verdict = iota
	limited
	admitted
)

// tries remembers the wrong tries of the last second by address. Its memory is
// bounded by what arrives in two seconds.
type tries struct {
	mu    sync.Mutex
	wrong map[string][]time.Time
	swept time.Time
}

func newTries() *tries { return &tries{wrong: map[string][]time.Time{}} }

// judge decides about one call. An address that guesses too fast is limited
// before the answer is considered: else a fast guesser would see the right one
// pass.
func (t *tries) judge(address string, right bool, now time.Time) verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(now)
	recent := fresh(t.wrong[address], now)
	switch {
	case len(recent) >= triesAllowed:
		return limited
	case right:
		return admitted
	}
	t.wrong[address] = append(recent, now)
	return refused
}

// sweep forgets the addresses that did nothing wrong of late.
func (t *tries) sweep(now time.Time) {
	if now.Sub(t.swept) < triesCount {
		return
	}
	t.swept = now
	maps.DeleteFunc(t.wrong, func(_ string, when []time.Time) bool { return len(fresh(when, now)) == 0 })
}

// fresh are the times that still count; they are in order.
func fresh(when []time.Time, now time.Time) []time.Time {
	for len(when) > 0 && now.Sub(when[0]) >= triesCount {
		when = when[1:]
	}
	return when
}
