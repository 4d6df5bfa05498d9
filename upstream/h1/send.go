package h1

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
)

const (
	pieceSize = 32 << 10 // what a sender reads at once, its framing included
	chunkHead = 8        // room for the size of a chunk of that many bytes
	chunkTail = 2
)

// A sender sends the body of a request while its caller waits for the reply.
type sender struct {
	c *conn
	q outgoing
}

// run sends the body and ends the request's half of the exchange. A body that
// cannot be read ends the exchange. One that cannot be written does not: the
// upstream may have answered before it closed the connection.
func (s *sender) run() {
	readErr, writeErr := s.send()
	s.q.body.Close()
	switch {
	case readErr != nil:
		s.c.now.failed <- readErr
		s.c.fail()
	case writeErr != nil:
		s.c.now.broken.Store(true)
	}
	s.c.end()
}

func (s *sender) send() (readErr, writeErr error) {
	room, ok := s.c.t.buffers.Get().(*[pieceSize]byte)
	if !ok {
		room = new([pieceSize]byte)
	}
	defer s.c.t.buffers.Put(room)
	sent := s.q.ahead
	for readErr == nil {
		var n int
		n, readErr = s.q.body.Read(room[chunkHead : pieceSize-chunkTail])
		sent += int64(n)
		if s.q.length >= 0 && sent > s.q.length {
			return fmt.Errorf("the body is longer than the %d bytes announced", s.q.length), nil
		}
		if n > 0 {
			if _, err := s.c.Write(s.piece(room, n)); err != nil {
				return nil, err
			}
		}
	}
	switch {
	case readErr != io.EOF:
		return readErr, nil
	case s.q.length < 0:
		return s.last()
	case sent < s.q.length:
		return fmt.Errorf("the body ended after %d of %d bytes: %w", sent, s.q.length, io.ErrUnexpectedEOF), nil
	}
	return nil, nil
}

// piece frames n bytes that stand behind the room for a chunk's size.
func (s *sender) piece(room *[pieceSize]byte, n int) []byte {
	if s.q.length >= 0 {
		return room[chunkHead : chunkHead+n]
	}
	var digits [chunkHead]byte
	size := append(strconv.AppendInt(digits[:0], int64(n), 16), "\r\n"...)
	from := chunkHead - len(size)
	copy(room[from:], size)
	copy(room[chunkHead+n:], "\r\n")
	return room[from : chunkHead+n+chunkTail]
}

// last writes the chunk that ends the body, and the trailers.
func (s *sender) last() (readErr, writeErr error) {
	b := []byte("0\r\n")
	for name, values := range s.q.Trailer {
		var err error
		if b, err = appendField(b, name, values); err != nil {
			return err, nil
		}
	}
	_, err := s.c.Write(append(b, "\r\n"...))
	return nil, err
}

// probeTime is how long a request that rarely has a body waits for the first of
// one of unknown length: it may be empty, and then it is better not announced.
const probeTime = 200 * time.Millisecond

// probe reads the beginning of the body to find out whether there is one.
func (q *outgoing) probe() {
	p := &probed{ReadCloser: q.body, came: make(chan struct{})}
	go func() {
		p.n, p.err = p.ReadCloser.Read(p.first[:])
		close(p.came)
	}()
	q.body, q.inline = p, false
	timer := time.NewTimer(probeTime)
	defer timer.Stop()
	select {
	case <-p.came:
		if p.n == 0 && p.err == io.EOF {
			p.Close()
			q.body, q.length = nil, 0
		}
	case <-timer.C:
	}
}

// probed is a body whose beginning is read by another goroutine.
type probed struct {
	io.ReadCloser
	came  chan struct{} // closed once the fields below are set
	first [512]byte
	n     int
	err   error
	given int
}

// Read gives what the probe has read, and then the rest.
func (p *probed) Read(b []byte) (int, error) {
	<-p.came
	if p.given < p.n {
		n := copy(b, p.first[p.given:p.n])
		p.given += n
		return n, nil
	}
	if p.err != nil {
		return 0, p.err
	}
	return p.ReadCloser.Read(b)
}

// readAhead appends what has come of a body that can tell, so that a small one goes
// with the header, and on this goroutine, also where it is a client's. Why no more
// can be read is for the sender to find out.
func (q *outgoing) readAhead(b []byte) []byte {
	q.ahead = 0
	src, ok := q.body.(interface{ ReadNow([]byte) (int, error) })
	if !ok {
		return b
	}
	from := len(b)
	b = slices.Grow(b, int(q.length))
	room := b[from : from+int(q.length)]
	var err error
	for n := 1; n > 0 && err == nil; q.ahead += int64(n) {
		n, err = src.ReadNow(room[q.ahead:])
	}
	if q.inline = q.ahead == q.length && err == io.EOF; q.inline {
		q.body.Close()
	}
	return b[:from+int(q.ahead)]
}

var errInline = errors.New("the body in memory is not as long as announced")

// readInline appends a body in memory to what is written at once.
func (q *outgoing) readInline(b []byte) ([]byte, error) {
	from, n := len(b), int(q.length)
	b = append(b, make([]byte, n+1)...) // there must not be one more
	if got, err := io.ReadFull(q.body, b[from:]); got != n || err != io.ErrUnexpectedEOF {
		return b, errInline
	}
	return b[:from+n], q.body.Close()
}
