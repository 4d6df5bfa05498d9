package storm

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// figures are what an event did to the requests.
type figures struct {
	sent, safe, plain int           // requests, and those of each API that failed
	rate              float64       // a second, as achieved
	busy              float64       // share of the processors' time
	before, during    time.Duration // the 99th percentile
	longest           time.Duration // of those during the event
	recovered         time.Duration // after its beginning; negative is not at all
}

// figuresOf works out the figures of an event from begin to end.
func figuresOf(all []answer, begin, end time.Duration) figures {
	f := figures{sent: len(all), safe: len(bad(all, "safe")), plain: len(bad(all, "plain"))}
	last := all[len(all)-1].due
	f.rate = float64(len(all)-1) / last.Seconds()
	calm, event := between(all, begin/2, begin), between(all, begin, end)
	f.before, f.during, f.longest = quantile(calm, 0.99), quantile(event, 0.99), quantile(event, 1)
	f.recovered = -1
	for at := begin; at+time.Second <= last; at += 100 * time.Millisecond {
		if second := between(all, at, at+time.Second); whole(second) && quantile(second, 0.99) <= 2*f.before {
			f.recovered = at - begin
			break
		}
	}
	return f
}

// between are the requests that were due from one time to another.
func between(all []answer, from, to time.Duration) []answer {
	at := func(d time.Duration) int {
		i, _ := slices.BinarySearchFunc(all, d, func(a answer, d time.Duration) int { return int(a.due - d) })
		return i
	}
	return all[at(from):at(to)]
}

// whole reports whether none failed.
func whole(all []answer) bool {
	return !slices.ContainsFunc(all, func(a answer) bool { return a.bad != "" })
}

// quantile is the time that so large a share of the requests took at most.
func quantile(all []answer, share float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	var took []time.Duration
	for _, a := range all {
		took = append(took, a.took)
	}
	slices.Sort(took)
	return took[int(share*float64(len(took)-1))]
}

// String is the rest of a row in the report.
func (f figures) String() string {
	recovered := "—"
	if f.recovered >= 0 {
		recovered = fmt.Sprintf("%.1f s", f.recovered.Seconds())
	}
	return fmt.Sprintf("%d | %.0f | %d | %d | %s | %s | %s | %s | %.0f %%",
		f.sent, f.rate, f.safe, f.plain, ms(f.before), ms(f.during), ms(f.longest), recovered, 100*f.busy)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

// record adds a row to the report, where one is wanted.
func record(t *testing.T, name string, row fmt.Stringer) {
	t.Helper()
	line := fmt.Sprintf("| %s | %s |\n", name, row)
	t.Log(line)
	if *report == "" {
		return
	}
	file, err := os.OpenFile(*report, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(line); err != nil {
		t.Fatal(err)
	}
}
