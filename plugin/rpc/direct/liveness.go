package direct

import (
	"errors"
	"sync/atomic"
	"time"
)

// liveness finds out whether a silent server is still there. The connection's
// lock guards all but heard.
type liveness struct {
	heard  atomic.Bool // something has come since the last look
	pinged bool
	timer  *time.Timer
}

// watch begins to look after the connection.
func (c *conn) watch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alive.timer = time.AfterFunc(c.client.ping, c.look)
}

// look pings a server that was silent with calls under way, and ends the
// connection if it still is after the timeout.
func (c *conn) look() {
	c.mu.Lock()
	a := &c.alive
	silent := !a.heard.Swap(false)
	switch {
	case c.err != nil:
		c.mu.Unlock()
	case silent && a.pinged:
		c.mu.Unlock()
		c.fail(errors.New("the server does not answer pings"))
	case silent && len(c.streams) > 0:
		a.pinged = true
		a.timer.Reset(c.client.pong)
		c.out.queue = appendPing(c.out.queue, 0, make([]byte, pingLength))
		c.flush()
	default:
		a.pinged = false
		a.timer.Reset(c.client.ping)
		c.mu.Unlock()
	}
}

func (a *liveness) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
}
