package main

import (
	"net/http"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestFirePriority: a load at a fixed rate goes ahead of others where it may, and
// nothing of it stays with the thread.
func TestFirePriority(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	state := func() (s [2]int) {
		niceness, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
		if err != nil {
			t.Fatal(err)
		}
		slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return [2]int{niceness, slack}
	}
	before := state()
	back, allowed := goAhead()
	if during := state(); allowed != (during != before) {
		t.Errorf("allowed: %v, and %v became %v", allowed, before, during)
	}
	back()

	f := serve(t, func(http.ResponseWriter, *http.Request) {})
	f.rate, f.lasts = 100, 50*time.Millisecond
	l, err := f.run(t.Context())
	if err != nil || l.requests != 5 || l.ahead != allowed {
		t.Errorf("%+v, %v; allowed: %v", l, err, allowed)
	}
	f.rate, f.count = 0, 5
	if l, err := f.run(t.Context()); err != nil || l.ahead {
		t.Errorf("without a rate: %+v, %v", l, err)
	}
	if after := state(); after != before {
		t.Errorf("%v became %v", before, after)
	}
}

// TestWait: a wait ends when its time is over, within less than that of it. A busy
// machine can make it longer, and a signal shorter, but not always.
func TestWait(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	back, err := exact()
	if err != nil {
		t.Fatal(err)
	}
	defer back()
	poll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(poll)
	const pause = 200 * time.Microsecond
	var took []time.Duration
	for range 50 {
		begin := time.Now()
		if n, err := wait(poll, make([]unix.EpollEvent, 1), pause); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		took = append(took, time.Since(begin))
	}
	if !slices.ContainsFunc(took, func(d time.Duration) bool { return d >= pause && d < 2*pause }) {
		t.Errorf("waits of %v took %v", pause, took)
	}
	if _, err := wait(-1, make([]unix.EpollEvent, 1), pause); err != unix.EBADF {
		t.Errorf("waiting for nothing that is open: %v", err)
	}
}
