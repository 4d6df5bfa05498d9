// Package socket is for those who move many small messages: the listener of
// plain HTTP, and the clients of upstreams and plugins. Where a message costs a
// few microseconds, what Go's scheduler does for a read or write that might
// block is a good part of them, and sockets that do not block have no use for it.
package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// maxTransfer is the most that one system call moves, in bytes: the scheduler
// cannot take the processor away from it.
const maxTransfer = 256 << 10

// A Conn is a connection that reads and writes with less ado, if what it was made
// from is a TCP or unix connection, and else as that does.
type Conn struct {
	net.Conn
	raw     syscall.RawConn // nil where there is no socket to get at
	in, out transfer
	look    transfer // is for looking without waiting
}

// A transfer is a read or write under way. It stays with its connection, with
// the functions that the raw connection is to call, so that reading and writing
// allocate nothing.
type transfer struct {
	mu    sync.Mutex
	all   func(fd uintptr) bool // reports whether there is nothing to wait for
	once  func(fd uintptr) bool // never waits
	rest  []byte
	moved int
	err   error
}

// New makes a Conn, which is to be used in place of c.
func New(c net.Conn) *Conn {
	s := &Conn{Conn: c}
	if !supported {
		return s
	}
	switch plain := c.(type) {
	case *net.TCPConn:
		s.raw, _ = plain.SyscallConn()
	case *net.UnixConn:
		s.raw, _ = plain.SyscallConn()
	}
	s.in.all, s.out.all = s.in.read, s.out.write
	s.out.once = func(fd uintptr) bool { s.out.write(fd); return true }
	s.in.once = func(fd uintptr) bool { s.in.read(fd); return true }
	s.look.once = s.look.peek
	return s
}

// Read reads what has come, and waits for something until the deadline.
func (c *Conn) Read(p []byte) (int, error) {
	if c.raw == nil || len(p) == 0 {
		return c.Conn.Read(p)
	}
	t := &c.in
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begin(p)
	return t.end(c, "read", c.raw.Read(t.all))
}

// Write writes all of p, or what can be written before the deadline.
func (c *Conn) Write(p []byte) (int, error) {
	if c.raw == nil || len(p) == 0 {
		return c.Conn.Write(p)
	}
	t := &c.out
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begin(p)
	return t.end(c, "write", c.raw.Write(t.all))
}

// WriteNow writes what the socket takes at once, which may be nothing. It is not
// for use beside Write, for whose end it would wait.
func (c *Conn) WriteNow(p []byte) (int, error) {
	if c.raw == nil {
		return 0, nil
	}
	t := &c.out
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begin(p)
	return t.end(c, "write", c.raw.Write(t.once))
}

// Plain reports whether there is a socket to get at, so that nothing is ever held
// back above it.
func (c *Conn) Plain() bool { return c.raw != nil }

// ReadNow reads what has come, which may be nothing. It is not for use beside
// Read, for whose end it would wait, and does nothing where the connection is not
// plain.
func (c *Conn) ReadNow(p []byte) (int, error) {
	if c.raw == nil || len(p) == 0 {
		return 0, nil
	}
	t := &c.in
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begin(p)
	return t.end(c, "read", c.raw.Read(t.once))
}

// Quiet reports whether the connection is open and has nothing to read. It waits
// only where there is no socket to get at, for a millisecond, and changes the
// deadline of reading then.
func (c *Conn) Quiet() bool {
	if c.raw == nil {
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		n, err := c.Conn.Read(make([]byte, 1))
		return n == 0 && errors.Is(err, os.ErrDeadlineExceeded)
	}
	t := &c.look
	t.mu.Lock()
	defer t.mu.Unlock()
	return c.raw.Read(t.once) == nil && t.err == syscall.EAGAIN
}

// CloseWrite tells the other side that nothing more comes.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return syscall.ENOTSUP
}

func (t *transfer) begin(p []byte) { t.rest, t.moved, t.err = p, 0, nil }

// end is what a read or write comes to.
func (t *transfer) end(c *Conn, op string, err error) (int, error) {
	t.rest = nil
	switch {
	case err != nil: // a deadline, or the connection was closed
		return t.moved, err
	case t.err == nil || t.err == io.EOF:
		return t.moved, t.err
	}
	return t.moved, &net.OpError{
		Op: op, Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(),
		Err: os.NewSyscallError(op, t.err),
	}
}

func (t *transfer) read(fd uintptr) bool {
	for {
		n, err := read(fd, t.rest[:min(len(t.rest), maxTransfer)])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return false
		case err != nil:
			t.err = err
		case n == 0:
			t.err = io.EOF
		default:
			t.moved = n
		}
		return true
	}
}

func (t *transfer) write(fd uintptr) bool {
	for len(t.rest) > 0 {
		n, err := write(fd, t.rest[:min(len(t.rest), maxTransfer)])
		switch err {
		case nil:
			t.moved += n
			t.rest = t.rest[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			t.err = err
			return true
		}
	}
	return true
}

func (t *transfer) peek(fd uintptr) bool {
	var one [1]byte
	_, t.err = peek(fd, one[:])
	return true
}
