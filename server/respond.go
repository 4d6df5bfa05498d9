package server

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/grapnel-gateway/grapnel/upstream"
)

// respond writes a reply to the client and closes its body. It is the only
// place that does. It returns how many bytes of the body were written; an error
// means that the client has not got all of the reply, and must not take it for
// whole: the caller has to [abort].
//
// Nothing waits for more to come: a piece that arrived alone leaves alone, so
// that events and slow streams reach the client as they happen.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, resp *http.Response) (written int64, err error) {
	defer resp.Body.Close()
	if resp.StatusCode < http.StatusOK {
		return s.respondInterim(w, r, resp)
	}
	control := http.NewResponseController(w)
	if r.ProtoMajor == 1 {
		// The upstream may answer before it has read the whole request, and
		// go on reading while it does.
		if err := control.EnableFullDuplex(); err != nil {
			return 0, err
		}
	}
	announced := writeHeader(w, resp, s.draining.Load())
	if r.Method == http.MethodHead || !bodyAllowed(resp.StatusCode) {
		return 0, nil
	}
	if resp.ContentLength < 0 {
		// Its first piece may be long in coming.
		if err := control.Flush(); err != nil {
			return 0, err
		}
	}
	if written, err = s.buffers.copy(w, control, resp); err != nil {
		return written, err
	}
	if resp.ContentLength >= 0 && written != resp.ContentLength {
		return written, io.ErrUnexpectedEOF
	}
	writeTrailer(w.Header(), resp.Trailer, announced)
	return written, nil
}

// respondInterim writes a reply with a status that ends no exchange: the switch
// to another protocol, which the upstream stage has seen to be asked for, or
// what a hook made up.
func (s *Server) respondInterim(w http.ResponseWriter, r *http.Request, resp *http.Response) (int64, error) {
	up, ok := resp.Body.(io.ReadWriteCloser)
	if ok && resp.StatusCode == http.StatusSwitchingProtocols {
		return s.tunnels.serve(w, r, resp, up)
	}
	w.WriteHeader(http.StatusInternalServerError)
	return 0, nil
}

// abort ends a reply that has begun in a way that the client cannot take for
// its regular end.
func abort() {
	panic(http.ErrAbortHandler) // the way that net/http has for it: HTTP/1 closes the connection, HTTP/2 resets the stream
}

// writeHeader writes the status and the header, without what is about the
// upstream's connection, and returns the names of the trailers that it
// announced. The last reply on a connection says so.
func writeHeader(w http.ResponseWriter, resp *http.Response, last bool) (announced []string) {
	h := w.Header()
	for name, values := range resp.Header {
		h[name] = values
	}
	upstream.RemoveHopByHop(h)
	if last {
		h.Set("Connection", "close")
	}
	if h["Content-Type"] == nil {
		h["Content-Type"] = nil // net/http would guess one
	}
	switch {
	case resp.ContentLength < 0:
		h.Del("Content-Length")
	case resp.ContentLength > 0 && h["Content-Length"] == nil:
		h.Set("Content-Length", strconv.FormatInt(resp.ContentLength, 10))
	}
	for name := range resp.Trailer {
		announced = append(announced, name)
	}
	if announced != nil {
		h["Trailer"] = announced
	}
	w.WriteHeader(resp.StatusCode)
	return announced
}

// writeTrailer writes the trailers that came with the body's end, announced or
// not.
func writeTrailer(h, trailer http.Header, announced []string) {
	for name, values := range trailer {
		if !slices.Contains(announced, name) {
			name = http.TrailerPrefix + name
		}
		h[name] = values
	}
}

// bodyAllowed reports whether a reply with this status can have a body [RFC
// 9110, 6.4.1].
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// buffers are what bodies are copied through. The zero value is ready.
type buffers struct{ idle sync.Pool }

const bufferSize = 32 << 10

// copy copies the body of a reply to the client. It flushes when what was read
// did not fill the buffer, for then there is no more yet, unless it was all
// there is.
func (b *buffers) copy(w io.Writer, control *http.ResponseController, resp *http.Response) (written int64, err error) {
	buf, ok := b.idle.Get().(*[bufferSize]byte)
	if !ok {
		buf = new([bufferSize]byte)
	}
	defer b.idle.Put(buf)
	for {
		n, readErr := resp.Body.Read(buf[:])
		if n > 0 {
			m, err := w.Write(buf[:n])
			written += int64(m)
			if err != nil {
				return written, err
			}
		}
		switch {
		case readErr == io.EOF:
			return written, nil
		case readErr != nil:
			return written, readErr
		case n < len(buf) && written != resp.ContentLength:
			if err := control.Flush(); err != nil {
				return written, err
			}
		}
	}
}
