package h1

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/grapnel-gateway/grapnel/socket"
)

const (
	// ownSize is how much of what comes a connection has room for. Most headers
	// are shorter; for others it borrows some.
	ownSize = 4 << 10
	// pooledSize is how much room for a header is kept for another one.
	pooledSize = 64 << 10
	// newFor is how long a connection that has not sent anything is waited for
	// at shutdown.
	newFor = 5 * time.Second
	// slack is by how much connections may be idle for less than they should:
	// deadlines are moved that much at once.
	slack   = time.Second
	headEnd = "\r\n\r\n"
	// linger is how long a client has to read a reply that came before all of
	// its request was read: what it sends after the connection was closed would
	// have its system drop the reply.
	linger = 500 * time.Millisecond
)

// errUnusual is what reading a header comes to that is for the standard server.
var errUnusual = errors.New("the request is not a plain one")

// The states of a connection.
const (
	fresh   int32 = iota // nothing has come yet
	idle                 // between two requests
	busy                 // a request is under way
	retired              // closed by the server's end
)

// A conn is one connection, served by one goroutine.
type conn struct {
	s        *Server
	net      *socket.Conn
	remote   string
	accepted time.Time
	state    atomic.Int32
	served   bool // a request
	posted   bool // the last one was a POST, and nothing has come behind it

	own      [ownSize]byte
	lent     *[]byte   // the server's, instead of own; nil is none
	buf      []byte    // one of them
	from, to int       // what of buf has come and is not used yet
	deadline time.Time // of reading; zero is none
	blank    *http.Request
	reply    reply
	watch    watch
}

func newConn(s *Server, bare net.Conn) *conn {
	c := &conn{s: s, net: socket.New(bare), remote: bare.RemoteAddr().String(), accepted: time.Now(), blank: &http.Request{}}
	c.buf = c.own[:]
	c.reply.c, c.reply.header = c, http.Header{}
	c.watch.c = c
	c.watch.idle.L = &c.watch.mu
	return c
}

// retire closes the connection if nothing is under way.
func (c *conn) retire() {
	if c.state.CompareAndSwap(idle, retired) || time.Since(c.accepted) > newFor && c.state.CompareAndSwap(fresh, retired) {
		c.net.Close()
	}
}

// serve serves the requests of the connection, until it ends or something comes
// that is for the standard server.
func (c *conn) serve() {
	for {
		head, err := c.readHead()
		if err == nil {
			var e *exchange
			if e, err = c.parse(string(head)); err == nil {
				if c.from += len(head); c.from == c.to {
					c.giveBack() // the exchange may last
				}
				if c.exchange(e) {
					continue
				}
			}
		}
		if errors.Is(err, errUnusual) {
			c.giveAway()
			return
		}
		c.net.Close()
		return
	}
}

func (c *conn) giveAway() {
	c.net.SetReadDeadline(time.Time{})
	head := bytes.Clone(c.buf[c.from:c.to])
	c.giveBack()
	c.s.handed.give(&begun{Conn: c.net, head: head})
}

// readHead reads up to the empty line behind a header, and returns what it read
// up to there. It stays in the buffer.
func (c *conn) readHead() ([]byte, error) {
	waiting := false // for the rest of a header
	seen := 0        // of which so much has been looked at
	for {
		got := c.buf[c.from:c.to]
		if c.posted && len(got) >= 4 {
			c.from += stray(got[:4])
			c.posted, c.served = false, false
			continue
		}
		if n := bytes.Index(got[seen:], []byte(headEnd)); n >= 0 {
			c.state.Store(busy)
			return got[:seen+n+len(headEnd)], nil
		}
		if len(got) == 0 {
			waiting = false
			c.giveBack()
			c.rest()
		} else if !waiting {
			waiting = true
			c.state.Store(busy)
			c.limit(c.s.standard.ReadHeaderTimeout)
		}
		if c.from > 0 {
			c.to = copy(c.buf, got)
			c.from = 0
		}
		// Behind a request, less may be nothing but an empty line.
		telling := c.to >= 4 || c.to > 0 && !c.served
		if telling && oneSided(c.buf[:c.to], seen) || c.to == len(c.buf) && !c.borrow() {
			return nil, errUnusual
		}
		if telling {
			seen = max(0, c.to-len(headEnd)+1)
		}
		n, err := c.net.Read(c.buf[c.to:])
		if err == io.EOF && telling {
			return nil, errUnusual // which says so
		}
		if err != nil {
			return nil, err
		}
		c.to += n
		if c.state.Swap(busy) == retired {
			return nil, net.ErrClosed
		}
	}
}

