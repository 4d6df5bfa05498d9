package h1

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// An exchange is one request with its body, and the request's context: it ends
// with the handler, or when the client leaves. Most handlers are done before
// anyone asks for that, and until someone does there is nothing behind it.
type exchange struct {
	c       *conn
	request *http.Request
	body    body

	mu     sync.Mutex
	own    context.Context // nil until someone asks for Done
	cancel context.CancelFunc
	over   bool
}

func newExchange(c *conn) *exchange {
	e := &exchange{c: c}
	e.body.c = c
	e.request = c.blank.WithContext(e)
	return e
}

// Deadline implements [context.Context]: there is none.
func (e *exchange) Deadline() (time.Time, bool) { return e.c.s.base.Deadline() }

// Done is closed when the exchange ends or the client leaves.
func (e *exchange) Done() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.own != nil {
		return e.own.Done()
	}
	e.own, e.cancel = context.WithCancel(e.c.s.base)
	if e.over {
		e.cancel()
	} else {
		e.c.watch.arm(e)
	}
	return e.own.Done()
}

// Err says why Done is closed.
func (e *exchange) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.own != nil:
		return e.own.Err()
	case e.over:
		return context.Canceled
	}
	return nil
}

// Value gives the values of the server.
func (e *exchange) Value(key any) any {
	e.mu.Lock()
	from := e.own // knows how contexts are derived from it
	e.mu.Unlock()
	if from == nil {
		from = e.c.s.base
	}
	return from.Value(key)
}

// leave ends the context because the client has left.
func (e *exchange) leave() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cancel != nil {
		e.cancel()
	}
}

// end ends the context. The request may be long, and the connection remembers its
// last exchange.
func (e *exchange) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over, e.request = true, nil
	if e.cancel != nil {
		e.cancel()
	}
}

// A body is the body of a request. The zero value, with a connection, is an empty
// one.
type body struct {
	c      *conn
	mu     sync.Mutex
	left   int64
	begun  bool
	closed bool
	err    error // why no more can be read
}

// enough is how much of a body is read for nothing, so that the connection can
// serve the next request.
const enough = 256 << 10

// Read reads some of the body.
func (b *body) Read(p []byte) (int, error) { return b.unlessClosed(p, b.c.net.Read) }

// ReadNow reads what has come of the body, which may be nothing. An error is Read's,
// too.
func (b *body) ReadNow(p []byte) (int, error) { return b.unlessClosed(p, b.c.net.ReadNow) }

// unlessClosed reads if the body has not been closed.
func (b *body) unlessClosed(p []byte, socket func([]byte) (int, error)) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.read(p, socket)
}

// read reads from what came with the header, and then from the socket.
func (b *body) read(p []byte, socket func([]byte) (int, error)) (n int, err error) {
	switch {
	case b.err != nil:
		return 0, b.err
	case b.left == 0:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	c := b.c
	p = p[:min(int64(len(p)), b.left)]
	if c.from < c.to {
		n = copy(p, c.buf[c.from:c.to])
		if c.from += n; c.from == c.to {
			c.giveBack()
		}
	} else {
		if !b.begun {
			b.begun = true
			c.limit(c.s.standard.ReadTimeout)
		}
		n, err = socket(p)
	}
	if b.left -= int64(n); b.left == 0 {
		c.watch.received()
		return n, io.EOF
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	b.err = err
	return n, err
}

// Close ends the reading of the body.
func (b *body) Close() error {
	b.finish()
	return nil
}

// finish closes the body, and reports whether all of it has come: the rest may be
// the next request.
func (b *body) finish() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed && 0 < b.left && b.left <= enough {
		for rest := make([]byte, 4<<10); b.left > 0; {
			if _, err := b.read(rest, b.c.net.Read); err != nil {
				break
			}
		}
	}
	b.closed = true
	return b.left == 0
}
