package standard

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc/stats"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// An end notes whether the server has ended a call, by trailers. The library tells
// it to those alone who keep statistics.
type end struct{ said atomic.Bool }

type endKey struct{}

// ending has the end of a call noted that is made with the context.
func ending(ctx context.Context) (context.Context, *end) {
	e := &end{}
	return context.WithValue(ctx, endKey{}, e), e
}

// of is the failure of the call, which may be the server's word.
func (e *end) of(err error) error {
	if err != nil && e.said.Load() {
		return &rpc.Said{Err: err}
	}
	return err
}

// endings note the ends of calls. They implement [stats.Handler].
type endings struct{}

// HandleRPC implements [stats.Handler].
func (endings) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if _, ok := s.(*stats.InTrailer); !ok {
		return
	}
	if e, ok := ctx.Value(endKey{}).(*end); ok {
		e.said.Store(true)
	}
}

// TagRPC implements [stats.Handler].
func (endings) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// TagConn implements [stats.Handler].
func (endings) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements [stats.Handler].
func (endings) HandleConn(context.Context, stats.ConnStats) {}
