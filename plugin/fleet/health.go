package fleet

import (
	"context"
	"time"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

const (
	healthMethod  = "/grpc.health.v1.Health/Check"
	healthTimeout = time.Second
	// missesAllowed is how many checks in a row may go without an answer: a
	// server may be busy for once.
	missesAllowed = 1
	// seldom is how many checks are left out with a server that knows of none.
	seldom = 12
)

// watch asks an endpoint again and again whether it serves, sooner after it was
// lost.
func (f *Fleet) watch(ctx context.Context, e *endpoint) {
	interval := time.Duration(f.health.Interval)
	misses, backoff := 0, time.Duration(0)
	for {
		serves, err := f.ask(ctx, e)
		wait := interval
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			misses, backoff = 0, 0
			f.declared(e, serves)
			f.reached(e)
		case judge(ctx, err) == Outage:
			if misses++; misses > missesAllowed || rpc.Unsent(err) {
				f.lost(e, err)
			}
			backoff = min(max(2*backoff, leastBackoff), mostBackoff, interval)
			wait = backoff
		default: // it lives and has no such service
			misses, backoff = 0, 0
			f.declared(e, true)
			f.reached(e)
			wait = seldom * interval
		}
		if !pause(ctx, jitter(wait), e.check) {
			return
		}
	}
}

// ask makes one health check. It does not count as a call.
func (f *Fleet) ask(ctx context.Context, e *endpoint) (serves bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	l, err := e.line()
	if err != nil {
		return false, unsent(err)
	}
	defer l.release()
	call := &rpc.Call{Method: healthMethod, Message: mem.BufferSlice{mem.SliceBuffer(healthRequest(f.health.Service))}}
	if f.token != nil {
		call.Metadata = []string{"authorization", f.token.Get()}
	}
	data, err := l.conn.Invoke(ctx, call)
	if err != nil {
		return false, err
	}
	defer data.Free()
	return healthServing(data.ReadOnlyData()), nil
}

// healthRequest is a grpc.health.v1.HealthCheckRequest.
func healthRequest(service string) []byte {
	if service == "" {
		return nil
	}
	return protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), service)
}

// healthServing reads a grpc.health.v1.HealthCheckResponse: its status is SERVING.
func healthServing(b []byte) bool {
	const serving = 1
	state := uint64(0)
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return false
		}
		b = b[n:]
		if number == 1 && kind == protowire.VarintType {
			state, n = protowire.ConsumeVarint(b)
		} else {
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return false
		}
		b = b[n:]
	}
	return state == serving
}
