package h1

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/grapnel-gateway/grapnel/socket"
)

// patience is how long an upstream may be silent before the request's context
// is watched. Most replies come sooner, and watching costs as much as a good
// part of the exchange: a timer in the poller, which is moved along from
// request to request, costs next to nothing.
const patience = 25 * time.Millisecond

// A conn is one connection to an upstream. It belongs to one exchange at a
// time, whose caller reads and writes it, and to the sender of its body, if
// there is one.
type conn struct {
	t    *Transport
	to   place
	net  net.Conn // with TLS where there is
	tls  *tls.ConnectionState
	bare *socket.Conn  // without TLS, to look at
	br   *bufio.Reader // reads through the conn's own Read
	head []byte        // room for one head, the request's or the reply's; nil is none yet

	used      bool // has served an exchange
	idleSince time.Time

	now exchange
}

// An exchange is what a connection knows of the exchange that it serves.
type exchange struct {
	ctx      context.Context
	unwatch  func() bool  // nil while the context is not watched
	aborted  atomic.Bool  // the context has ended
	silence  func()       // what to do first when the upstream is silent
	halves   atomic.Int32 // of the exchange that have not ended: request, reply
	broken   atomic.Bool  // the connection must serve no other exchange
	local    bool         // no more is to come from the network
	written  bool         // some of the request has gone
	answered bool         // some of a reply has come
	failed   chan error   // why the body could not be read; nil without a sender
}

// arm sets the deadline of the first read and write. One of an earlier exchange
// may have passed while the connection was idle.
func (c *conn) arm() { c.net.SetDeadline(time.Now().Add(patience)) }

// begin makes a connection that has been armed that of an exchange.
func (c *conn) begin(ctx context.Context, watch bool) {
	c.now.ctx = ctx
	c.now.halves.Store(1)
	if watch || c.tls != nil { // a TLS connection does not survive a write that timed out
		c.net.SetDeadline(time.Time{})
		c.watch()
	}
}

// watch has the exchange end when its context does.
func (c *conn) watch() { c.now.unwatch = context.AfterFunc(c.now.ctx, c.abort) }

// abort ends all reads and writes, those to come included.
func (c *conn) abort() {
	c.now.aborted.Store(true)
	c.net.SetDeadline(time.Unix(1, 0))
}

var errLocal = errors.New("there is more of the reply on its way")

// Read reads what the upstream sends, however long that takes.
func (c *conn) Read(p []byte) (int, error) {
	for {
		if c.now.local {
			return 0, errLocal
		}
		n, err := c.net.Read(p)
		if n > 0 || err == nil || !c.goOn(err) {
			return n, err
		}
	}
}

// Write writes all of p, however long that takes.
func (c *conn) Write(p []byte) (n int, err error) {
	for {
		m, err := c.net.Write(p[n:])
		n += m
		if err == nil || !c.goOn(err) {
			return n, err
		}
	}
}

// goOn reports whether a read or write that came to err is to be tried again:
// it is when nothing but patience has run out.
func (c *conn) goOn(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) || c.now.aborted.Load() || c.now.ctx == nil {
		return false
	}
	if first := c.now.silence; first != nil {
		c.now.silence = nil
		first()
	}
	c.net.SetDeadline(time.Time{})
	if c.now.unwatch == nil {
		c.watch()
	}
	// Whoever aborts says so before it sets its deadline, which may thus
	// have been lost only if it has been said by now.
	return !c.now.aborted.Load()
}

// alive reports whether an idle connection can serve: it must be open, and the
// server must not have sent anything, for that would be taken for the beginning
// of the next reply.
func (c *conn) alive() bool {
	if c.br.Buffered() > 0 {
		return false
	}
	c.arm()
	if !c.bare.Quiet() {
		return false
	}
	if c.tls == nil {
		return true
	}
	// What has been received may hold more than was asked for.
	c.net.SetReadDeadline(time.Unix(1, 0))
	n, err := c.net.Read(make([]byte, 1))
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded)
}

// end ends one half of the exchange. The last one puts the connection back,
// if it may serve again.
func (c *conn) end() {
	if c.now.halves.Add(-1) > 0 {
		return
	}
	unwatch := c.now.unwatch
	reusable := (unwatch == nil || unwatch()) && !c.now.broken.Load() && c.br.Buffered() == 0
	if !reusable {
		c.net.Close()
		return
	}
	c.used = true
	if cap(c.head) > inlineSize { // too much to be idle
		if large := c.head; cap(large) <= pooledSize {
			c.t.heads.Put(&large)
		}
		c.head = nil
	}
	c.now = exchange{}
	c.t.idle.put(c)
}

// fail ends all use of the connection, and what waits for it.
func (c *conn) fail() {
	c.now.broken.Store(true)
	c.net.Close()
}
