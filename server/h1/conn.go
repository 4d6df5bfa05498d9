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
)

const (
	// headSize is how long the header of a plain request may be.
	headSize = 4 << 10
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
	net      net.Conn
	remote   string
	accepted time.Time
	state    atomic.Int32
	served   bool // a request
	posted   bool // the last one was a POST, and nothing has come behind it

	buf      [headSize]byte
	from, to int       // what of buf has come and is not used yet
	deadline time.Time // of reading; zero is none
	blank    *http.Request
	reply    reply
	watch    watch
}

func newConn(s *Server, bare net.Conn) *conn {
	c := &conn{s: s, net: bare, remote: bare.RemoteAddr().String(), accepted: time.Now(), blank: &http.Request{}}
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
				c.from += len(head)
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
	c.s.handed.give(&begun{Conn: c.net, head: bytes.Clone(c.buf[c.from:c.to])})
}

// readHead reads up to the empty line behind a header, and returns what it read
// up to there. It stays in the buffer.
func (c *conn) readHead() ([]byte, error) {
	waiting := false // for the rest of a header
	for {
		got := c.buf[c.from:c.to]
		if c.posted && len(got) >= 4 {
			c.from += stray(got[:4])
			c.posted, c.served = false, false
			continue
		}
		if n := bytes.Index(got, []byte(headEnd)); n >= 0 {
			c.state.Store(busy)
			return got[:n+len(headEnd)], nil
		}
		if len(got) == 0 {
			c.from, c.to, waiting = 0, 0, false
			c.rest()
		} else if !waiting {
			waiting = true
			c.state.Store(busy)
			c.limit(c.s.standard.ReadHeaderTimeout)
		}
		if c.from > 0 {
			c.to = copy(c.buf[:], got)
			c.from = 0
		}
		// Behind a request, less may be nothing but an empty line.
		telling := c.to >= 4 || c.to > 0 && !c.served
		if c.to == len(c.buf) || telling && oneSided(c.buf[:c.to]) {
			return nil, errUnusual
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

// oneSided reports whether a line ends with LF alone: it may be the header's last.
func oneSided(b []byte) bool {
	for {
		n := bytes.IndexByte(b, '\n')
		if n < 0 {
			return false
		}
		if n == 0 || b[n-1] != '\r' {
			return true
		}
		b = b[n+1:]
	}
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
		c.to = copy(c.buf[:], c.buf[c.from:c.to])
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
	if half, ok := c.net.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	time.Sleep(linger)
}
