//go:build unix

package h1

import "syscall"

// peeked is what a look at a connection finds. It stays with the connection, so
// that looking allocates nothing.
type peeked struct {
	look  func(fd uintptr) bool
	quiet bool
	one   [1]byte
}

// quiet reports whether the connection is open and has nothing to read. It does
// not wait.
func (c *conn) quiet() bool {
	p := &c.peeked
	if p.look == nil {
		p.look = func(fd uintptr) bool {
			_, _, err := syscall.Recvfrom(int(fd), p.one[:], syscall.MSG_PEEK) // the descriptor does not block
			p.quiet = err == syscall.EAGAIN
			return true
		}
	}
	return c.raw.Read(p.look) == nil && p.quiet
}
