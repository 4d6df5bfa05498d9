//go:build unix

package direct

import (
	"net"
	"syscall"
)

// A descriptor writes to a socket what it takes at once. One goroutine uses it at
// a time.
type descriptor struct {
	raw  syscall.RawConn
	call func(fd uintptr) bool // made once
	rest []byte
	err  error
}

// newSocket finds out whether the connection can be written to without waiting,
// as bare sockets can. What is wrapped may do more than write.
func newSocket(c net.Conn) socket {
	var plain syscall.Conn
	switch c := c.(type) {
	case *net.TCPConn:
		plain = c
	case *net.UnixConn:
		plain = c
	default:
		return socket{Conn: c}
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return socket{Conn: c}
	}
	d := &descriptor{raw: raw}
	d.call = d.once
	return socket{c, d}
}

func (d *descriptor) write(b []byte) ([]byte, error) {
	d.rest, d.err = b, nil
	if err := d.raw.Write(d.call); err != nil {
		return d.rest, err
	}
	return d.rest, d.err
}

// once tries once; true is that there is nothing to wait for.
func (d *descriptor) once(fd uintptr) bool {
	n, err := syscall.Write(int(fd), d.rest)
	switch err {
	case nil:
		d.rest = d.rest[n:]
	case syscall.EAGAIN, syscall.EINTR:
	default:
		d.err = err
	}
	return true
}