// stray is how many of these bytes are ends of lines. Old clients send some behind the
// body of a POST, and net/http passes over so many of them [RFC 9112, 2.2].
func stray(b []byte) int { return len(b) - len(bytes.TrimLeft(b, "\r\n")) }

// oneSided reports whether a line that ends behind the first seen bytes does so with
// LF alone: it may be the header's last.
func oneSided(b []byte, seen int) bool {
	for {
		n := bytes.IndexByte(b[seen:], '\n')
		if n < 0 {
			return false
		}
		seen += n
		if seen == 0 || b[seen-1] != '\r' {
			return true
		}
		seen++
	}
}

// borrow doubles the room for a header, whose beginning fills what there is, and
// reports whether there may be as much.
func (c *conn) borrow() bool {
	size := min(2*len(c.buf), c.s.maxHead())
	if size <= len(c.buf) {
		return false
	}
	if c.lent != nil && size <= len(*c.lent) {
		c.buf = (*c.lent)[:size]
		return true
	}
	wide, ok := c.s.heads.Get().(*[]byte)
	if !ok || len(*wide) < size {
		room := make([]byte, size)
		wide = &room
	}
	had := copy(*wide, c.buf)
	c.giveBack()
	c.lent, c.buf, c.to = wide, (*wide)[:size], had
	return true
}

// giveBack gives up what has come, and the room that was borrowed for it.
func (c *conn) giveBack() {
	if c.lent != nil {
		if len(*c.lent) <= pooledSize {
			c.s.heads.Put(c.lent)
		}
		c.lent, c.buf = nil, c.own[:]
	}
	c.from, c.to = 0, 0
}

// rest bounds how long the next request may be in coming.
func (c *conn) rest() {
	if c.state.CompareAndSwap(busy, idle) {
		limit := c.s.standard.IdleTimeout
		if until := time.Until(c.deadline); limit < 10*slack || until > limit || until < limit-slack {
			c.limit(limit)
		}
		return
	}
	c.limit(c.s.standard.ReadHeaderTimeout) // the first one
}

// limit bounds what is read from now on; 0 is no limit.
func (c *conn) limit(d time.Duration) {
	if d > 0 {
		c.until(time.Now().Add(d))
	} else if !c.deadline.IsZero() {
		c.until(time.Time{})
	}
}

func (c *conn) until(t time.Time) {
	c.deadline = t
	c.net.SetReadDeadline(t)
}

// exchange runs the handler and ends its reply. It reports whether the connection
// can serve another request.
func (c *conn) exchange(e *exchange) (again bool) {
	s := c.s.standard
	if s.WriteTimeout > 0 {
		c.net.SetWriteDeadline(time.Now().Add(s.WriteTimeout))
		defer c.net.SetWriteDeadline(time.Time{})
	}
	c.served, c.posted = true, e.request.Method == http.MethodPost
	c.watch.begin(e)
	c.reply.begin(e)
	finished := c.run(e)
	if finished {
		c.reply.finish()
	} else {
		c.reply.abandon()
	}
	e.end()
	c.watch.end()
	whole := e.body.finish()
	again = finished && whole && c.reply.reusable() && !c.s.closing.Load()
	if finished && !whole {
		c.leave()
	}
	c.reply.end()
	return again
}

// push puts a byte behind what has come.
func (c *conn) push(b byte) {
	if c.to == len(c.buf) { // then the header before it has gone from the beginning
		c.to = copy(c.buf, c.buf[c.from:c.to])
		c.from = 0
	}
	c.buf[c.to] = b
	c.to++
}

// run reports whether the handler came to its end.
func (c *conn) run(e *exchange) (finished bool) {
	defer func() {
		if v := recover(); v != nil && v != http.ErrAbortHandler && c.s.standard.ErrorLog != nil {
			c.s.standard.ErrorLog.Printf("http: panic serving %v: %v\n%s", c.remote, v, debug.Stack())
		}
	}()
	c.s.standard.Handler.ServeHTTP(&c.reply, e.request)
	return true
}

// leave gives the client time to read the reply before the connection is closed.
func (c *conn) leave() {
	c.net.CloseWrite()
	time.Sleep(linger)
}
