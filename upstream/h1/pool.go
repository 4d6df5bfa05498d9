package h1

import (
	"sync"
	"time"
)

// A pool keeps the idle connections of each place, the one that was used last
// on top: under little load the others grow old and are closed. The zero value
// is ready.
type pool struct {
	mu     sync.Mutex
	idle   map[place][]*conn
	timer  *time.Timer // sweeps; nil while nothing is idle
	closed bool        // what comes back is closed too
}

// take returns the connection that was put last, or nil.
func (p *pool) take(to place) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = false
	stack := p.idle[to]
	if len(stack) == 0 {
		return nil
	}
	last := len(stack) - 1
	c := stack[last]
	stack[last] = nil
	p.idle[to] = stack[:last]
	return c
}

// put makes a connection idle, or closes it if it may not be.
func (p *pool) put(c *conn) {
	if !p.add(c) {
		c.net.Close()
	}
}

func (p *pool) add(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	stack := p.idle[c.to]
	if p.closed || len(stack) >= c.t.MaxIdlePerHost {
		return false
	}
	if p.idle == nil {
		p.idle = map[place][]*conn{}
	}
	p.idle[c.to] = append(stack, c)
	if limit := c.t.IdleTimeout; limit > 0 {
		c.idleSince = time.Now()
		if p.timer == nil {
			p.timer = time.AfterFunc(limit, func() { p.sweep(limit) })
		}
	}
	return true
}

// sweep closes what has been idle for too long.
func (p *pool) sweep(limit time.Duration) {
	for _, c := range p.expired(limit) {
		c.net.Close() // without the lock: TLS says goodbye first
	}
}

// expired removes what has been idle for too long, forgets the places that have
// nothing left, and sets the timer to when the next connection will be due.
func (p *pool) expired(limit time.Duration) (old []*conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer == nil {
		return nil
	}
	now, next := time.Now(), limit
	for to, stack := range p.idle {
		n := 0 // the oldest are at the bottom
		for n < len(stack) && now.Sub(stack[n].idleSince) >= limit {
			n++
		}
		old = append(old, stack[:n]...)
		if n == len(stack) {
			delete(p.idle, to)
			continue
		}
		p.idle[to] = append([]*conn(nil), stack[n:]...)
		next = min(next, limit-now.Sub(stack[n].idleSince))
	}
	if len(p.idle) == 0 {
		p.timer = nil
		return old
	}
	p.timer.Reset(next)
	return old
}

// close closes what is idle now, and what comes back until the next take.
func (p *pool) close() {
	for _, c := range p.empty() {
		c.net.Close()
	}
}

func (p *pool) empty() (all []*conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, stack := range p.idle {
		all = append(all, stack...)
	}
	p.closed, p.idle = true, nil
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	return all
}
