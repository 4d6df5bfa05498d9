package h1

import (
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"time"
)

// roundTrip writes the request and reads the header of the reply. On an error
// the connection is gone, and the request's body is closed or will be.
func (c *conn) roundTrip(q *outgoing) (*http.Response, error) {
	err := c.compose(q)
	async := q.body != nil && !q.inline
	c.begin(q.Context(), async)
	if async {
		c.now.failed = make(chan error, 1)
		c.now.halves.Store(2)
	}
	if err == nil {
		err = c.write(q, async)
	}
	if err != nil {
		if q.inline {
			q.closeBody()
		}
		return nil, c.failed(q, async, err)
	}
	r, length, err := c.response(q)
	if err != nil {
		return nil, c.failed(q, async && c.now.silence != nil, err)
	}
	if c.now.silence != nil { // the upstream has answered before it wanted the body
		c.now.silence = nil
		c.now.broken.Store(true)
		q.closeBody()
		c.end()
	}
	r.TLS = c.tls
	if r.Close || q.Close {
		c.now.broken.Store(true)
	}
	c.body(r, length)
	return &r.Response, nil
}

// failed ends an exchange that came to err; waiting says that the body has not
// been given to a sender.
func (c *conn) failed(q *outgoing, waiting bool, err error) error {
	stale := c.used && !c.now.answered && (!c.now.written || q.replayable())
	unread := c.now.failed
	c.fail()
	if waiting {
		q.closeBody()
		c.end()
	}
	select {
	case cause := <-unread: // nil without a sender
		err, stale = cause, false
	default:
	}
	c.end()
	if stale {
		return staleError{err}
	}
	return err
}

// compose makes what is written at once: the header, and what of a small body is
// here already.
func (c *conn) compose(q *outgoing) (err error) {
	if c.head == nil {
		if large, ok := c.t.heads.Get().(*[]byte); ok {
			c.head = *large
		}
	}
	c.head, err = q.appendHead(c.head[:0])
	switch {
	case err != nil:
	case q.inline:
		c.head, err = q.readInline(c.head)
	case q.body != nil && !q.expect && 0 < q.length && q.length <= inlineSize:
		c.head = q.readAhead(c.head)
	}
	return err
}

// write writes what has been composed. The body that is left is given to a
// sender, which may have to wait for 100 Continue. It reports an error only if
// the upstream cannot have said why.
func (c *conn) write(q *outgoing, async bool) error {
	n, err := c.Write(c.head)
	c.now.written = n > 0
	if err != nil {
		c.now.broken.Store(true)
		if n == 0 {
			return err
		}
	}
	if !async {
		return nil
	}
	s := &sender{c: c, q: *q}
	if !q.expect || c.t.ContinueTimeout == 0 {
		go s.run()
		return nil
	}
	c.now.silence = func() { go s.run() }
	c.net.SetReadDeadline(time.Now().Add(c.t.ContinueTimeout))
	if c.now.aborted.Load() { // its deadline may just have been lost
		return os.ErrDeadlineExceeded
	}
	return nil
}

// A response is a reply with what it needs besides, in one piece.
type response struct {
	http.Response
	encoding [1]string
	reader   body
}

// response reads the header of the reply, and gives interim replies to those
// who want them. It returns the length of the body, -1 for one in chunks and -2
// for one that ends with the connection.
func (c *conn) response(q *outgoing) (*response, int64, error) {
	limit := c.t.maxHeader()
	for {
		head, err := c.readHead(limit)
		if err != nil {
			return nil, 0, err
		}
		r := &response{}
		r.Request = q.Request
		fields, err := parseStatus(head, &r.Response)
		if err == nil {
			r.Header, err = parseFields(fields)
		}
		if err != nil {
			return nil, 0, err
		}
		length, err := r.frame(q.Method)
		if err != nil || r.StatusCode >= 200 || r.StatusCode == http.StatusSwitchingProtocols {
			return r, length, err
		}
		if limit, err = c.interim(q, r, limit-len(head)); err != nil {
			return nil, 0, err
		}
	}
}

func (t *Transport) maxHeader() int {
	if t.MaxHeaderBytes > 0 {
		return t.MaxHeaderBytes
	}
	return 1 << 20
}

// interim passes an interim reply on, and returns how long the header of the
// next reply may be: whoever takes interim replies has to limit them.
func (c *conn) interim(q *outgoing, r *response, left int) (int, error) {
	if r.StatusCode == http.StatusContinue && c.now.silence != nil {
		c.now.silence()
		c.now.silence = nil
	}
	trace := httptrace.ContextClientTrace(q.Context())
	if trace == nil || trace.Got1xxResponse == nil {
		return left, nil
	}
	return c.t.maxHeader(), trace.Got1xxResponse(r.StatusCode, textproto.MIMEHeader(r.Header))
}
