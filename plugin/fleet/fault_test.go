package fleet_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/fleet"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// load makes calls from several goroutines until it is stopped, and returns how
// many there were and the failures.
func load(t *testing.T, f rpc.Conn, edit ...func(*rpc.Call)) (stop func() (calls int64, failed []error)) {
	var calls atomic.Int64
	var mu sync.Mutex
	var failed []error
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for ctx.Err() == nil {
				calls.Add(1)
				if _, err := say(context.Background(), f, edit...); err != nil {
					mu.Lock()
					failed = append(failed, err)
					mu.Unlock()
				}
			}
		})
	}
	finish := sync.OnceFunc(func() { cancel(); all.Wait() })
	t.Cleanup(finish)
	return func() (int64, []error) { finish(); return calls.Load(), failed }
}

// calledAgain waits until each of the replicas has had another call.
func calledAgain(t *testing.T, replicas ...*replica) {
	t.Helper()
	for _, r := range replicas {
		before := r.calls.Load()
		eventually(t, r.name+" is asked", func() bool { return r.calls.Load() > before })
	}
}

// Servers that restart one after the other, as by SIGTERM, cost no call, even
// where none may be sent twice: GOAWAY says what was not executed.
func TestRollingRestart(t *testing.T) {
	for _, method := range []string{"round_robin", "least_request", "first"} {
		t.Run(method, func(t *testing.T) {
			overBoth(t, func(t *testing.T, open func(grapnel.PluginServer) *fleet.Fleet) {
				all, targets := many(t, 3)
				s := settings(targets...)
				s.Balance.Method = method
				stop := load(t, open(s))
				calledAgain(t, all[0])
				for range 2 {
					for i, r := range all {
						r.server.GracefulStop()
						all[i] = serve(t, r.name, r.address)
						if method != "first" || i == 0 {
							calledAgain(t, all[i])
						}
					}
				}
				if n, failed := stop(); len(failed) > 0 {
					t.Errorf("%d of %d calls failed, one with %v", len(failed), n, failed[0])
				}
			})
		})
	}
}

// A server that sends its callers away from old connections is called over new
// ones, be it the only one.
func TestConnectionsThatAge(t *testing.T) {
	overBoth(t, func(t *testing.T, open func(grapnel.PluginServer) *fleet.Fleet) {
		aged := grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: 30 * time.Millisecond, MaxConnectionAgeGrace: patience})
		l := &counted{Listener: listen(t, "127.0.0.1:0")}
		r := serveWith(t, "a", l, []grpc.ServerOption{aged})
		stop := load(t, open(settings(r.address)))
		eventually(t, "a dozen connections are over", func() bool { return l.accepted.Load() > 12 })
		if n, failed := stop(); len(failed) > 0 {
			t.Errorf("%d of %d calls failed, one with %v", len(failed), n, failed[0])
		}
	})
}

// counted counts connections.
type counted struct {
	net.Listener
	accepted atomic.Int64
}

func (l *counted) Accept() (net.Conn, error) {
	l.accepted.Add(1)
	return l.Listener.Accept()
}

// A server that dies takes with it no call that may be sent again; and nothing is
// lost after.
func TestKilled(t *testing.T) {
	overBoth(t, func(t *testing.T, open func(grapnel.PluginServer) *fleet.Fleet) {
		all, targets := many(t, 3)
		s := settings(targets...)
		s.RetryBudget = 100
		stop := load(t, open(s), retries(2), idempotent)
		calledAgain(t, all...)
		all[1].server.Stop()
		calledAgain(t, all[0], all[2])
		back := serve(t, "b", all[1].address)
		calledAgain(t, back)
		if n, failed := stop(); len(failed) > 0 {
			t.Errorf("%d of %d calls failed, one with %v", len(failed), n, failed[0])
		}
	})
}

