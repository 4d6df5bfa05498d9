//go:build !unix

package direct

import "net"

// A descriptor writes to a socket what it takes at once; here none does.
type descriptor struct{}

func newSocket(c net.Conn) socket { return socket{Conn: c} }

func (*descriptor) write(b []byte) ([]byte, error) { return b, nil }
