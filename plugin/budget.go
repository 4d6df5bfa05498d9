package plugin

import (
	"context"
	"math"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// scarce is the part of a budget below which optional hooks are skipped: a
// quarter.
const scarce = 4

// unbounded is what is left of no budget.
const unbounded = time.Duration(math.MaxInt64)

// left is how much of the API's budget the calls so far have left. The time of
// clients and upstreams is not theirs.
func (c *call) left(x *grapnel.Exchange) time.Duration {
	if c.budget <= 0 {
		return unbounded
	}
	left := c.budget
	for i := range x.Calls {
		left -= x.Calls[i].Took
	}
	return left
}

// skips reports whether the hook is skipped, so that what is left goes to those
// that must be asked.
func (c *call) skips(left time.Duration) bool {
	h := &c.first.hook
	return h.Optional && h.Stage != grapnel.Auth && left < c.budget/scarce
}

// deadline bounds the hook, its ladder included: by its own timeout and by what is
// left of the budget. When nothing is, the time is up before it began.
func (c *call) deadline(ctx context.Context, left time.Duration) (context.Context, context.CancelFunc) {
	if own := time.Duration(c.first.hook.Timeout); own > 0 {
		left = min(left, own)
	}
	if left == unbounded {
		return ctx, func() {}
	}
	return within(ctx, time.Now().Add(left))
}

// share bounds one server of a hook: who is followed by another one may take half
// of the time that is left, so that a server that hangs does not use up what the
// other needs.
func (s *server) share(ctx context.Context) (context.Context, context.CancelFunc) {
	end, bounded := ctx.Deadline()
	if !s.followed || !bounded {
		return ctx, func() {}
	}
	now := time.Now()
	return within(ctx, now.Add(end.Sub(now)/2))
}
