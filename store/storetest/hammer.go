package storetest

import (
	"slices"
	"sort"
	"sync"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// An event happened between the two moments.
type event struct{ from, to time.Time }

// Hammer takes from the stores, with eight callers each and as often as they
// can, and checks every answer: no window of per has more events than the limit,
// and none is refused while the last window and one percent had fewer. It
// returns how many events got through and how many did not.
func Hammer(t *testing.T, stores []grapnel.Store, key string, limit int, per, run time.Duration) (through, refused int) {
	t.Helper()
	var mu sync.Mutex
	var yes, no []event
	var all sync.WaitGroup
	begun := time.Now()
	for _, s := range stores {
		for range 8 {
			all.Go(func() {
				for time.Since(begun) < run {
					from := time.Now()
					wait, err := s.Take(t.Context(), key, limit, per)
					e := event{from, time.Now()}
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if wait == 0 {
						yes = append(yes, e)
					} else {
						no = append(no, e)
					}
					mu.Unlock()
				}
			})
		}
	}
	all.Wait()
	if n := over(yes, limit, per); n > 0 {
		t.Errorf("%d times more than %d events in %v", n, limit, per)
	}
	if n := under(yes, no, limit, per+per/100); n > 0 {
		t.Errorf("%d of %d refusals without %d events in the last %v and 1 %%", n, len(no), limit, per)
	}
	return len(yes), len(no)
}

// over returns how often limit+1 consecutive events happened for certain within
// less than per.
func over(events []event, limit int, per time.Duration) int {
	slices.SortFunc(events, func(a, b event) int { return a.from.Compare(b.from) })
	breaches := 0
	var latest []int // of the group, those that no later one outlasts
	for i, e := range events {
		for len(latest) > 0 && !events[latest[len(latest)-1]].to.After(e.to) {
			latest = latest[:len(latest)-1]
		}
		latest = append(latest, i)
		first := i - limit
		if first < 0 {
			continue
		}
		if latest[0] < first {
			latest = latest[1:]
		}
		if events[latest[0]].to.Sub(events[first].from) < per {
			breaches++
		}
	}
	return breaches
}

// under returns how many refusals had for certain fewer than limit events in the
// span before.
func under(events, refusals []event, limit int, span time.Duration) int {
	begun, ended := make([]time.Time, len(events)), make([]time.Time, len(events))
	for i, e := range events {
		begun[i], ended[i] = e.from, e.to
	}
	slices.SortFunc(begun, time.Time.Compare)
	slices.SortFunc(ended, time.Time.Compare)
	wrong := 0
	for _, r := range refusals {
		before := sort.Search(len(begun), func(i int) bool { return begun[i].After(r.to) })
		gone := sort.Search(len(ended), func(i int) bool { return !ended[i].Before(r.from.Add(-span)) })
		if before-gone < limit {
			wrong++
		}
	}
	return wrong
}
