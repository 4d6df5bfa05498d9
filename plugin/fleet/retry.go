package fleet

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// hops is how often a call goes on to another endpoint, or to a new connection of
// the only one, for nothing: because it could not even be sent. That is how
// servers that restart one after the other cost no call.
const hops = 4

// An effort is what has been done for one call.
type effort struct {
	tried   []*endpoint
	sent    int
	hops    int
	retries int
}

// add counts what was sent.
func (done *effort) add(o outcome) outcome {
	if !rpc.Unsent(o.err) {
		done.sent++
	}
	return o
}

// carry sends the call to one endpoint after the other, until there is an answer
// or nothing more may be done. It returns the last outcome.
func (f *Fleet) carry(ctx context.Context, call *rpc.Call) outcome {
	f.budget.calls.Add(1)
	if f.token != nil {
		call.Metadata = append(slices.Clip(call.Metadata), "authorization", f.token.Get())
	}
	var done effort
	for {
		e, err := f.choose(ctx, call.Key, done.tried)
		if err != nil {
			err = unsent(err)
			return outcome{err: err, says: judge(ctx, err)}
		}
		if len(done.tried) > 0 {
			e.retries.Add(1)
		}
		o := f.attempt(ctx, call, e, &done)
		call.Endpoint, call.Sent = o.by.place.target, done.sent
		if o.err == nil {
			return o
		}
		done.tried = append(done.tried, o.by)
		if !f.again(ctx, call, &done, o) {
			return o
		}
	}
}

// again says whether a call that failed is tried once more. What was not sent goes
// on at once, where there is somebody else, or when the connection had worked
// until then; a server that is known to be down is not waited for. All
// else is a retry, which the call and the budget must allow, and which what may
// have been executed must bear.
func (f *Fleet) again(ctx context.Context, call *rpc.Call, done *effort, o outcome) bool {
	if ctx.Err() != nil || o.says != Outage {
		return false
	}
	unsent := rpc.Unsent(o.err)
	if unsent && done.hops < hops && (o.proven || len(others(f.roster.Load(), done.tried)) > 0) {
		done.hops++
		return true
	}
	if done.retries < call.Retries && (unsent || call.Idempotent) && f.budget.take(time.Now()) {
		done.retries++
		return true
	}
	return false
}

// choose finds the endpoint for a call: one that was not tried, of those that are
// usable or else of all; when all were, any. While no address is known it waits
// for the first look-up.
func (f *Fleet) choose(ctx context.Context, key uint64, tried []*endpoint) (*endpoint, error) {
	r := f.roster.Load()
	if len(r.all) == 0 {
		select {
		case <-f.known:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-f.ctx.Done():
		}
		if r = f.roster.Load(); f.ctx.Err() != nil {
			return nil, errClosed
		} else if len(r.all) == 0 {
			poke(f.stale)
			return nil, errors.New("no address of the plugin server is known")
		}
	}
	among := r.usable
	if left := others(r, tried); len(left) > 0 {
		among = left
	}
	var slow ramp
	if r.ramping {
		slow = ramp{now: time.Now().UnixNano(), span: f.slow}
	}
	return f.balancer.pick(among, slow, key), nil
}

// others are who has not been tried yet, the usable ones as long as there are any.
func others(r *roster, tried []*endpoint) []*endpoint {
	if len(tried) == 0 {
		return r.usable
	}
	isTried := func(e *endpoint) bool { return slices.Contains(tried, e) }
	if left := slices.DeleteFunc(slices.Clone(r.usable), isTried); len(left) > 0 {
		return left
	}
	return slices.DeleteFunc(slices.Clone(r.all), isTried)
}
