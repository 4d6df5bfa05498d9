package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// scripted is a memory store that counts look-ups, can be down, and can hold
// answers back.
type scripted struct {
	grapnel.Store
	lookups atomic.Int64
	down    atomic.Bool
	broken  atomic.Bool   // a look-up panics instead of its answer
	answer  chan struct{} // when not nil, a look-up returns what it found once this has one
}

func (s *scripted) Session(ctx context.Context, id string) (*grapnel.Session, error) {
	s.lookups.Add(1)
	if s.down.Load() {
		return nil, unavailable(errors.New("it is down"))
	}
	found, err := s.Store.Session(ctx, id)
	if s.answer != nil {
		<-s.answer
	}
	if s.broken.Load() {
		panic("broken")
	}
	return found, err
}

// cached runs a test, on a clock of its own, with a cache of ten seconds and a
// minute of grace.
func cached(t *testing.T, test func(t *testing.T, s *scripted, c *SessionCache)) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{Store: NewMemory()}
		c, err := Cache(s, s, 10*time.Second, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		put(t, s, "a", "one")
		test(t, s, c)
		c.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func put(t *testing.T, s grapnel.Sessions, id, alias string) {
	t.Helper()
	if err := s.PutSession(t.Context(), id, &grapnel.Session{Alias: alias}, 0); err != nil {
		t.Fatal(err)
	}
}

// want checks what the cache says about "a", and how often the store has been
// asked so far. An empty alias is no session.
func want(t *testing.T, s *scripted, c *SessionCache, alias string, lookups int64) {
	t.Helper()
	got, err := c.Session(t.Context(), "a")
	switch {
	case alias == "" && !errors.Is(err, grapnel.ErrNotFound):
		t.Errorf("got %+v, %v", got, err)
	case alias != "" && (err != nil || got.Alias != alias):
		t.Errorf("got %+v, %v, want %s", got, err, alias)
	}
	if n := s.lookups.Load(); n != lookups {
		t.Errorf("the store was asked %d times, want %d", n, lookups)
	}
}

func TestCacheServesUntilItsBound(t *testing.T) {
	cached(t, func(t *testing.T, s *scripted, c *SessionCache) {
		want(t, s, c, "one", 1)
		put(t, s, "a", "two") // by somebody who tells nobody
		time.Sleep(10*time.Second - 1)
		want(t, s, c, "one", 1)
		time.Sleep(1)
		want(t, s, c, "two", 2)
	})
}

func TestCacheOfAbsence(t *testing.T) {
	cached(t, func(t *testing.T, s *scripted, c *SessionCache) {
		if err := s.DeleteSession(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		want(t, s, c, "", 1)
		put(t, s, "a", "new")
		want(t, s, c, "", 1)
		time.Sleep(time.Second)
		want(t, s, c, "new", 2)
	})
}

func TestCacheHeedsSignals(t *testing.T) {
	cached(t, func(t *testing.T, s *scripted, c *SessionCache) {
		lookups := int64(0)
		for _, signal := range []grapnel.Signal{{Kind: grapnel.SignalSessions, IDs: []string{"b", "a"}}, {Kind: grapnel.SignalLost}} {
			lookups++
			want(t, s, c, "one", lookups)
			if err := s.Publish(t.Context(), signal); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		want(t, s, c, "one", 3)
		for _, signal := range []grapnel.Signal{{Kind: grapnel.SignalSessions, IDs: []string{"b"}}, {Kind: grapnel.SignalReload}} {
			if err := s.Publish(t.Context(), signal); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		want(t, s, c, "one", 3)
	})
}

// TestCacheTellsOthers: a change through one cache is seen through another.
func TestCacheTellsOthers(t *testing.T) {
	cached(t, func(t *testing.T, s *scripted, c *SessionCache) {
		other, err := Cache(s, s, 10*time.Second, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		want(t, s, c, "one", 1)
		put(t, other, "a", "two")
		synctest.Wait()
		want(t, s, c, "two", 2)
		if err := other.DeleteSession(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		want(t, s, c, "", 3)
		if err := other.DeleteSession(t.Context(), "a"); !errors.Is(err, grapnel.ErrNotFound) {
			t.Errorf("deleting again: %v", err)
		}
	})
}

func TestCacheGrace(t *testing.T) {
	cached(t, func(t *testing.T, s *scripted, c *SessionCache) {
		want(t, s, c, "one", 1)
		s.down.Store(true)
		time.Sleep(10*time.Second + time.Minute - 1)
		want(t, s, c, "one", 2)
		if _, err := c.Session(t.Context(), "never seen"); !errors.Is(err, grapnel.ErrUnavailable) {
			t.Errorf("a session that was never seen: %v", err)
		}
		time.Sleep(1)
		if got, err := c.Session(t.Context(), "a"); !errors.Is(err, grapnel.ErrUnavailable) {
			t.Errorf("after the grace: %+v, %v", got, err)
		}
		s.down.Store(false)
		want(t, s, c, "one", 5)
	})
}

// TestCacheNoGraceForDropped: what a signal has dropped is not served in grace.
func TestCacheNoGraceForDropped(t *testing.T) {
	cached(t, func(t *testing.T, s *scripted, c *SessionCache) {
		want(t, s, c, "one", 1)
		if err := s.Publish(t.Context(), grapnel.Signal{Kind: grapnel.SignalSessions, IDs: []string{"a"}}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.down.Store(true)
		if got, err := c.Session(t.Context(), "a"); !errors.Is(err, grapnel.ErrUnavailable) {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

// TestCacheSingleFlight: many who ask for one id at a time ask the store once,
// and one who goes away does not take the answer from the others.
func TestCacheSingleFlight(t *testing.T) {
	cached(t, func(t *testing.T, s *scripted, c *SessionCache) {
		s.answer = make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := c.Session(ctx, "a")
			gone <- err
		}()
		synctest.Wait()
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { want(t, s, c, "one", 1) })
		}
		synctest.Wait()
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("who went away got %v", err)
		}
		s.answer <- struct{}{}
		all.Wait()
		want(t, s, c, "one", 1)
	})
}

// TestCacheStaleFlight: what a look-up found before a change is not kept after
// it.
func TestCacheStaleFlight(t *testing.T) {
	for i, change := range []func(t *testing.T, s *scripted, c *SessionCache){
		func(t *testing.T, _ *scripted, c *SessionCache) { put(t, c, "a", "two") },
		func(t *testing.T, s *scripted, _ *SessionCache) {
			put(t, s, "a", "two")
			if err := s.Publish(t.Context(), grapnel.Signal{Kind: grapnel.SignalLost}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			cached(t, func(t *testing.T, s *scripted, c *SessionCache) {
				s.answer = make(chan struct{}, 2)
				early := make(chan *grapnel.Session)
				go func() {
					got, _ := c.Session(t.Context(), "a")
					early <- got
				}()
				synctest.Wait() // it has found "one", and has not said so
				change(t, s, c)
				synctest.Wait()
				s.answer <- struct{}{}
				if got := <-early; got == nil || got.Alias != "one" {
					t.Errorf("who asked before got %+v", got)
				}
				s.answer <- struct{}{}
				want(t, s, c, "two", 2)
			})
		})
	}
}

// TestCacheNear: who asks a store of this process looks up on its own, and others
// who ask meanwhile share that. If it panics they are told.
func TestCacheNear(t *testing.T) {
	cached(t, func(t *testing.T, s *scripted, c *SessionCache) {
		c.near, s.answer = true, make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() { want(t, s, c, "one", 1) })
		synctest.Wait()
		all.Go(func() { want(t, s, c, "one", 1) })
		ctx, cancel := context.WithCancel(t.Context())
		all.Go(func() {
			if _, err := c.Session(ctx, "a"); !errors.Is(err, context.Canceled) {
				t.Errorf("who went away got %v", err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		s.answer <- struct{}{}
		all.Wait()

		c.drop("a")
		all.Go(func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			c.Session(t.Context(), "a")
		})
		synctest.Wait()
		all.Go(func() {
			if _, err := c.Session(t.Context(), "a"); !errors.Is(err, grapnel.ErrUnavailable) {
				t.Errorf("beside a panic: %v", err)
			}
		})
		synctest.Wait()
		s.broken.Store(true)
		s.answer <- struct{}{}
		all.Wait()
		s.broken.Store(false)
		s.answer = nil
		want(t, s, c, "one", 3)
	})
}

// TestCacheOfFile: what is found after a change is never what was there before it.
func TestCacheOfFile(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "s.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := Cache(s, s, time.Hour, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var written atomic.Int64
	write := func(n int64) {
		if err := c.PutSession(t.Context(), "a", &grapnel.Session{LastCheck: n}, 0); err != nil {
			t.Error(err)
		}
		written.Store(n)
	}
	const last = 50
	write(1)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for least := int64(0); least < last; {
				least = written.Load()
				got, err := c.Session(t.Context(), "a")
				if err != nil || got.LastCheck < least {
					t.Errorf("got %+v, %v after change %d", got, err, least)
					return
				}
			}
		})
	}
	for n := range int64(last) {
		write(n + 1)
	}
	all.Wait()
}
