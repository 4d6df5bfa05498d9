package direct

import (
	"errors"
	"os"
	"time"
)

// A role says who reads a connection. While there are calls, somebody does. A call
// that is alone reads for itself: to wake it from another goroutine is a good part
// of what a call costs, above all on a machine with a processor to spare, where
// another thread is woken to look for more work. Where several wait, a goroutine
// reads for all of them, often more than one answer at once. It also reads when
// there have been no calls for a while, to see what becomes of the connection: as
// long as nobody reads, the pulse beats.
type role int

const (
	nobody role = iota
	caller
	keeper
)

// lead makes a call that is alone the reader, after it has dealt with what has come
// while nobody read. It has the lock, and gives it up meanwhile.
func (c *conn) lead() bool {
	if c.role != nobody || c.retired {
		return false
	}
	c.role = caller
	c.mu.Unlock()
	err := c.in.poll()
	c.mu.Lock()
	switch {
	case err != nil:
		c.in.give(err)
		return false
	case c.open < c.server.streams && !c.retired:
		return true
	}
	c.delegate()
	return false
}

// resign leaves reading to the goroutine, or to the next call where nobody waits.
// It has the lock.
func (c *conn) resign() {
	c.leader = nil
	if c.open > 0 || len(c.queue) > 0 || c.retired {
		c.delegate()
		return
	}
	c.role = nobody
	c.revive()
}

// delegate leaves reading to the goroutine.
func (c *conn) delegate() {
	c.role = keeper
	c.turn.call()
}

// A turn makes the goroutine look whether it is to read.
type turn chan struct{}

func (t turn) call() {
	select {
	case t <- struct{}{}:
	default:
	}
}

// follow reads until a call that leads has its answer, or has waited for so long
// that its context has to be watched.
func (r *reader) follow(s *stream) {
	var err error
	for err == nil && !s.done.Load() {
		err = r.frame()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.late.Load() { // by a deadline of reading that has come, or is still to
		r.socket.SetReadDeadline(time.Time{})
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil
		}
	}
	if r.resign(); err != nil {
		r.give(err)
	}
}

// give leaves an end of the connection to the goroutine. No other call is to go the
// same way.
func (r *reader) give(err error) {
	r.broken = err
	r.retire()
	r.delegate()
}

// run is the goroutine: it reads when it is its turn, until the connection ends.
func (r *reader) run() {
	for {
		for r.stays() {
			err := r.frame()
			for err == nil && whole(r.buf[r.from:r.to]) {
				err = r.frame()
			}
			if err != nil {
				r.blame(err)
				return
			}
		}
		<-r.turn
		r.mu.Lock()
		over := r.err != nil
		r.mu.Unlock()
		if over {
			return
		}
	}
}

// stays reports whether it is the goroutine that has to read. It leaves that to the
// next call when there have been some and none is left.
func (c *conn) stays() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.role == keeper && c.pulse.busy && c.open == 0 && len(c.queue) == 0 && !c.retired && c.socket.Plain() {
		c.role = nobody
	}
	return c.role == keeper
}

// poll deals with what has come, and does not wait for more, nor go on for as long as
// more comes.
func (r *reader) poll() error {
	const enough = 4
	for range enough {
		for whole(r.buf[r.from:r.to]) {
			if err := r.frame(); err != nil {
				return err
			}
		}
		r.compact(frameHeader + minFrameSize)
		n, err := r.socket.ReadNow(r.buf[r.to:])
		if n == 0 {
			return err
		}
		r.to += n
		r.alive.heard.Store(true)
	}
	return nil
}

// whole reports whether what has been read begins with a whole frame, or with one that
// is too large.
func whole(read []byte) bool {
	if len(read) < frameHeader {
		return false
	}
	length := parseHeader(read).length
	return length > minFrameSize || len(read) >= frameHeader+length
}
