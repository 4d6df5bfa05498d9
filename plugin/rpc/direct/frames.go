package direct

import (
	"encoding/binary"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// settings applies what the server wants, in its order, and says so.
func (r *reader) settings(h header, content []byte) error {
	switch {
	case h.stream != 0:
		return faulty(errProtocol, "settings of a stream")
	case h.has(flagAck) && h.length == 0:
		return nil
	case h.has(flagAck), h.length%settingLength != 0:
		return faulty(errFrameSize, "settings of %d bytes", h.length)
	}
	r.mu.Lock()
	for ; len(content) > 0; content = content[settingLength:] {
		if err := r.setting(binary.BigEndian.Uint16(content), binary.BigEndian.Uint32(content[2:])); err != nil {
			r.mu.Unlock()
			return err
		}
	}
	return r.reply(appendHeader(r.out.queue, 0, frameSettings, flagAck, 0))
}

func (r *reader) setting(id uint16, value uint32) error {
	switch id {
	case settingHeaderTableSize:
		r.encoder.resize(value)
	case settingEnablePush:
		if value != 0 {
			return faulty(errProtocol, "a server that wants to be pushed to")
		}
	case settingMaxStreams:
		r.server.streams = int(min(value, unlimited))
		r.admit()
	case settingInitialWindowSize:
		if value > maxWindow {
			return faulty(errFlowControl, "a window of %d bytes", value)
		}
		change := int(value) - r.server.initial
		for _, s := range r.streams {
			if s.window += change; s.window > maxWindow {
				return faulty(errFlowControl, "a window of %d bytes", s.window)
			}
		}
		r.server.initial = int(value)
		r.out.unblock()
	case settingMaxFrameSize:
		if value < minFrameSize || value > maxFrameSize {
			return faulty(errProtocol, "frames of %d bytes", value)
		}
		r.server.frame = int(value)
	}
	return nil
}

// reply queues an answer to a frame, and writes it. A server that asks for more
// and more of them and does not read them is cut off.
func (r *reader) reply(queue []byte) error {
	r.out.answers += len(queue) - len(r.out.queue)
	if r.out.queue = queue; r.out.answers > brokenQueue {
		r.mu.Unlock()
		return faulty(errEnhanceYourCalm, "too many frames that want an answer")
	}
	r.flush()
	return nil
}

func (r *reader) ping(h header, content []byte) error {
	switch {
	case h.stream != 0:
		return faulty(errProtocol, "a ping on a stream")
	case h.length != pingLength:
		return faulty(errFrameSize, "a ping of %d bytes", h.length)
	case h.has(flagAck):
		return nil // it was heard
	}
	r.mu.Lock()
	o := &r.out
	o.pongs = appendPing(o.pongs, flagAck, content)
	now := len(o.pongs) >= fullPongs
	for _, s := range r.streams {
		now = now || !s.whole
	}
	if now {
		o.takePongs()
		return r.reply(o.queue)
	}
	r.revive() // it does not let them wait for long
	r.mu.Unlock()
	return nil
}

func (r *reader) windowUpdate(h header, content []byte) error {
	if h.length != 4 {
		return faulty(errFrameSize, "a window update of %d bytes", h.length)
	}
	n := int(binary.BigEndian.Uint32(content) & maxWindow)
	r.mu.Lock()
	defer r.mu.Unlock()
	window := &r.server.window
	if h.stream != 0 {
		s, err := r.stream(h.stream)
		if err != nil || s == nil {
			return err
		}
		window = &s.window
		defer s.notify()
	}
	if *window += n; n == 0 || *window > maxWindow {
		return faulty(errFlowControl, "a window update of %d bytes", n)
	}
	if h.stream == 0 {
		r.out.unblock()
	}
	return nil
}

// reset ends a call that the server does not go on with.
func (r *reader) reset(h header, content []byte) error {
	if h.length != 4 {
		return faulty(errFrameSize, "a reset of %d bytes", h.length)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s, err := r.stream(h.stream)
	if err != nil || s == nil {
		return err
	}
	code := errorCode(binary.BigEndian.Uint32(content))
	err = resetStatus(code)
	if code == errRefusedStream {
		err = &rpc.NotSent{Err: err}
	}
	s.whole = true // nobody wants the rest
	r.finish(s, nil, err)
	return nil
}

// goAway makes calls go elsewhere: new ones, and those that the server has not
// begun with.
func (r *reader) goAway(h header, content []byte) error {
	switch {
	case h.stream != 0:
		return faulty(errProtocol, "a GOAWAY on a stream")
	case h.length < 8:
		return faulty(errFrameSize, "a GOAWAY of %d bytes", h.length)
	}
	last, code := binary.BigEndian.Uint32(content)&maxStreamID, errorCode(binary.BigEndian.Uint32(content[4:]))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retire()
	for id, s := range r.streams {
		if id > last {
			s.whole = true
			r.finish(s, nil, &rpc.NotSent{Err: r.client.unavailable(faulty(code, "the server is going away"))})
		}
	}
	if r.open == 0 {
		r.end()
	}
	return nil
}
