package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/store"
	"github.com/grapnel-gateway/grapnel/store/storetest"
)

// TestRedisGoesAway: under load a server hangs, dies and comes back. No call
// takes longer than the timeout, while it is away nearly all fail at once, and
// soon after it is back all is well.
func TestRedisGoesAway(t *testing.T) {
	const timeout, slack = 300 * time.Millisecond, time.Second
	r := storetest.Redis(t)
	s := open(t, r.URL()+"?timeout=300ms")
	news := storetest.Listen(t.Context(), t, s)
	var slowest, good, bad atomic.Int64
	var all sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for i := range 16 {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				begun := time.Now()
				_, err := s.Spend(ctx, fmt.Sprint("k", i), 1<<40, time.Hour)
				slowest.Store(max(slowest.Load(), int64(time.Since(begun))))
				if err == nil {
					good.Add(1)
				} else {
					bad.Add(1)
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	works := func(what string) {
		t.Helper()
		begun := time.Now()
		for from := good.Load(); good.Load() < from+50; time.Sleep(time.Millisecond) {
			if time.Since(begun) > 5*time.Second {
				t.Fatalf("%s: it does not work within %v", what, time.Since(begun))
			}
		}
	}
	fails := func(what string) {
		t.Helper()
		begun := time.Now()
		for from := bad.Load(); bad.Load() < from+2000; time.Sleep(time.Millisecond) {
			if time.Since(begun) > 10*time.Second {
				t.Fatalf("%s: %d calls failed in %v: they do not fail at once", what, bad.Load()-from, time.Since(begun))
			}
		}
	}
	works("at the start")
	r.Freeze()
	fails("frozen")
	r.Thaw()
	works("thawed")
	r.Kill()
	fails("killed")
	r.Start()
	works("restarted")
	stop()
	all.Wait()
	if d := time.Duration(slowest.Load()); d > timeout+slack {
		t.Errorf("a call took %v, the timeout is %v", d, timeout)
	}
	for storetest.Hear(t, news).Kind != grapnel.SignalLost { // what was missed is said to be
	}
}

// TestRedisNeedNotAnswer: a gateway starts without its Redis, and finds it when
// it comes up.
func TestRedisNeedNotAnswer(t *testing.T) {
	r := storetest.Redis(t)
	r.Kill()
	s := open(t, r.URL())
	begun := time.Now()
	news := storetest.Listen(t.Context(), t, s)
	if err := s.Ping(t.Context()); err == nil || time.Since(begun) > 3*time.Second {
		t.Errorf("ping: %v after %v", err, time.Since(begun))
	}
	r.Start()
	if got := storetest.Hear(t, news); got.Kind != grapnel.SignalLost {
		t.Errorf("heard %+v", got)
	}
	for deadline := time.Now().Add(5 * time.Second); s.Ping(t.Context()) != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it is back and does not answer")
		}
	}
}

// TestRedisRateOfTwo: two gateways under a load far beyond the limit let it
// through to within 1 %, and never more of it in any window.
func TestRedisRateOfTwo(t *testing.T) {
	r := storetest.Redis(t)
	stores := []grapnel.Store{open(t, r.URL()), open(t, r.URL())}
	// A third of what this machine can ask for, at most 10,000 a second.
	const run = 300 * time.Millisecond
	possible, _ := storetest.Hammer(t, stores, "warm", 1<<30, time.Second, run)
	limit := min(10_000, int(float64(possible)/run.Seconds()/3))
	through, refused := storetest.Hammer(t, stores, "key", limit, time.Second, 3*time.Second)
	if refused == 0 {
		t.Error("nothing was refused: the test shows nothing")
	}
	t.Logf("limit %d/s: %d got through and %d did not in 3 s", limit, through, refused)
}

// TestRedisQuotaOfTwo: two gateways give out a quota exactly once [S-36].
func TestRedisQuotaOfTwo(t *testing.T) {
	r := storetest.Redis(t)
	stores := []grapnel.Store{open(t, r.URL()), open(t, r.URL())}
	const quota = 1000
	var through atomic.Int64
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			for range 30 {
				u, err := stores[i%2].Spend(t.Context(), "q", quota, time.Hour)
				if err != nil {
					t.Error(err)
				} else if u.Used <= quota {
					through.Add(1)
				}
			}
		})
	}
	all.Wait()
	if n := through.Load(); n != quota {
		t.Errorf("%d got through, want %d", n, quota)
	}
	if got := strings.TrimSpace(r.Do("get", "quota-q")); got != fmt.Sprint(quota) {
		t.Errorf("Redis has counted %s", got)
	}
}

