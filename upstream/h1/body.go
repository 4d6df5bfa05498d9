package h1

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"time"
)

// maxTrailer bounds the trailers behind a body.
const maxTrailer = 4 << 10

// A body is the body of a reply. The exchange ends with its last byte, or when
// it is closed.
type body struct {
	c      *conn
	resp   *http.Response // has the trailers
	chunks io.Reader      // decodes what comes in chunks
	left   int64          // untilEnds, or what is left to read

	mu      sync.Mutex
	reading bool
	closed  bool
	err     error // the end, once it was reached
}

// body gives the reply its body, and ends the exchange where there is none.
func (c *conn) body(r *response, length int64) {
	switch {
	case r.StatusCode == http.StatusSwitchingProtocols:
		c.switched(r)
	case length == 0:
		r.Body = http.NoBody
		c.end()
	default:
		r.reader = body{c: c, resp: &r.Response, left: length}
		if length == inChunks {
			r.reader.chunks = httputil.NewChunkedReader(c.br)
		}
		r.Body = &r.reader
	}
}

// Read reads some of the body. A body that ends before it should is an error;
// one whose request's context has ended gives its cause.
func (b *body) Read(p []byte) (int, error) {
	if err := b.lock(); err != nil {
		return 0, err
	}
	n, err := b.read(p)
	if err != nil && err != io.EOF {
		if cause := context.Cause(b.c.now.ctx); cause != nil {
			err = cause
		}
	}
	b.unlock(err)
	return n, err
}

// lock begins a read, unless there is nothing to read any more.
func (b *body) lock() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.err != nil:
		return b.err
	case b.closed:
		return http.ErrBodyReadAfterClose
	}
	b.reading = true
	return nil
}

// unlock ends a read that came to err, and the exchange with the last one.
func (b *body) unlock(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil && b.closed { // while it was read
		err = http.ErrBodyReadAfterClose
	}
	b.reading, b.err = false, err
	if err == nil {
		return
	}
	if err != io.EOF {
		b.c.fail()
	}
	b.c.end()
}

func (b *body) read(p []byte) (n int, err error) {
	switch {
	case b.chunks != nil:
		if n, err = b.chunks.Read(p); err == io.EOF {
			err = b.trailers()
		}
		return n, err
	case b.left == untilEnds:
		return b.c.br.Read(p)
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err = b.c.br.Read(p)
	if b.left -= int64(n); b.left == 0 {
		return n, io.EOF
	}
	return n, early(err)
}

// trailers reads what follows the last chunk, and returns io.EOF when that is
// as it should be. Framing cannot be changed after the fact.
func (b *body) trailers() error {
	head, err := b.c.readHead(maxTrailer)
	if err != nil {
		return early(err)
	}
	if !strings.HasSuffix("\r\n"+head, "\r\n\r\n") {
		return malformed("trailers", head)
	}
	if head == "\r\n" {
		return io.EOF
	}
	trailer, err := parseFields(head)
	if err != nil {
		return err
	}
	for name := range trailer {
		if framing(name) {
			return malformed("trailer", name)
		}
	}
	if b.resp.Trailer == nil {
		b.resp.Trailer = trailer
	} else {
		maps.Copy(b.resp.Trailer, trailer)
	}
	return io.EOF
}

// Close ends the exchange. The connection can be used again if the rest of the
// body is here already. Close may be called while another goroutine reads.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.err != nil {
		b.closed = true
		return nil
	}
	b.closed = true
	if b.reading {
		b.c.fail() // ends the read, which ends the exchange
		return nil
	}
	b.c.now.local = true
	rest := b.c.head[:cap(b.c.head)]
	for b.err == nil {
		_, b.err = b.read(rest)
	}
	if b.err != io.EOF {
		b.c.fail()
	}
	b.err = http.ErrBodyReadAfterClose
	b.c.end()
	return nil
}

// switched gives the reply a body that is the connection itself, which serves
// another protocol from now on, if that is what the reply says. The request's
// context does not end it any more.
func (c *conn) switched(r *response) {
	if c.now.unwatch != nil && !c.now.unwatch() || r.Header["Upgrade"] == nil {
		r.Body = http.NoBody
		c.fail()
		c.end()
		return
	}
	c.net.SetDeadline(time.Time{})
	r.Body = &tunnel{c}
}

// A tunnel is a connection that was switched to another protocol. It can be
// written to, and one side of it can be closed.
type tunnel struct{ c *conn }

// Read reads what the upstream sends.
func (t *tunnel) Read(p []byte) (int, error) {
	if t.c.br.Buffered() > 0 {
		return t.c.br.Read(p)
	}
	return t.c.net.Read(p)
}

// Write writes to the upstream.
func (t *tunnel) Write(p []byte) (int, error) { return t.c.net.Write(p) }

// Close closes both sides.
func (t *tunnel) Close() error { return t.c.net.Close() }

// CloseWrite tells the upstream that nothing more will be written.
func (t *tunnel) CloseWrite() error {
	half, ok := t.c.net.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}
