package direct

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// headers begins a header block.
func (r *reader) headers(h header, content []byte) error {
	content, err := h.unpadded(content)
	if err != nil {
		return err
	}
	if h.has(flagPriority) {
		if len(content) < priorityLength {
			return faulty(errFrameSize, "headers without their priority")
		}
		content = content[priorityLength:]
	}
	if h.stream == 0 {
		return faulty(errProtocol, "headers of no stream")
	}
	r.block, r.bytes, r.fields = h, 0, fields{}
	return r.fragment(h, content)
}

// fragment reads a part of a header block. All blocks are decoded, those of calls
// that are over too: the table of fields goes on from one to the next.
func (r *reader) fragment(h header, content []byte) error {
	if r.bytes += frameHeader + h.length; r.bytes > maxBlock {
		return faulty(errEnhanceYourCalm, "header fields of more than %d bytes", maxBlock)
	}
	if _, err := r.hpack.Write(content); err != nil {
		return faulty(errCompression, "%v", err)
	}
	if !h.has(flagEndHeaders) {
		return nil
	}
	if err := r.hpack.Close(); err != nil {
		return faulty(errCompression, "%v", err)
	}
	begin := r.block
	r.block = header{}
	return r.blockEnd(begin)
}

// maxBlock bounds what comes of a header block. It is more than maxFields, so
// that one call fails before the connection does.
const maxBlock = 2 * maxFields

// blockEnd gives a call its headers or its trailers.
func (r *reader) blockEnd(h header) error {
	r.mu.Lock()
	s, err := r.stream(h.stream)
	if err != nil || s == nil {
		r.mu.Unlock()
		return err
	}
	f, ended := &r.fields, h.has(flagEndStream)
	trailers := s.answer.begun
	err = f.check(trailers)
	switch {
	case err != nil:
	case trailers && !ended:
		err = status.Error(codes.Internal, "the server sent headers in the middle of its answer")
	case !trailers && !ended && len(f.http) == 3 && f.http[0] == '1':
		r.mu.Unlock()
		return nil // there is more to come
	case !trailers:
		err = f.accept(ended)
		s.answer.start()
	}
	switch {
	case err != nil:
		r.refuse(s, err, ended)
	case ended:
		message, err := s.answer.end(f, &r.client.memory)
		if err != nil {
			err = &rpc.Said{Err: err}
		}
		r.finish(s, message, err)
	}
	r.flush()
	return nil
}