// TestRedisLayout: keys are where the original has them [Z-1, Z-4], and what it
// left there is understood.
func TestRedisLayout(t *testing.T) {
	r, ctx := storetest.Redis(t), t.Context()
	s := open(t, r.URL())
	r.Do("set", "apikey-theirs", `{"rate":5,"org_id":"o","access_rights":{"a":{"api_id":"a","limit":{"rate":1,"smoothing":{"x":1}}}},"new_key":[1]}`)
	got, err := s.Session(ctx, "theirs")
	if err != nil || got.Rate != 5 || got.AccessRights["a"].Limit.Rate != 1 {
		t.Fatalf("the original's session is %+v, %v", got, err)
	}
	if err := s.PutSession(ctx, "ours", got, time.Hour); err != nil {
		t.Fatal(err)
	}
	stored := r.Do("get", "apikey-ours")
	for _, part := range []string{`"new_key":[1]`, `"smoothing":{"x":1}`, `"rate":5`} {
		if !strings.Contains(stored, part) {
			t.Errorf("%s is missing in %s", part, stored)
		}
	}
	if ttl := strings.TrimSpace(r.Do("ttl", "apikey-ours")); ttl != "3600" && ttl != "3599" {
		t.Errorf("its ttl is %s", ttl)
	}
	r.Do("set", "quota-q", "7", "ex", "100")
	if u, err := s.Spend(ctx, "q", 8, time.Hour); err != nil || u.Used != 8 || time.Until(u.Renews) > 100*time.Second {
		t.Errorf("the original's quota goes on as %+v, %v", u, err)
	}
	// The original's window is a sorted set; ours stands beside it.
	r.Do("zadd", "rate-limit-r", "1", "1")
	if wait, err := s.Take(ctx, "r", 1, time.Minute); err != nil || wait != 0 {
		t.Errorf("wait %v, %v", wait, err)
	}
	if kind := strings.TrimSpace(r.Do("type", "rate-limit-r")); kind != "zset" {
		t.Errorf("the original's window has become a %s", kind)
	}
	if err := s.Forget(ctx, "r"); err != nil {
		t.Fatal(err)
	}
	if left := strings.Fields(r.Do("keys", "rate-limit-r*")); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
	if err := s.PutDocument(ctx, "policies", "p", []byte("{}")); err != nil || strings.TrimSpace(r.Do("hget", "grapnel:policies", "p")) != "{}" {
		t.Errorf("policies are elsewhere: %v", err)
	}
}

// TestRedisWindowForgets: a window that is not used goes by itself.
func TestRedisWindowForgets(t *testing.T) {
	r := storetest.Redis(t)
	s := open(t, r.URL())
	for range 5 {
		if _, err := s.Take(t.Context(), "r", 3, 50*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(5 * time.Second); strings.TrimSpace(r.Do("dbsize")) != "0"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("left is %s", r.Do("keys", "*"))
		}
	}
}

// TestRedisACL: a user with a password, as the URL names them.
func TestRedisACL(t *testing.T) {
	r := storetest.Redis(t)
	r.Do("acl", "setuser", "gateway", "on", ">p@ss/word", "~*", "&*", "+@all")
	for user, ok := range map[string]bool{"gateway:p%40ss%2Fword": true, "gateway:wrong": false} {
		s, err := store.Open("redis://"+user+"@"+r.Addr()+"/3", store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Ping(t.Context()); (err == nil) != ok {
			t.Errorf("%s: %v", user, err)
		}
		if err := s.PutSession(t.Context(), "a", &grapnel.Session{}, 0); (err == nil) != ok {
			t.Errorf("%s: %v", user, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if keys := strings.Fields(r.Do("-n", "3", "keys", "*")); !slices.Equal(keys, []string{"apikey-a"}) {
		t.Errorf("database 3 has %v", keys)
	}
}
