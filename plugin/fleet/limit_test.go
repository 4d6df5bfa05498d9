package fleet_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// overloaded is the refusal in an error, or nil.
func overloaded(err error) *rpc.Overloaded {
	o, _ := errors.AsType[*rpc.Overloaded](err)
	return o
}

// hold has a replica keep its calls until the channel is closed.
func hold(r *replica) chan struct{} {
	release := make(chan struct{})
	r.does(func(context.Context) error { <-release; return nil })
	return release
}

// begin makes calls beside the test.
func begin(f rpc.Conn, n int) <-chan error {
	done := make(chan error, n)
	for range n {
		go func() { _, err := say(context.Background(), f); done <- err }()
	}
	return done
}

// So many are under way, so many wait, and all others are turned away at once,
// with a word when to come again.
func TestLimit(t *testing.T) {
	all, targets := many(t, 1)
	s := settings(targets...)
	s.Limits = grapnel.PluginLimits{InFlight: 3, Queue: 2, Wait: grapnel.Duration(time.Hour)}
	f := open(t, s)
	release := hold(all[0])
	done := begin(f, 5)
	eventually(t, "three are under way and two wait", func() bool {
		s := f.Snapshot()
		return s.InFlight == 3 && s.Queued == 2
	})
	for range 3 {
		_, err := say(t.Context(), f)
		if o := overloaded(err); o == nil || o.RetryAfter() <= 0 || !rpc.Unsent(err) || status.Code(err) != codes.Unavailable {
			t.Fatalf("one more: %v", err)
		}
	}
	close(release)
	for range 5 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := all[0].calls.Load(); n != 5 {
		t.Errorf("%d calls arrived", n)
	}
	spread(t, f, 3)
}

// Nobody waits longer than configured, or than they want to.
func TestQueue(t *testing.T) {
	all, targets := many(t, 1)
	s := settings(targets...)
	s.Limits = grapnel.PluginLimits{InFlight: 1, Queue: 2, Wait: grapnel.Duration(20 * time.Millisecond)}
	f := open(t, s)
	release := hold(all[0])
	done := begin(f, 1)
	eventually(t, "one is under way", func() bool { return f.Snapshot().InFlight == 1 })
	if _, err := say(t.Context(), f); overloaded(err) == nil {
		t.Errorf("after the wait: %v", err)
	}
	s.Limits.Wait = grapnel.Duration(time.Hour)
	patient := open(t, s)
	more := begin(patient, 1)
	eventually(t, "one is under way", func() bool { return patient.Snapshot().InFlight == 1 })
	if _, err := say(within(20*time.Millisecond), patient); status.Code(err) != codes.DeadlineExceeded || !rpc.Unsent(err) {
		t.Errorf("after the deadline: %v", err)
	}
	waits := begin(patient, 1)
	eventually(t, "one waits", func() bool { return patient.Snapshot().Queued == 1 })
	patient.Close()
	if err := <-waits; !rpc.Unsent(err) {
		t.Errorf("after Close: %v", err)
	}
	close(release)
	<-more
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The breaker opens after outages in a row; then nothing is sent until probes
// have answers.
func TestBreaker(t *testing.T) {
	all, targets := many(t, 1)
	s := settings(targets...)
	s.Breaker = grapnel.Breaker{Failures: 3, Open: grapnel.Duration(time.Second), Probes: 2}
	f := open(t, s)
	all[0].does(func(context.Context) error { return status.Error(codes.NotFound, "") })
	for range 10 {
		say(t.Context(), f)
	}
	if got := f.Snapshot().Breaker; got != "closed" {
		t.Errorf("after answers the breaker is %s", got)
	}
	all[0].does(func(context.Context) error { return status.Error(codes.Unavailable, "") })
	for range 3 {
		if _, err := say(t.Context(), f); overloaded(err) != nil {
			t.Fatal("refused too early")
		}
	}
	n := all[0].calls.Load()
	if _, err := say(t.Context(), f); overloaded(err) == nil || all[0].calls.Load() != n {
		t.Errorf("while open: %v", err)
	}
	halfOpen := func() bool { return f.Snapshot().Breaker == "half_open" }
	eventually(t, "it is half open", halfOpen)
	if _, err := say(t.Context(), f); overloaded(err) != nil || all[0].calls.Load() != n+1 {
		t.Errorf("the first probe: %v", err)
	}
	eventually(t, "it is half open again", halfOpen)
	release := hold(all[0])
	probes := begin(f, 2)
	eventually(t, "two probes are under way", func() bool { return all[0].under.Load() == 2 })
	if _, err := say(t.Context(), f); overloaded(err) == nil {
		t.Errorf("beside the probes: %v", err)
	}
	close(release)
	for range 2 {
		if err := <-probes; err != nil {
			t.Error(err)
		}
	}
	if got := f.Snapshot().Breaker; got != "closed" {
		t.Errorf("after the probes the breaker is %s", got)
	}
	spread(t, f, 5)
}

// A probe whose client leaves is no answer; another one takes its place.
func TestProbeThatLeaves(t *testing.T) {
	all, targets := many(t, 1)
	s := settings(targets...)
	s.Breaker = grapnel.Breaker{Failures: 1, Open: grapnel.Duration(time.Millisecond), Probes: 1}
	f := open(t, s)
	all[0].does(func(context.Context) error { return status.Error(codes.Unavailable, "") })
	say(t.Context(), f)
	eventually(t, "it is half open", func() bool { return f.Snapshot().Breaker == "half_open" })
	release := hold(all[0])
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := say(ctx, f); done <- err }()
	eventually(t, "the probe is under way", func() bool { return all[0].under.Load() == 1 })
	cancel()
	<-done
	close(release)
	if got := f.Snapshot().Breaker; got != "half_open" {
		t.Errorf("the breaker is %s", got)
	}
	spread(t, f, 2)
}

