package standard

import (
	"context"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// Stream implements [rpc.Streamer].
func (c *conn) Stream(ctx context.Context, call *rpc.Call) (rpc.Stream, error) {
	if pairs := call.Metadata; len(pairs) > 0 {
		ctx = metadata.AppendToOutgoingContext(ctx, pairs...)
	}
	call.Endpoint = c.target
	ctx, end := ending(ctx)
	s, err := c.grpc.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, call.Method)
	if err != nil {
		return nil, &rpc.NotSent{Err: err}
	}
	call.Sent++
	return stream{s, end}, nil
}

type stream struct {
	grpc grpc.ClientStream
	end  *end
}

// Send implements [rpc.Stream].
func (s stream) Send(message mem.BufferSlice) error { return s.grpc.SendMsg(message) }

// CloseSend implements [rpc.Stream].
func (s stream) CloseSend() error { return s.grpc.CloseSend() }

// Receive implements [rpc.Stream].
func (s stream) Receive() (mem.Buffer, error) {
	got := answer{}
	if err := s.grpc.RecvMsg(&got); err != nil {
		if got.buffer != nil {
			got.buffer.Free()
		}
		if err == io.EOF {
			return nil, err
		}
		return nil, s.end.of(err)
	}
	return got.buffer, nil
}

// WithStreams adds streams to a connection that carries unary calls only. They
// have a connection of their own, which is made when it is first needed.
func WithStreams(unary rpc.Conn, o rpc.Options) rpc.Conn {
	return &both{Conn: unary, options: o}
}

type both struct {
	rpc.Conn
	options rpc.Options

	mu      sync.Mutex
	streams rpc.Conn // nil until it is needed
	closed  bool
}

// Stream implements [rpc.Streamer].
func (b *both) Stream(ctx context.Context, call *rpc.Call) (rpc.Stream, error) {
	c, err := b.open()
	if err != nil {
		return nil, &rpc.NotSent{Err: err}
	}
	return c.(rpc.Streamer).Stream(ctx, call)
}

func (b *both) open() (rpc.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, grpc.ErrClientConnClosing
	}
	if b.streams == nil {
		c, err := New(b.options)
		if err != nil {
			return nil, err
		}
		b.streams = c
	}
	return b.streams, nil
}

// Close implements [rpc.Conn].
func (b *both) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.streams != nil {
		b.streams.Close() // what it fails at cannot matter any more
	}
	return b.Conn.Close()
}
