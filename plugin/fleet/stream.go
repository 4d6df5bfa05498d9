package fleet

import (
	"context"
	"errors"
	"slices"
	"sync"

	"google.golang.org/grpc/mem"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// errUnary says that the connections carry no streams.
var errUnary = errors.New("the connection carries no streams")

// Stream begins a stream to one endpoint, or to another one where that cannot be
// reached. It counts as a call under way until its context ends. It implements
// [rpc.Streamer], and fails as Invoke does.
func (f *Fleet) Stream(ctx context.Context, call *rpc.Call) (rpc.Stream, error) {
	probe, err := f.breaker.allow()
	if err != nil {
		return nil, err
	}
	begun, err := f.gate.enter(ctx, f.ctx.Done())
	if err != nil {
		f.breaker.settle(probe, Nothing)
		return nil, err
	}
	settle := func(v Verdict) { f.breaker.settle(probe, v) }
	s, err := f.stream(ctx, call)
	if err != nil {
		f.gate.leave(begun)
		settle(judge(ctx, err))
		return nil, err
	}
	s.settle = settle
	context.AfterFunc(ctx, func() {
		f.gate.leave(begun)
		s.by.inFlight.Add(-1)
		s.line.release()
		s.first.Do(func() { settle(Nothing) })
	})
	return s, nil
}

// stream asks one endpoint after the other until one can be reached.
func (f *Fleet) stream(ctx context.Context, call *rpc.Call) (*stream, error) {
	if f.token != nil {
		call.Metadata = append(slices.Clip(call.Metadata), "authorization", f.token.Get())
	}
	var tried []*endpoint
	for {
		e, err := f.choose(ctx, call.Key, tried)
		if err != nil {
			return nil, unsent(err)
		}
		s, err := e.stream(ctx, call)
		call.Endpoint = e.place.target
		if err == nil {
			s.fleet, s.context = f, ctx
			return s, nil
		}
		f.note(e, outcome{by: e, err: err, says: judge(ctx, err)})
		tried = append(tried, e)
		if ctx.Err() != nil || len(tried) > hops || len(others(f.roster.Load(), tried)) == 0 {
			return nil, err
		}
	}
}

// stream begins a stream on one of the endpoint's lines, and holds that.
func (e *endpoint) stream(ctx context.Context, call *rpc.Call) (*stream, error) {
	l, err := e.line()
	if err != nil {
		return nil, unsent(err)
	}
	conn, ok := l.conn.(rpc.Streamer)
	if !ok {
		l.release()
		return nil, unsent(errUnary)
	}
	s, err := conn.Stream(ctx, call)
	if err != nil {
		l.release()
		return nil, err
	}
	l.served.Add(1)
	e.inFlight.Add(1)
	return &stream{Stream: s, by: e, line: l}, nil
}

// A stream has its first answer, or the lack of it, held against its endpoint.
type stream struct {
	rpc.Stream
	fleet   *Fleet
	by      *endpoint
	line    *line
	context context.Context
	first   sync.Once
	settle  func(Verdict)
}

// Receive implements [rpc.Stream].
func (s *stream) Receive() (mem.Buffer, error) {
	data, err := s.Stream.Receive()
	s.first.Do(func() {
		says := judge(s.context, err)
		s.fleet.note(s.by, outcome{by: s.by, err: err, says: says})
		s.settle(says)
	})
	return data, err
}
