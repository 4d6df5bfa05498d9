package coprocess

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

const exchangeMethod = "/coprocess.BodyStream/Exchange"

// A streamed is a hook whose plugin the body passes through: a [grapnel.Binding],
// which is otherwise sent none.
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
	was, is := x.Request.Trailer, make(http.Header, len(x.Request.Trailer))
	for name := range was {
		is[name] = nil // announced
	}
	p.trailer, p.leave = func() http.Header { return was }, func(trailer http.Header) { replace(is, trailer) }
	x.StreamBody(func(src io.ReadCloser) io.ReadCloser { p.src = src; return p })
	x.Request.Trailer = is
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
	p.trailer, p.leave = func() http.Header { return resp.Trailer }, func(trailer http.Header) { resp.Trailer = trailer }
	p.src, p.closes = resp.Body, true
	resp.Body, resp.ContentLength, resp.TransferEncoding = p, -1, nil
	resp.Header.Del("Content-Length")
	return nil, nil
}

// begin begins the passage of a body: it sends the question and waits for its
// answer. ends says that there is no body.
func (s *streamed) begin(ctx context.Context, x *grapnel.Exchange, q *question, ends bool) (*passage, answer, error) {
	life, cancel := context.WithCancel(x.Request.Context())
	p := &passage{
		scope: &s.scope, cancel: cancel, client: x.Request.Context(),
		drained: make(chan struct{}), pumped: make(chan struct{}),
	}
	p.watch.limit, p.watch.stop = s.timeout, cancel
	bounded := context.AfterFunc(ctx, cancel)
	call := rpc.Call{Method: exchangeMethod, Key: s.client.key(x), Metadata: grapnel.Metadata(ctx)}
	a, err := s.ask(life, &call, p, q, ends)
	if n := len(x.Calls); n > 0 {
		x.Calls[n-1].Endpoint = call.Endpoint
	}
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

func (s *streamed) ask(ctx context.Context, call *rpc.Call, p *passage, q *question, ends bool) (a answer, err error) {
	object := q.slices()
	defer object.Free()
	if p.stream, err = s.streams.Stream(ctx, call); err != nil {
		return answer{}, err
	}
	begin := protowire.AppendVarint(protowire.AppendTag(nil, chunkObject, protowire.BytesType), uint64(object.Len()))
	var end message
	end.bool(chunkEnd, ends)
	sent := p.stream.Send(slices.Concat(mem.BufferSlice{mem.SliceBuffer(begin)}, object, mem.BufferSlice{mem.SliceBuffer(end.buf)}))
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
