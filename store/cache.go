package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/grapnel-gateway/grapnel"
)

const (
	cacheSize = 100_000
	// absentFor bounds how long it is believed that there is no session.
	absentFor = time.Second
	// loadFor bounds a look-up that no request waits for any more.
	loadFor = 5 * time.Second
)

// A SessionCache is sessions in memory, in front of a store. Concurrent
// look-ups of one id ask the store once. A signal that a session has changed
// drops it; when signals may have been missed all are dropped, and when they are
// missed unnoticed the bound of the cache holds.
type SessionCache struct {
	next     grapnel.Sessions
	near     bool // next is in this process: who asks looks up, and starts nothing for it
	news     grapnel.Signals
	cacheFor time.Duration
	grace    time.Duration
	entries  *otter.Cache[string, entry]
	end      context.CancelFunc

	mu      sync.Mutex
	flights map[string]*flight
}

// An entry is what the store said; a nil session is that there is none.
type entry struct {
	session *grapnel.Session
	fresh   time.Time // until then it is served without asking
}

// A flight is a look-up that is under way. It is stale when a signal came in
// between: who waits gets its answer, and nobody after them.
type flight struct {
	done    chan struct{}
	stale   bool
	session *grapnel.Session
	err     error
}

// Cache puts a cache in front of a store's sessions. A session is served from
// it for cacheFor without asking, and for grace longer while the store is
// unavailable. Close stops it.
func Cache(next grapnel.Sessions, news grapnel.Signals, cacheFor, grace time.Duration) (*SessionCache, error) {
	entries, err := otter.New(&otter.Options[string, entry]{
		MaximumSize:      cacheSize,
		ExpiryCalculator: otter.ExpiryWriting[string, entry](max(cacheFor+grace, time.Nanosecond)),
	})
	if err != nil {
		return nil, err
	}
	_, near := next.(*embedded)
	ctx, end := context.WithCancel(context.Background())
	c := &SessionCache{
		next: next, near: near, news: news, cacheFor: cacheFor, grace: grace,
		entries: entries, end: end, flights: map[string]*flight{},
	}
	if err := news.Subscribe(ctx, c.heard); err != nil {
		end()
		return nil, err
	}
	return c, nil
}

// Close stops the cache. It does not close the store.
func (c *SessionCache) Close() {
	c.end()
	c.entries.StopAllGoroutines()
}

// Session returns the session from memory, or asks the store.
func (c *SessionCache) Session(ctx context.Context, id string) (*grapnel.Session, error) {
	e, ok := c.entries.GetIfPresent(id)
	if ok && time.Now().Before(e.fresh) {
		if e.session == nil {
			return nil, grapnel.ErrNotFound
		}
		return e.session, nil
	}
	f, first := c.join(id)
	switch {
	case first && c.near:
		c.land(context.Background(), id, f)
	case first:
		go c.fly(id, f)
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, unavailable(ctx.Err())
	}
	if errors.Is(f.err, grapnel.ErrUnavailable) && c.grace > 0 {
		// Asked again, since a signal may have dropped it meanwhile.
		if e, ok := c.entries.GetIfPresent(id); ok && e.session != nil && time.Now().Before(e.fresh.Add(c.grace)) {
			return e.session, nil
		}
	}
	return f.session, f.err
}

// join returns the look-up of the id that is under way, or a new one, which the
// caller has to begin.
func (c *SessionCache) join(id string) (f *flight, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.flights[id]; f != nil {
		return f, false
	}
	f = &flight{done: make(chan struct{})}
	c.flights[id] = f
	return f, true
}

// fly looks the id up. It does not end with the request that began it, since
// others may wait for it.
func (c *SessionCache) fly(id string, f *flight) {
	ctx, cancel := context.WithTimeout(context.Background(), loadFor)
	defer cancel()
	c.land(ctx, id, f)
}

// land ends a flight with what the store says. A flight that a panic ends leaves
// nobody waiting.
func (c *SessionCache) land(ctx context.Context, id string, f *flight) {
	defer c.landed(id, f)
	f.session, f.err = c.next.Session(ctx, id)
}

// errNoAnswer is what those get who share a look-up that came to no end.
var errNoAnswer = errors.New("it did not answer")

func (c *SessionCache) landed(id string, f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(f.done)
	if f.session == nil && f.err == nil {
		f.err = unavailable(errNoAnswer)
	}
	if f.stale {
		return
	}
	delete(c.flights, id)
	switch {
	case f.err == nil:
		c.entries.Set(id, entry{f.session, time.Now().Add(c.cacheFor)})
	case errors.Is(f.err, grapnel.ErrNotFound):
		c.entries.Set(id, entry{nil, time.Now().Add(min(c.cacheFor, absentFor))})
	}
}

// PutSession writes the session through, and tells all gateways.
func (c *SessionCache) PutSession(ctx context.Context, id string, s *grapnel.Session, ttl time.Duration) error {
	return c.changed(ctx, id, c.next.PutSession(ctx, id, s, ttl))
}

// EditSession changes the session in the store, and tells all gateways.
func (c *SessionCache) EditSession(ctx context.Context, id string, change func(*grapnel.Session)) error {
	return c.changed(ctx, id, c.next.EditSession(ctx, id, change))
}

// DeleteSession deletes the session in the store, and tells all gateways.
func (c *SessionCache) DeleteSession(ctx context.Context, id string) error {
	return c.changed(ctx, id, c.next.DeleteSession(ctx, id))
}

// changed drops the session here, whatever the store said: it may have changed
// all the same. The change stands even if the other gateways cannot be told;
// they see it when their caches ask again.
func (c *SessionCache) changed(ctx context.Context, id string, err error) error {
	c.drop(id)
	if err == nil {
		_ = c.news.Publish(ctx, grapnel.Signal{Kind: grapnel.SignalSessions, IDs: []string{id}})
	}
	return err
}

// SessionIDs asks the store.
func (c *SessionCache) SessionIDs(ctx context.Context, prefix string) ([]string, error) {
	return c.next.SessionIDs(ctx, prefix)
}

func (c *SessionCache) heard(s grapnel.Signal) {
	switch s.Kind {
	case grapnel.SignalSessions:
		for _, id := range s.IDs {
			c.drop(id)
		}
	case grapnel.SignalLost:
		c.mu.Lock()
		defer c.mu.Unlock()
		for id, f := range c.flights {
			f.stale = true
			delete(c.flights, id)
		}
		c.entries.InvalidateAll()
	}
}

// drop forgets the id, and what a look-up that is under way will find.
func (c *SessionCache) drop(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.flights[id]; f != nil {
		f.stale = true
		delete(c.flights, id)
	}
	c.entries.Invalidate(id)
}
