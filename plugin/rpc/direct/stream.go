package direct

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/mem"
)

// A stream is one call on a connection. What is not said to be atomic belongs to
// the connection's lock, and once the call is done, to who made it. Streams are
// used again: a wake that comes late wakes another call, so that whoever was
// woken looks whether anything has changed.
type stream struct {
	id     uint32
	wake   chan struct{}
	done   atomic.Bool // nothing more comes: message and err are set
	place  place       // in the queue for a stream of the connection
	batch  uint64      // the batch of writes that its headers are in
	window int         // how much the server takes before it says that it takes more
	whole  bool        // all of the call is written, or queued
	born   uint64      // the beat of the connection at which it began
	late   atomic.Bool // the answer has been waited for beyond patience

	answer  answer
	message mem.Buffer
	err     error
}

// A place is where a call stands that needs a stream when there are as many as
// the server allows.
type place int

const (
	waiting place = iota
	granted
	moved // to another connection, because this one takes no more calls
)

// streams are used again.
type streams struct{ pool sync.Pool }

func (p *streams) get() *stream {
	if s, ok := p.pool.Get().(*stream); ok {
		return s
	}
	return &stream{wake: make(chan struct{}, 1)}
}

// put takes a stream back that no connection knows any more.
func (p *streams) put(s *stream) {
	select {
	case <-s.wake:
	default:
	}
	s.done.Store(false)
	s.late.Store(false)
	s.place, s.whole, s.message, s.err = waiting, false, nil, nil
	p.pool.Put(s)
}

// notify makes the call look again. It never blocks.
func (s *stream) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// await waits until there is something to look at, or until the context has ended,
// whose error it returns. To watch a context costs more than most calls take: that
// begins when the call is late, and its connection wakes it to say so.
func (s *stream) await(ctx context.Context) error {
	if !s.late.Load() {
		<-s.wake
		return nil
	}
	select {
	case <-s.wake:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// An outgoing message is read from front to back: its prefix, then its parts.
type outgoing struct {
	prefix [messagePrefix]byte
	read   int // bytes of the prefix
	parts  mem.BufferSlice
	at     int // bytes of the first part
	left   int // bytes in all
}

func newOutgoing(message mem.BufferSlice) outgoing {
	n := message.Len()
	o := outgoing{parts: message, left: messagePrefix + n}
	binary.BigEndian.PutUint32(o.prefix[1:], uint32(n))
	return o
}

// append moves the next n bytes to b.
func (o *outgoing) append(b []byte, n int) []byte {
	o.left -= n
	if o.read < messagePrefix {
		k := min(n, messagePrefix-o.read)
		b = append(b, o.prefix[o.read:o.read+k]...)
		o.read += k
		n -= k
	}
	for n > 0 {
		part := o.parts[0].ReadOnlyData()[o.at:]
		if len(part) == 0 {
			o.parts, o.at = o.parts[1:], 0
			continue
		}
		k := min(n, len(part))
		b = append(b, part[:k]...)
		o.at += k
		n -= k
	}
	return b
}
