package direct

import "runtime"

// An outbox is what is to be written to a connection. Who queues something writes
// it, together with all that others queue meanwhile; what the socket does not
// take at once is left to a goroutine, so that nobody waits for the server beyond
// his deadline. The connection's lock guards it.
type outbox struct {
	queue   []byte
	spare   []byte // the memory of the batch before
	answers int    // bytes of the queue that answer frames, and are nobody's message
	pongs   []byte // answers to pings, which can wait
	batch   uint64 // the number of the one that is being queued
	writing bool
	blocked []*stream       // calls that wait for room, here or in a window
	sent    chan<- struct{} // is closed when all is written; nil is that nobody waits
}

// Sizes: of the queue from which calls wait, of the answers in it at which a server is
// cut off that asks for them and does not read them, of memory that is kept, and of
// answers to pings that do not wait any more. And how many batches a caller writes
// before a goroutine takes over.
const (
	fullQueue   = 64 << 10
	brokenQueue = 4 << 20
	spareQueue  = 256 << 10
	fullPongs   = 1 << 10
	maxBatches  = 4
)

// headers queues a header block, in frames of so many bytes at most.
func (o *outbox) headers(id uint32, block []byte, frame int) {
	kind := byte(frameHeaders)
	for {
		n, flags := len(block), byte(flagEndHeaders)
		if n > frame {
			n, flags = frame, 0
		}
		o.queue = append(appendHeader(o.queue, n, kind, flags, id), block[:n]...)
		if block = block[n:]; len(block) == 0 {
			return
		}
		kind = frameContinuation
	}
}

// takePongs queues the answers to pings. Servers that measure how fast they may be
// sent to, as those of gRPC do, ask again as soon as they have an answer: with every
// call, for which both sides are woken twice. So answers wait for the next beat,
// unless a message is being sent, for which the server may open its window.
func (o *outbox) takePongs() {
	o.queue = append(o.queue, o.pongs...)
	o.answers += len(o.pongs)
	o.pongs = o.pongs[:0]
}

// flush sees to it that what is queued gets written, and releases the lock.
func (c *conn) flush() {
	if c.out.writing || len(c.out.queue) == 0 {
		c.mu.Unlock()
		return
	}
	c.out.writing = true
	if len(c.streams) > 1 {
		// Others are at it too: what they queue now saves system calls.
		c.mu.Unlock()
		runtime.Gosched()
		c.mu.Lock()
	}
	for n := 0; ; n++ {
		batch := c.nextBatch()
		if batch == nil {
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		rest, err := batch, error(nil)
		if n < maxBatches {
			var written int
			written, err = c.socket.WriteNow(batch)
			rest = batch[written:]
		}
		if len(rest) > 0 || err != nil {
			go c.drain(batch, rest, err)
			return
		}
		c.mu.Lock()
		c.out.reuse(batch)
	}
}

// drain writes the rest of a batch, and all that is queued meanwhile.
func (c *conn) drain(batch, rest []byte, err error) {
	for batch != nil {
		if err == nil {
			_, err = c.socket.Write(rest)
		}
		if err != nil {
			c.fail(err)
			return
		}
		c.mu.Lock()
		c.out.reuse(batch)
		batch = c.nextBatch()
		c.mu.Unlock()
		rest = batch
	}
}

// nextBatch takes what is queued, and nil ends the writing.
func (c *conn) nextBatch() []byte {
	o := &c.out
	if len(o.queue) == 0 {
		o.writing = false
		o.release()
		return nil
	}
	batch := o.queue
	o.queue, o.spare, o.answers = o.spare[:0], nil, 0
	o.batch++
	if len(o.blocked) > 0 {
		o.unblock()
	}
	return batch
}

// release tells who waits that nothing more gets written.
func (o *outbox) release() {
	if o.sent != nil {
		close(o.sent)
		o.sent = nil
	}
}

func (o *outbox) reuse(batch []byte) {
	if cap(batch) <= spareQueue {
		o.spare = batch
	}
}

// unblock makes calls look whether there is room for more of their messages.
func (o *outbox) unblock() {
	for _, s := range o.blocked {
		s.notify()
	}
	o.blocked = o.blocked[:0]
}