// What may have been executed is sent again only when that does no harm, as often
// as the call says, and to somebody else.
func TestRetries(t *testing.T) {
	all, targets := many(t, 3)
	s := settings(targets...)
	s.Breaker.Failures, s.Health.Failures, s.RetryBudget = 0, 0, 100
	f := open(t, s)
	for _, r := range all {
		r.does(func(context.Context) error { return status.Error(codes.Unavailable, "") })
	}
	total := func() (n int64) {
		for _, r := range all {
			n += r.calls.Load()
		}
		return n
	}
	for _, c := range []struct {
		name string
		edit []func(*rpc.Call)
		want int
	}{
		{"no retries", []func(*rpc.Call){idempotent}, 1},
		{"not idempotent", []func(*rpc.Call){retries(2)}, 1},
		{"idempotent", []func(*rpc.Call){retries(2), idempotent}, 3},
	} {
		before, sent := total(), 0
		var call *rpc.Call
		_, err := say(t.Context(), f, append(c.edit, func(c *rpc.Call) { call = c })...)
		if sent = call.Sent; err == nil || sent != c.want || total()-before != int64(c.want) {
			t.Errorf("%s: sent %d times, %d arrived (%v)", c.name, sent, total()-before, err)
		}
	}
	for _, r := range all { // the last one saw each of them once
		if n := r.calls.Load(); n > 3 {
			t.Errorf("%s had %d calls", r.name, n)
		}
	}
	all[0].does(func(context.Context) error { return errors.New("an exception") })
	s.Targets = targets[:1]
	before := all[0].calls.Load()
	if _, err := say(t.Context(), open(t, s), retries(2), idempotent); err == nil || all[0].calls.Load() != before+1 {
		t.Errorf("an answer was asked for again: %v", err)
	}
}

// Retries are a share of the calls, and a few.
func TestRetryBudget(t *testing.T) {
	all, targets := many(t, 2)
	for _, r := range all {
		r.does(func(context.Context) error { return status.Error(codes.Unavailable, "") })
	}
	for budget, want := range map[grapnel.Percent][2]int{0: {0, 0}, 10: {20, 150}, 50: {100, 200}} {
		s := settings(targets...)
		s.Breaker.Failures, s.Health.Failures, s.RetryBudget = 0, 0, budget
		f := open(t, s)
		sent := 0
		begun := time.Now()
		for range 200 {
			var call *rpc.Call
			say(t.Context(), f, retries(1), idempotent, func(c *rpc.Call) { call = c })
			sent += call.Sent
		}
		// A few more a second, however long it took.
		if n := sent - 200; n < want[0] || n > want[1]+3*int(time.Since(begun).Seconds()) {
			t.Errorf("%v: %d retries of 200 calls, want from %d to %d", budget, n, want[0], want[1])
		}
	}
}

// A call that comes too late to be answered says nothing of its server, and is sent
// to no second one; one that had its fair share of time does.
func TestLateCalls(t *testing.T) {
	all, targets := many(t, 2)
	s := settings(targets...)
	s.Health.Failures, s.Breaker.Failures, s.Balance.Method = 1, 1, "round_robin"
	f := open(t, s)
	spread(t, f, 2) // both are connected
	for _, r := range all {
		r.does(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	}
	fair := func(d time.Duration) func(*rpc.Call) { return func(c *rpc.Call) { c.Fair = d } }
	for range 4 {
		if _, err := say(within(5*time.Millisecond), f, retries(1), idempotent, fair(time.Hour)); status.Code(err) != codes.DeadlineExceeded {
			t.Fatal(err)
		}
	}
	for _, at := range targets {
		if e := endpoint(t, f, at); e.Ejected || e.Failures != 0 || e.Retries != 0 || f.Snapshot().Breaker != "closed" {
			t.Errorf("late calls are held against %+v, %s", e, f.Snapshot().Breaker)
		}
	}
	if _, err := say(within(200*time.Millisecond), f, fair(time.Microsecond)); err == nil || f.Snapshot().Breaker != "open" || ejected(f) != 1 {
		t.Errorf("%v; the breaker is %s and %d are ejected", err, f.Snapshot().Breaker, ejected(f))
	}
}
