package storm

import (
	"fmt"
	"os"
	"runtime/debug"
	"testing"
	"time"
)

// What a machine is doing that was to be left alone for a report: so much at most
// before an event, and with it.
const (
	idle  = 0.5
	laden = 0.97
)

// A clock is how the processors have spent their time, in ticks.
type clock struct{ busy, all int }

func readClock(t *testing.T) (c clock) {
	t.Helper()
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	var ticks [8]int // user, nice, system, idle, iowait, irq, softirq, steal
	var name string
	if _, err := fmt.Sscan(string(text), &name, &ticks[0], &ticks[1], &ticks[2], &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7]); err != nil {
		t.Fatalf("/proc/stat: %v", err)
	}
	for i, n := range ticks {
		if c.all += n; i != 3 && i != 4 {
			c.busy += n
		}
	}
	return c
}

// share is how much of the processors' time was used since.
func (c clock) share(t *testing.T) float64 {
	t.Helper()
	now := readClock(t)
	return float64(now.busy-c.busy) / float64(max(now.all-c.all, 1))
}

// uncollected keeps this process, which makes the load and is the upstream, from
// collecting garbage until the test ends: it keeps every answer, and would stand
// still for longer than the gateway that it measures.
func uncollected(t *testing.T) {
	t.Helper()
	const most = 6 << 30 // of memory; then it collects all the same
	percent, limit := debug.SetGCPercent(-1), debug.SetMemoryLimit(most)
	t.Cleanup(func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	})
}

// quiet waits until the machine has little else to do, for up to ten minutes.
func quiet(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); {
		c := readClock(t)
		time.Sleep(2 * time.Second)
		if c.share(t) < idle {
			return
		}
	}
}
