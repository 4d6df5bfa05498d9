package h1

import (
	"net"
	"net/http"
	"strconv"
	"strings"
)

// frame makes the header whole: it says where the body ends. next is what of the
// body comes next, where that is known.
func (r *reply) frame(length int64, next []byte) {
	r.framed, r.length = true, length
	if r.sniff {
		if len(r.held) > 0 {
			next = r.held
		}
		if len(next) > 0 {
			r.appendField("Content-Type", []string{http.DetectContentType(next)})
		}
	}
	switch {
	case length >= 0:
		r.out = append(r.out, "Content-Length: "...)
		r.out = append(strconv.AppendInt(r.out, length, 10), "\r\n"...)
	case length == chunked && !r.head:
		r.out = append(r.out, "Transfer-Encoding: chunked\r\n"...)
	}
	if r.close = r.close || r.c.s.closing.Load(); r.close {
		r.out = append(r.out, "Connection: close\r\n"...)
	}
	r.out = append(r.out, "\r\n"...)
	if len(r.held) > 0 {
		r.emit(r.held)
	}
}

// announced is the length of the body as far as the handler has said it.
func (r *reply) announced() int64 {
	if r.length == unknown {
		return chunked
	}
	return r.length
}

// Write implements [http.ResponseWriter].
func (r *reply) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	switch {
	case r.err != nil:
		return 0, r.err
	case len(p) == 0:
		return 0, nil
	case !bodyAllowed(r.status):
		return 0, http.ErrBodyNotAllowed
	case !r.framed && r.length == unknown && len(r.held)+len(p) <= heldSize:
		r.held = append(r.held, p...)
		return len(p), nil
	case !r.framed:
		r.frame(r.announced(), p)
	}
	return r.emit(p)
}

// emit frames some of the body and has it sent.
func (r *reply) emit(p []byte) (int, error) {
	switch {
	case r.head:
		return len(p), nil
	case r.length == chunked:
		r.out = append(strconv.AppendInt(r.out, int64(len(p)), 16), "\r\n"...)
		r.put(p)
		r.out = append(r.out, "\r\n"...)
	case int64(len(p)) > r.length:
		return 0, http.ErrContentLength
	default:
		r.length -= int64(len(p))
		r.put(p)
	}
	if r.err != nil {
		return 0, r.err
	}
	return len(p), nil
}

// put sends bytes, or keeps them while there is room.
func (r *reply) put(p []byte) {
	if len(r.out)+len(p) <= roomSize {
		r.out = append(r.out, p...)
		return
	}
	r.send(p)
}

// send sends what has been kept, and then more.
func (r *reply) send(more []byte) {
	if r.err == nil {
		switch {
		case len(more) == 0 && len(r.out) > 0:
			_, r.err = r.c.net.Write(r.out)
		case len(more) > 0:
			r.pieces = [2][]byte{r.out, more}
			both := net.Buffers(r.pieces[:])
			_, r.err = both.WriteTo(r.c.net)
		}
		if r.err != nil {
			r.e.leave()
		}
	}
	r.out = r.out[:0]
}

// FlushError sends what the handler has written so far; it is for
// [http.ResponseController].
func (r *reply) FlushError() error {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	if !r.framed {
		r.frame(r.announced(), nil)
	}
	r.send(nil)
	return r.err
}

// Flush implements [http.Flusher].
func (r *reply) Flush() { r.FlushError() }

// finish ends the reply and sends what is left of it.
func (r *reply) finish() {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	if !r.framed {
		r.frame(r.whole(), nil)
	}
	if r.length == chunked && !r.head {
		r.out = append(r.out, "0\r\n"...)
		r.appendTrailer()
		r.out = append(r.out, "\r\n"...)
	}
	r.send(nil)
}

// whole is the length of a body that has been written to its end and is still
// here, unless it has to be in chunks for what follows it.
func (r *reply) whole() int64 {
	switch {
	case r.length >= 0:
		return r.length
	case len(r.trailer) > 0:
		return chunked
	case r.head && len(r.held) == 0:
		return bodiless // it was not written because nobody would get it
	}
	for name := range r.header {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			return chunked
		}
	}
	return int64(len(r.held))
}

// appendTrailer appends what follows the last chunk: the names that were
// announced, and those that net/http has a prefix for.
func (r *reply) appendTrailer() {
	for _, line := range r.trailer {
		for name := range strings.SplitSeq(line, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			switch name {
			case "Content-Length", "Transfer-Encoding", "Trailer":
			default:
				r.appendField(name, r.header[name])
			}
		}
	}
	for name, values := range r.header {
		if name, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			r.appendField(name, values)
		}
	}
}

// abandon sends what is left of a reply that the handler gave up, in a way that
// the client cannot take for its end.
func (r *reply) abandon() {
	if r.framed {
		r.send(nil)
	}
}

// reusable reports whether the client knows where the reply ended, so that another
// one may follow.
func (r *reply) reusable() bool {
	return r.err == nil && !r.close && (r.length <= 0 || r.head)
}