// Where calls may not be sent again, those that fail are what the server had in
// hand when it died.
func TestKilledInHand(t *testing.T) {
	overBoth(t, func(t *testing.T, open func(grapnel.PluginServer) *fleet.Fleet) {
		all, targets := many(t, 3)
		s := settings(targets...)
		s.Balance.Method = "round_robin"
		f := open(s)
		all[1].does(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		stop := load(t, f, retries(2))
		eventually(t, "b holds every caller", func() bool { return all[1].under.Load() == 8 })
		all[1].server.Stop()
		calledAgain(t, all[0], all[2])
		if _, failed := stop(); len(failed) != 8 {
			t.Errorf("%d calls failed, 8 were in hand of the one that died: %v", len(failed), failed)
		}
	})
}

// A server that is down fails its calls at once, and is used when it is there
//
func TestDownThenUp(t *testing.T) {
	r := serve(t, "a", "127.0.0.1:0")
	r.server.Stop()
	f := open(t, settings(r.address))
	for range 3 {
		if _, err := say(t.Context(), f); !rpc.Unsent(err) || status.Code(err) != codes.Unavailable {
			t.Fatalf("got %v", err)
		}
	}
	serve(t, "a", r.address)
	eventually(t, "it is used", func() bool { _, err := say(t.Context(), f); return err == nil })
}

// A replica that only fails is ejected, for longer each time, and gets calls again
// after; complaints of a plugin about requests do not count.
func TestEjection(t *testing.T) {
	all, targets := many(t, 3)
	s := settings(targets...)
	s.Health.Failures, s.Health.Eject, s.Breaker.Failures = 3, grapnel.Duration(time.Second), 0
	f := open(t, s)
	all[0].does(func(context.Context) error { return errors.New("an exception") })
	all[1].does(func(context.Context) error { return status.Error(codes.Unavailable, "broken") })
	eventually(t, "b is ejected", func() bool { say(t.Context(), f); return endpoint(t, f, targets[1]).Ejected })
	if e := endpoint(t, f, targets[0]); e.Ejected || !e.Healthy {
		t.Errorf("a plugin that throws is %+v", e)
	}
	n := all[1].calls.Load()
	for range 20 {
		say(t.Context(), f)
	}
	if now := all[1].calls.Load(); now != n && endpoint(t, f, targets[1]).Ejected {
		t.Errorf("an ejected replica was asked %d times", now-n)
	}
	all[1].does(func(context.Context) error { return nil })
	eventually(t, "b is asked again", func() bool { say(t.Context(), f); return all[1].calls.Load() > n })
	if e := endpoint(t, f, targets[1]); e.Ejected || e.Failures < 3 {
		t.Errorf("b is %+v", e)
	}
}

// A request that makes the plugin fail takes it from nobody, however often it is
// sent and whatever code the plugin fails with of its own.
func TestPoison(t *testing.T) {
	overBoth(t, func(t *testing.T, open func(grapnel.PluginServer) *fleet.Fleet) {
		all, targets := many(t, 2)
		s := settings(targets...)
		s.Health.Failures, s.Breaker.Failures = 3, 3
		f := open(s)
		for _, code := range []codes.Code{codes.Internal, codes.Unknown} {
			for _, r := range all {
				r.does(func(context.Context) error { return status.Error(code, "poison") })
			}
			before := all[0].calls.Load() + all[1].calls.Load()
			for range 20 {
				if _, err := say(t.Context(), f, retries(1), idempotent); status.Code(err) != code || overloaded(err) != nil {
					t.Fatalf("%v: %v", code, err)
				}
			}
			if n := all[0].calls.Load() + all[1].calls.Load() - before; n != 20 || ejected(f) != 0 || f.Snapshot().Breaker != "closed" {
				t.Errorf("%v: %d calls were made, %d replicas are ejected, the breaker is %s", code, n, ejected(f), f.Snapshot().Breaker)
			}
		}
	})
}

// A replica that hangs, as one that was stopped, costs no more calls than eject it.
func TestHanging(t *testing.T) {
	all, targets := many(t, 3)
	s := settings(targets...)
	s.Balance.Method, s.Health.Failures, s.Health.Eject = "round_robin", 3, grapnel.Duration(time.Hour)
	f := open(t, s)
	all[1].does(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	for range 60 {
		say(within(time.Second), f)
	}
	if e := endpoint(t, f, targets[1]); !e.Ejected || all[1].calls.Load() > 3 {
		t.Errorf("it was asked %d times: %+v", all[1].calls.Load(), e)
	}
}

// Calls that may be sent again are answered by another replica when one hangs, in
// half of their time; and that one is ejected.
func TestOvertaken(t *testing.T) {
	overBoth(t, func(t *testing.T, open func(grapnel.PluginServer) *fleet.Fleet) {
		all, targets := many(t, 3)
		s := settings(targets...)
		s.Balance.Method, s.Health.Failures, s.Health.Eject = "round_robin", 1, grapnel.Duration(time.Hour)
		f := open(s)
		all[1].does(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		for range 6 {
			var call *rpc.Call
			name, err := say(within(6*time.Second), f, retries(1), idempotent, func(c *rpc.Call) { call = c })
			if err != nil || name == "b" || call.Endpoint == targets[1] {
				t.Fatalf("%q at %s answered (%v)", name, call.Endpoint, err)
			}
		}
		if e := endpoint(t, f, targets[1]); !e.Ejected || all[1].calls.Load() != 1 {
			t.Errorf("it was asked %d times: %+v", all[1].calls.Load(), e)
		}
		eventually(t, "it is not waited for", func() bool { return all[1].under.Load() == 0 })
	})
}

// A replica that is only slow gives its answer, though another one was asked too.
func TestSlowAnswer(t *testing.T) {
	all, targets := many(t, 2)
	s := settings(targets...)
	s.Balance.Method, s.Health.Failures = "first", 1
	f := open(t, s)
	release := make(chan struct{})
	all[0].does(func(context.Context) error { <-release; return nil })
	all[1].does(func(ctx context.Context) error { close(release); <-ctx.Done(); return ctx.Err() })
	var call *rpc.Call
	name, err := say(within(4*time.Second), f, retries(1), idempotent, func(c *rpc.Call) { call = c })
	if err != nil || name != "a" || call.Endpoint != targets[0] {
		t.Errorf("%q at %s answered (%v)", name, call.Endpoint, err)
	}
	if a, b := endpoint(t, f, targets[0]), endpoint(t, f, targets[1]); a.Ejected || b.Ejected || b.Retries != 1 {
		t.Errorf("they are %+v and %+v", a, b)
	}
}

// Not more are ejected than may be, and never the last one.
func TestEjectionIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		replicas int
		most     grapnel.Percent
		want     int
	}{
		"half of four":     {4, 50, 2},
		"few of four":      {4, 10, 1},
		"none":             {4, 0, 0},
		"all but the last": {3, 100, 2},
		"the only one":     {1, 100, 0},
	} {
		t.Run(name, func(t *testing.T) {
			all, targets := many(t, c.replicas)
			s := settings(targets...)
			s.Health.Failures, s.Health.Eject, s.Health.MaxEjected = 2, grapnel.Duration(time.Hour), c.most
			s.Breaker.Failures, s.Balance.Method = 0, "round_robin"
			f := open(t, s)
			for _, r := range all {
				r.does(func(context.Context) error { return status.Error(codes.Unavailable, "") })
			}
			for range 20 * c.replicas {
				say(t.Context(), f)
			}
			if n := ejected(f); n != c.want {
				t.Errorf("%d of %d are ejected, want %d", n, c.replicas, c.want)
			}
		})
	}
}

func ejected(f *fleet.Fleet) (n int) {
	for _, e := range f.Snapshot().Endpoints {
		if e.Ejected {
			n++
		}
	}
	return n
}

// A client that leaves says nothing of the plugin.
func TestClientsThatLeave(t *testing.T) {
	all, targets := many(t, 2)
	s := settings(targets...)
	s.Health.Failures, s.Breaker.Failures = 1, 1
	f := open(t, s)
	for _, r := range all {
		r.does(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	}
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		before := all[0].calls.Load() + all[1].calls.Load()
		done := make(chan error, 1)
		go func() { _, err := say(ctx, f); done <- err }()
		eventually(t, "it is asked", func() bool { return all[0].calls.Load()+all[1].calls.Load() > before })
		cancel()
		if err := <-done; err == nil {
			t.Fatal("a call ended well without an answer")
		}
	}
	if s := f.Snapshot(); s.Breaker != "closed" || ejected(f) != 0 {
		t.Errorf("%+v", s)
	}
}

// Close ends the calls under way and all later ones.
func TestClose(t *testing.T) {
	all, targets := many(t, 1)
	all[0].does(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	f := open(t, settings(targets...))
	done := make(chan error, 1)
	go func() { _, err := say(t.Context(), f); done <- err }()
	eventually(t, "the call arrives", func() bool { return all[0].calls.Load() == 1 })
	f.Close()
	if err := <-done; err == nil {
		t.Error("a call outlived its connection")
	}
	if _, err := say(t.Context(), f); !rpc.Unsent(err) {
		t.Errorf("after Close: %v", err)
	}
}
