package direct

import (
	"errors"
	"io"
	"time"

	"golang.org/x/net/http2/hpack"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// A reader takes a connection's frames as they come. Whoever reads has it to
// himself, and never waits for a write.
type reader struct {
	*conn
	buf      []byte // holds any frame whole
	from, to int    // what of it has been read and not yet taken

	hpack  *hpack.Decoder
	fields fields // of the header block that is being read
	block  header // the frame that began it, if its stream is not 0
	bytes  int    // of the block, frames included

	room int // what the server knows that it may send ahead

	broken error // what a call has met that led; the goroutine deals with it
}

// readBuffer is how much is read at once.
const readBuffer = 64 << 10

func newReader(c *conn) *reader {
	r := &reader{conn: c, buf: make([]byte, readBuffer), room: rpc.ConnWindow}
	r.hpack = hpack.NewDecoder(tableSize, func(f hpack.HeaderField) { r.fields.add(f) })
	r.hpack.SetMaxStringLength(maxFields)
	return r
}

// greet begins the connection on both sides: the server's settings are known
// after it.
func (r *reader) greet(timeout time.Duration) error {
	r.socket.SetDeadline(time.Now().Add(timeout)) // a connection without deadlines fails later
	hello := append([]byte(clientPreface), appendHeader(nil, 3*settingLength, frameSettings, 0, 0)...)
	hello = appendSetting(hello, settingEnablePush, 0)
	hello = appendSetting(hello, settingInitialWindowSize, rpc.StreamWindow)
	hello = appendSetting(hello, settingMaxHeaderListSize, maxFields)
	hello = appendWindowUpdate(hello, 0, rpc.ConnWindow-firstWindow)
	if _, err := r.socket.Write(hello); err != nil {
		return err
	}
	h, content, err := r.next()
	if err == nil && (h.kind != frameSettings || h.has(flagAck)) {
		err = faulty(errProtocol, "the server did not begin with its settings")
	}
	if err == nil {
		err = r.handle(h, content)
	}
	if err != nil {
		return err
	}
	return r.socket.SetDeadline(time.Time{})
}

// frame reads a frame and does what it asks for.
func (r *reader) frame() error {
	if r.broken != nil {
		return r.broken
	}
	h, content, err := r.next()
	if err != nil {
		return err
	}
	return r.handle(h, content)
}

// farewell bounds how long a connection stays open for its last word.
const farewell = time.Second

// blame ends the connection. The server is told if it was its fault.
func (r *reader) blame(err error) {
	f, ok := errors.AsType[*fault](err)
	if !ok {
		r.fail(err)
		return
	}
	r.mu.Lock()
	if r.err != nil {
		r.mu.Unlock()
		return // somebody else has ended it
	}
	r.abort(err)
	r.out.queue = appendGoAway(r.out.queue, f.code)
	sent := make(chan struct{})
	r.out.sent = sent
	r.flush()
	select {
	case <-sent:
	case <-time.After(farewell):
	}
	r.socket.Close()
}

// next reads a frame. Its content holds until the next one is read.
func (r *reader) next() (header, []byte, error) {
	if err := r.fill(frameHeader); err != nil {
		return header{}, nil, err
	}
	h := parseHeader(r.buf[r.from:])
	if h.length > minFrameSize {
		return header{}, nil, faulty(errFrameSize, "a frame of %d bytes", h.length)
	}
	if err := r.fill(frameHeader + h.length); err != nil {
		return header{}, nil, err
	}
	content := r.buf[r.from+frameHeader : r.from+frameHeader+h.length]
	r.from += frameHeader + h.length
	return h, content, nil
}

// fill reads until there are n bytes.
func (r *reader) fill(n int) error {
	if r.to-r.from >= n {
		return nil
	}
	r.compact(n)
	for r.to-r.from < n {
		got, err := r.socket.Read(r.buf[r.to:])
		r.to += got
		if got > 0 {
			r.alive.heard.Store(true)
		} else if err == nil {
			err = io.ErrNoProgress
		}
		if err != nil && r.to-r.from < n {
			return err
		}
	}
	return nil
}

// compact makes room for n bytes from where the next frame begins.
func (r *reader) compact(n int) {
	if r.from+n > len(r.buf) || r.from == r.to {
		r.to = copy(r.buf, r.buf[r.from:r.to])
		r.from = 0
	}
}

// handle does what a frame asks for. An error ends the connection.
func (r *reader) handle(h header, content []byte) error {
	if r.block.stream != 0 && (h.kind != frameContinuation || h.stream != r.block.stream) {
		return faulty(errProtocol, "a header block is interrupted")
	}
	switch h.kind {
	case frameData:
		return r.data(h, content)
	case frameHeaders:
		return r.headers(h, content)
	case frameContinuation:
		if r.block.stream == 0 {
			return faulty(errProtocol, "a continuation of nothing")
		}
		return r.fragment(h, content)
	case framePriority:
		if h.stream == 0 || h.length != priorityLength {
			return faulty(errFrameSize, "a malformed priority")
		}
		return nil // it says nothing to a client
	case frameReset:
		return r.reset(h, content)
	case frameSettings:
		return r.settings(h, content)
	case framePushPromise:
		return faulty(errProtocol, "a push that was forbidden")
	case framePing:
		return r.ping(h, content)
	case frameGoAway:
		return r.goAway(h, content)
	case frameWindowUpdate:
		return r.windowUpdate(h, content)
	}
	return nil // frames of other kinds are extensions
}

// stream finds the call of a frame; nil is one that is over.
func (r *reader) stream(id uint32) (*stream, error) {
	if id&1 == 0 || id >= r.nextID {
		return nil, faulty(errProtocol, "a frame on stream %d, which nobody opened", id)
	}
	return r.streams[id], nil
}

// data takes a part of an answer.
func (r *reader) data(h header, content []byte) error {
	part, err := h.unpadded(content)
	if err != nil {
		return err
	}
	r.mu.Lock()
	s, err := r.stream(h.stream)
	if err != nil {
		r.mu.Unlock()
		return err
	}
	// What comes is taken at once, so that there is always room.
	if r.room -= h.length; r.room < rpc.ConnWindow*3/4 {
		r.out.queue = appendWindowUpdate(r.out.queue, 0, rpc.ConnWindow-r.room)
		r.room = rpc.ConnWindow
	}
	if s != nil {
		r.receive(s, h, part)
	}
	r.flush()
	return nil
}

// receive gives a call a part of its answer.
func (r *reader) receive(s *stream, h header, part []byte) {
	a := &s.answer
	a.room -= h.length
	err := a.take(part, r.client.limit, &r.client.memory)
	switch {
	case err != nil:
		r.refuse(s, err, h.has(flagEndStream))
	case h.has(flagEndStream):
		r.finish(s, nil, errNoTrailers())
	case a.room < rpc.StreamWindow*3/4:
		r.out.queue = appendWindowUpdate(r.out.queue, s.id, rpc.StreamWindow-a.room)
		a.room = rpc.StreamWindow
	}
}

// refuse ends a call whose answer is no good, on the server too unless it has
// ended it.
func (r *reader) refuse(s *stream, err error, ended bool) {
	if !ended && s.whole {
		r.out.queue = appendReset(r.out.queue, s.id, errCancel)
	}
	r.finish(s, nil, err)
}
