package sdk

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// A StreamHandler is a hook that a body passes through, of any size: of the
// request in a Post hook, of the reply in a Response hook, where the gateway's
// configuration says stream: true. What it changes in the exchange counts up to the
// first use of the body; until then it may return an [Answer] too. One that never
// uses the body lets it pass. An error fails the exchange, or cuts the reply off.
type StreamHandler func(*Exchange, *Body) error

// StreamHook registers a function under the name of a hook with stream: true. A
// hook that nobody has registered lets bodies pass.
func StreamHook(name string, h StreamHandler) Option {
	return func(s *Server) {
		if s.streams[name] != nil {
			s.err = errors.Join(s.err, fmt.Errorf("two stream hooks are named %q", name))
		}
		s.streams[name] = h
	}
}

// A Body is a body on its way through the plugin: what is read is as it came, and
// what is written goes on in its place. Neither side runs ahead: a read waits for
// the sender, a write for whoever gets the body.
type Body struct {
	// Trailer are the trailers behind the body. They are there once Read has
	// returned [io.EOF], and go on as they are when the handler returns.
	Trailer http.Header

	stream grpc.BidiStreamingServer[coprocess.BodyChunk, coprocess.BodyChunk]
	object *coprocess.Object // the answer's, until it is sent
	rest   []byte            // what is not read of the last piece
	ended  bool              // no more will come
	err    error             // what sending or receiving came to
}

// Read implements [io.Reader].
func (b *Body) Read(p []byte) (int, error) {
	if err := b.begin(); err != nil {
		return 0, err
	}
	for len(b.rest) == 0 {
		if b.ended {
			return 0, io.EOF
		}
		c, err := b.stream.Recv()
		if err == io.EOF { // without an end
			err = io.ErrUnexpectedEOF
		}
		if b.err = err; err != nil {
			return 0, err
		}
		if b.rest, b.ended = c.Data, c.End; c.End {
			b.Trailer = trailerOf(c.Trailers)
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// largest is the most that is sent in one piece.
const largest = 256 << 10

// Write implements [io.Writer].
func (b *Body) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		piece := p[n:min(len(p), n+largest)]
		if err = b.send(&coprocess.BodyChunk{Data: piece}); err == nil {
			n += len(piece)
		}
	}
	return n, err
}

func (b *Body) send(c *coprocess.BodyChunk) error {
	if err := b.begin(); err != nil {
		return err
	}
	b.err = b.stream.Send(c)
	return b.err
}

// begin sends the answer to the Object, once.
func (b *Body) begin() error {
	if b.object != nil && b.err == nil {
		b.err = b.stream.Send(&coprocess.BodyChunk{Object: b.object})
		b.object = nil
	}
	return b.err
}

// Exchange lets one body pass through the hook that its Object names, as the
// gateway does over gRPC.
func (s *Server) Exchange(stream grpc.BidiStreamingServer[coprocess.BodyChunk, coprocess.BodyChunk]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	o := first.Object
	if o == nil {
		return status.Error(codes.InvalidArgument, "the first message has no object")
	}
	b := &Body{stream: stream, object: o, ended: first.End}
	return protect("hook "+o.HookName, func() error {
		if h := s.streams[o.HookName]; h != nil {
			x := &Exchange{Object: o, ctx: stream.Context()}
			err := h(x, b)
			if b.object != nil { // not sent yet
				err = x.answer(err)
			}
			if err != nil {
				return err
			}
		}
		if b.object != nil {
			if err := b.begin(); err != nil || o.Request.GetReturnOverrides().GetResponseCode() > 0 {
				return err
			}
			if _, err := io.Copy(b, b); err != nil {
				return err
			}
		}
		return b.send(&coprocess.BodyChunk{End: true, Trailers: linesOf(b.Trailer)})
	})
}

func trailerOf(lines []*coprocess.Header) http.Header {
	out := http.Header{}
	for _, l := range lines {
		out[l.Key] = append(out[l.Key], l.Values...)
	}
	return out
}

func linesOf(trailer http.Header) (lines []*coprocess.Header) {
	for name, values := range trailer {
		lines = append(lines, &coprocess.Header{Key: name, Values: values})
	}
	return lines
}
