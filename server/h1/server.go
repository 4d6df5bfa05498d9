// Package h1 serves HTTP/1.1 and keeps an exchange on one goroutine: the one that
// reads a request runs its handler and writes the reply, where net/http's server
// has a second one watch the connection during every request. The client is
// watched here too, but only once an exchange has lasted a while and someone asks.
//
// It takes the plain requests: a header that came whole and can be read in one way
// only, and a body whose length is known, if any. A connection with anything else
// on it (another protocol, a switch to one, chunks, Expect, whatever looks wrong)
// is given to net/http's server, unread, and stays there: what is unusual is its
// business, and so are the refusals.
package h1

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// A Server serves the plain requests of clients without TLS. It is for use by one
// call of Serve.
type Server struct {
	standard *http.Server
	base     context.Context
	handed   *handover

	mu      sync.Mutex
	closing atomic.Bool
	listen  net.Listener
	open    map[*conn]struct{}
	ended   sync.WaitGroup // one for each open connection

	today atomic.Pointer[date]
	rooms sync.Pool // of *[]byte, for replies
	heads sync.Pool // of *[]byte, for long headers
}

// New makes a server that serves with the handler, the timeouts and the log of a
// standard one, which gets the connections that are not for it, and those with a
// header that is longer than it should be. Of its other settings it knows the
// protocols alone.
func New(standard *http.Server) *Server {
	return &Server{standard: standard, open: map[*conn]struct{}{}, handed: newHandover()}
}

// Serve serves the clients of a listener until the server is shut down or closed,
// and then returns [http.ErrServerClosed].
func (s *Server) Serve(l net.Listener) error {
	s.base = context.WithValue(context.WithValue(context.Background(), http.ServerContextKey, s.standard), http.LocalAddrContextKey, l.Addr())
	s.handed.addr = l.Addr()
	s.mu.Lock()
	s.listen = l
	s.mu.Unlock()
	go s.standard.Serve(s.handed)
	defer l.Close()
	for wait := time.Duration(0); ; {
		bare, err := l.Accept()
		switch {
		case s.closing.Load():
			if err == nil {
				bare.Close()
			}
			return http.ErrServerClosed
		case err == nil:
			wait = 0
			s.accept(bare)
		case temporary(err):
			wait = min(max(5*time.Millisecond, 2*wait), time.Second)
			time.Sleep(wait) // descriptors may come back
		default:
			return err
		}
	}
}

// temporary reports whether listening may go on, as after running out of
// descriptors.
func temporary(err error) bool {
	e, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err)
	return ok && e.Temporary()
}

func (s *Server) accept(bare net.Conn) {
	c := newConn(s, bare)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		bare.Close()
		return
	}
	s.open[c] = struct{}{}
	s.ended.Add(1)
	go func() {
		defer s.forget(c)
		c.serve()
	}()
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
	s.ended.Done()
}

// maxHead is how long a header may be that is read here. What is longer may still be
// for the standard server, which takes up to 4 KiB more than it is told.
func (s *Server) maxHead() int {
	if limit := s.standard.MaxHeaderBytes; limit > 0 {
		return limit
	}
	return http.DefaultMaxHeaderBytes
}

// Shutdown stops listening, closes the connections on which nothing is under way,
// and waits for the others until the context ends, whose error it returns then.
func (s *Server) Shutdown(ctx context.Context) error {
	done := make(chan struct{})
	s.stop()
	go func() {
		s.ended.Wait()
		close(done)
	}()
	tick := time.NewTicker(50 * time.Millisecond) // new connections become idle ones
	defer tick.Stop()
	for {
		s.each((*conn).retire)
		select {
		case <-done:
			return s.standard.Shutdown(ctx)
		case <-ctx.Done():
			return errors.Join(ctx.Err(), s.standard.Shutdown(ctx))
		case <-tick.C:
		}
	}
}

// Close stops listening and closes all connections at once.
func (s *Server) Close() error {
	s.stop()
	s.each(func(c *conn) { c.net.Close() })
	return s.standard.Close()
}

func (s *Server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing.Store(true)
	if s.listen != nil {
		s.listen.Close()
	}
}

func (s *Server) each(do func(*conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		do(c)
	}
}

// A date is the time as replies tell it, which is good for a second.
type date struct {
	second int64
	text   string
}

func (s *Server) date() string {
	now := time.Now()
	d := s.today.Load()
	if d == nil || d.second != now.Unix() {
		d = &date{now.Unix(), now.UTC().Format(http.TimeFormat)}
		s.today.Store(d)
	}
	return d.text
}

// A handover is the listener through which the standard server gets connections.
type handover struct {
	addr  net.Addr
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newHandover() *handover {
	return &handover{conns: make(chan net.Conn), done: make(chan struct{})}
}

// give gives a connection away, or closes it where nobody takes it any more.
func (h *handover) give(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.done:
		c.Close()
	}
}

// Accept implements [net.Listener].
func (h *handover) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (h *handover) Close() error {
	h.once.Do(func() { close(h.done) })
	return nil
}

// Addr implements [net.Listener].
func (h *handover) Addr() net.Addr { return h.addr }

// A begun connection is one of which the beginning has been read already.
type begun struct {
	net.Conn
	head []byte
}

// Read reads what was read before, and then what comes.
func (b *begun) Read(p []byte) (int, error) {
	if len(b.head) == 0 {
		return b.Conn.Read(p)
	}
	n := copy(p, b.head)
	if b.head = b.head[n:]; len(b.head) == 0 {
		b.head = nil // the connection may last
	}
	return n, nil
}

// CloseWrite tells the client that nothing more will be written.
func (b *begun) CloseWrite() error {
	half, ok := b.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}
