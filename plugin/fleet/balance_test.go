package fleet_test

import (
	"context"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/fleet"
)

// Each method spreads calls as it says.
func TestMethods(t *testing.T) {
	_, targets := many(t, 3)
	use := func(method string) *fleet.Fleet {
		s := settings(targets...)
		s.Balance.Method = method
		return open(t, s)
	}
	if got := spread(t, use("round_robin"), 30); got["a"] != 10 || got["b"] != 10 || got["c"] != 10 {
		t.Errorf("round robin: %v", got)
	}
	if got := spread(t, use("first"), 30); got["a"] != 30 {
		t.Errorf("first [A-65]: %v", got)
	}
	if got := spread(t, use("least_request"), 300); got["a"] < 50 || got["b"] < 50 || got["c"] < 50 {
		t.Errorf("least request, one call at a time: %v", got)
	}
	if got := spread(t, use("hash"), 300); got["a"] < 50 || got["b"] < 50 || got["c"] < 50 {
		t.Errorf("hash, of nobody: %v", got)
	}
}

// A replica that is slow gets less.
func TestLeastRequestAvoidsTheSlow(t *testing.T) {
	all, targets := many(t, 3)
	release := make(chan struct{})
	all[0].does(func(context.Context) error { <-release; return nil })
	stop := load(t, open(t, settings(targets...)))
	eventually(t, "the others are asked", func() bool { return all[1].calls.Load()+all[2].calls.Load() > 1000 })
	if slow := all[0].calls.Load(); slow > 5 { // of 8 callers
		t.Errorf("the slow one was asked %d times", slow)
	}
	close(release)
	if _, failed := stop(); len(failed) > 0 {
		t.Error(failed[0])
	}
}

// A key keeps to its replica, is spread with others over all, and moves only when
// its replica is lost; then back.
func TestHash(t *testing.T) {
	const keys = 300
	all, targets := many(t, 4)
	s := settings(targets...)
	s.Balance.Method, s.Balance.Hash = "hash", "session"
	f := open(t, s)
	where := func(f *fleet.Fleet) map[uint64]string {
		out := map[uint64]string{}
		for k := range uint64(keys) {
			name, err := say(t.Context(), f, key(k+1))
			if err != nil {
				t.Fatal(err)
			}
			out[k] = name
		}
		return out
	}
	before := where(f)
	share := map[string]int{}
	for k, name := range where(open(t, s)) { // another gateway
		if share[name]++; before[k] != name {
			t.Errorf("key %d is at %s and %s", k, before[k], name)
		}
	}
	for _, r := range all {
		if share[r.name] < keys/8 {
			t.Errorf("%s has %d keys of %d", r.name, share[r.name], keys)
		}
	}
	all[1].server.GracefulStop()
	for k, name := range where(f) {
		if before[k] != "b" && before[k] != name {
			t.Errorf("key %d moved from %s to %s, and b was lost", k, before[k], name)
		}
	}
	serve(t, "b", all[1].address)
	eventually(t, "b has its keys again", func() bool {
		for k, name := range where(f) {
			if before[k] != name {
				return false
			}
		}
		return true
	})
}

// A replica that is back gets its share little by little.
func TestSlowStart(t *testing.T) {
	for _, method := range []string{"round_robin", "least_request", "hash"} {
		t.Run(method, func(t *testing.T) {
			all, targets := many(t, 2)
			s := settings(targets...)
			s.Balance.Method, s.Balance.SlowStart = method, grapnel.Duration(time.Hour)
			f := open(t, s)
			next := uint64(0)
			call := func() string {
				next++
				name, err := say(t.Context(), f, key(next))
				if err != nil {
					t.Fatal(err)
				}
				return name
			}
			share := func() (b int) {
				for range 400 {
					if call() == "b" {
						b++
					}
				}
				return b
			}
			if n := share(); n < 120 {
				t.Fatalf("before, b had %d of 400", n)
			}
			all[1].server.GracefulStop()
			eventually(t, "b is missed", func() bool { call(); return endpoint(t, f, targets[1]).Failures > 0 })
			serve(t, "b", targets[1])
			eventually(t, "b is back", func() bool { return call() == "b" })
			if n := share(); n < 2 || n > 100 {
				t.Errorf("right after, b had %d of 400, want about a tenth", n)
			}
		})
	}
}

// Connections are as many as the load needs, up to the limit.
func TestConnections(t *testing.T) {
	r := serve(t, "a", "127.0.0.1:0")
	f := open(t, settings(r.address))
	spread(t, f, 5)
	if n := endpoint(t, f, r.address).Connections; n != 1 {
		t.Errorf("%d connections without load", n)
	}
	release := make(chan struct{})
	r.does(func(context.Context) error { <-release; return nil })
	const calls = 300
	done := make(chan error, calls)
	for range calls {
		go func() { _, err := say(context.Background(), f); done <- err }()
	}
	eventually(t, "all calls are under way", func() bool { return r.under.Load() == calls })
	if e := endpoint(t, f, r.address); e.Connections != 4 || e.InFlight != calls {
		t.Errorf("under load: %+v", e)
	}
	close(release)
	for range calls {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
