package coprocess

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

const exchangeMethod = "/coprocess.BodyStream/Exchange"

// A streamed is a hook whose plugin the body passes through: a [grapnel.Binding].
// It begins like any other, with an Object and its answer, by way of which the
// hook may fail; then the body follows.
type streamed struct {
	*binding
	streams rpc.Streamer
	timeout time.Duration // for the first answer, and for each piece; 0 is none
}

// newStreamed makes a streamed hook of a binding.
func newStreamed(b *binding, h grapnel.Hook) (*streamed, error) {
	streams, ok := b.client.conn.(rpc.Streamer)
	if !ok {
		return nil, errors.New("the connection to the plugin server carries no streams")
	}
	b.send.Body = grapnel.BodyNone
	return &streamed{b, streams, max(time.Duration(h.Timeout), 0)}, nil
}

// Request implements [grapnel.Binding].
func (s *streamed) Request(ctx context.Context, x *grapnel.Exchange) (*http.Response, error) {
	body, err := s.ofRequest(x)
	if err != nil {
		return nil, err
	}
	q := s.question(x, body)
	p, a, err := s.begin(ctx, x, q, !body.Part)
	if err != nil {
		return nil, err
	}
	resp, err := s.applyRequest(x, q, &a)
	if resp != nil || err != nil || !body.Part {
		p.cancel()
		return resp, err
	}
	was, is := x.Request.Trailer, announced(x.Request.Trailer)
	x.Request.Trailer = is
	x.StreamBody(func(src io.ReadCloser) io.ReadCloser { return p.start(src, was, is) })
	return nil, nil
}

// Response implements [grapnel.Binding].
func (s *streamed) Response(ctx context.Context, x *grapnel.Exchange, resp *http.Response) (*http.Response, error) {
	body, err := s.ofRequest(x)
	if err != nil {
		return nil, err
	}
	reply, err := s.ofReply(x, resp)
	if err != nil {
		return nil, err
	}
	q := s.question(x, body)
	s.describe(q, resp, reply)
	p, a, err := s.begin(ctx, x, q, !reply.Part)
	if err != nil {
		return nil, err
	}
	instead, err := s.override(&a)
	if instead == nil && err == nil {
		err = s.applyResponse(x, resp, q, &a)
	}
	if instead != nil || err != nil || !reply.Part || !hasBody(x.Request.Method, resp.StatusCode) {
		p.cancel()
		return instead, err
	}
	was := resp.Trailer
	resp.Body = p.start(resp.Body, was, nil)
	resp.ContentLength, resp.TransferEncoding = -1, nil
	resp.Header.Del("Content-Length")
	p.after = func() { resp.Trailer = p.trailer }
	return nil, nil
}

// announced has the names of a trailer, and no values yet.
func announced(trailer http.Header) http.Header {
	out := make(http.Header, len(trailer))
	for name := range trailer {
		out[name] = nil
	}
	return out
}

// begin begins the passage of a body: it sends the question and waits for its
// answer. ends says that there is no body.
func (s *streamed) begin(ctx context.Context, x *grapnel.Exchange, q *question, ends bool) (*passage, answer, error) {
	life, cancel := context.WithCancel(x.Request.Context())
	p := &passage{scope: &s.scope, life: life, cancel: cancel, pumped: make(chan struct{})}
	p.watch.limit, p.watch.expire = s.timeout, cancel
	bounded := context.AfterFunc(ctx, cancel)
	a, err := s.ask(ctx, p, x, q, ends)
	if !bounded() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		cancel()
		if ctx.Err() != nil {
			err = fmt.Errorf("no answer: %w", ctx.Err())
		}
		return nil, answer{}, err
	}
	return p, a, nil
}

func (s *streamed) ask(ctx context.Context, p *passage, x *grapnel.Exchange, q *question, ends bool) (a answer, err error) {
	object := q.slices()
	defer object.Free()
	call := rpc.Call{Method: exchangeMethod, Key: s.client.key(x), Metadata: grapnel.Metadata(ctx)}
	p.stream, err = s.streams.Stream(p.life, &call)
	if n := len(x.Calls); n > 0 {
		x.Calls[n-1].Endpoint = call.Endpoint
	}
	if err != nil {
		return answer{}, err
	}
	begin := protowire.AppendVarint(protowire.AppendTag(nil, chunkObject, protowire.BytesType), uint64(object.Len()))
	message := append(mem.BufferSlice{mem.SliceBuffer(begin)}, object...)
	if ends {
		var end message_
		end.bool(chunkEnd, true)
		message = append(message, mem.SliceBuffer(end.buf))
	}
	sent := p.stream.Send(message)
	data, err := p.stream.Receive() // which tells why it was not sent
	switch {
	case errors.Is(err, io.EOF):
		return answer{}, errors.New("the stream ended without an answer")
	case err != nil:
		return answer{}, err
	case sent != nil:
		return answer{}, sent
	}
	defer data.Free()
	c, err := readChunk(data.ReadOnlyData())
	switch {
	case err != nil:
		return answer{}, err
	case !c.hasObject:
		return answer{}, errors.New("object: missing in the first message of the stream")
	case len(c.data) > 0 || c.end && !ends:
		return answer{}, errors.New("data: the answer to the object comes alone")
	}
	if a, err = s.read(q, &received{buffer: mem.SliceBuffer(c.object)}); err == nil && (len(a.request.body)+len(a.request.text)+len(a.reply.body)+len(a.reply.text) > 0) {
		err = errors.New("raw_body: the body passes in pieces")
	}
	return a, err
}
