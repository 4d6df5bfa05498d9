//go:build !unix

package h1

import (
	"errors"
	"os"
	"time"
)

// peeked is nothing where a connection cannot be looked at without reading.
type peeked struct{}

// quiet reports whether the connection is open and has nothing to read. It
// waits for a moment.
func (c *conn) quiet() bool {
	if c.tls != nil {
		return true // the caller reads
	}
	c.net.SetReadDeadline(time.Now().Add(time.Millisecond))
	n, err := c.net.Read(make([]byte, 1))
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded)
}
