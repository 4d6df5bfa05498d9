package fleet

import (
	"context"
	"errors"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// An outcome is what came of sending a call to one endpoint.
type outcome struct {
	by     *endpoint // nil when nobody was asked
	data   mem.Buffer
	err    error
	says   Verdict // of whoever was asked
	proven bool    // calls had got through on the connection before
}

// send sends a call to an endpoint, and keeps account of it.
func (f *Fleet) send(ctx context.Context, call *rpc.Call, e *endpoint) outcome {
	o, late := outcome{by: e}, isLate(ctx, call)
	o.data, o.proven, o.err = e.invoke(ctx, call)
	if o.says = judge(ctx, o.err); late && isTimeUp(ctx, o.err) {
		o.says = Nothing
	}
	f.note(e, o)
	return o
}

// isLate reports whether so little time is left for a call that nobody is to blame
// when it runs out.
func isLate(ctx context.Context, call *rpc.Call) bool {
	end, bounded := ctx.Deadline()
	return bounded && call.Fair > 0 && time.Until(end) < call.Fair
}

func isTimeUp(ctx context.Context, err error) bool {
	return err != nil && (errors.Is(ctx.Err(), context.DeadlineExceeded) || status.Code(err) == codes.DeadlineExceeded)
}

// attempt sends a call to an endpoint. One that may be sent again goes to another
// endpoint beside it when half of its time is over, and the first answer counts: a
// server that hangs costs time, but no call.
func (f *Fleet) attempt(ctx context.Context, call *rpc.Call, e *endpoint, done *effort) outcome {
	patience := done.patience(ctx, call, f.roster.Load())
	if patience <= 0 {
		return done.add(f.send(ctx, call, e))
	}
	ahead, overtaken := context.WithCancelCause(ctx)
	defer overtaken(nil)
	beside, beaten := context.WithCancel(ctx)
	defer beaten()
	second, again, tried := make(chan outcome, 1), *call, append(slices.Clone(done.tried), e)
	timer := time.AfterFunc(patience, func() {
		o := f.beside(beside, &again, tried)
		if o.by != nil && o.err == nil {
			overtaken(errOvertaken)
		}
		second <- o
	})
	first := done.add(f.send(ahead, call, e))
	if timer.Stop() {
		return first
	}
	if first.says != Outage {
		beaten()
		if o := <-second; o.data != nil { // it must be over: it uses the same message
			o.data.Free()
		}
		return first
	}
	if o := <-second; o.by != nil {
		done.tried = append(done.tried, e)
		done.retries++
		return done.add(o)
	}
	return first
}

// patience is how long a call waits for an endpoint before another one is asked
// too; 0 is for ever. A call that comes late does not ask two.
func (done *effort) patience(ctx context.Context, call *rpc.Call, r *roster) time.Duration {
	end, bounded := ctx.Deadline()
	if !call.Idempotent || done.retries >= call.Retries || !bounded || len(r.usable) < 2 || isLate(ctx, call) {
		return 0
	}
	return time.Until(end) / 2
}

// beside asks another endpoint, if there is one and the budget allows it.
func (f *Fleet) beside(ctx context.Context, call *rpc.Call, tried []*endpoint) outcome {
	if len(others(f.roster.Load(), tried)) == 0 || !f.budget.take(time.Now()) {
		return outcome{}
	}
	e, err := f.choose(ctx, call.Key, tried)
	if err != nil {
		return outcome{}
	}
	e.retries.Add(1)
	return f.send(ctx, call, e)
}
