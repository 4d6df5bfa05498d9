package fleet

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// A gate lets so many calls in at a time, and has so many more wait in a row,
// for so long. Beyond, calls are turned away at once: what piles up in a gateway
// is lost anyway.
type gate struct {
	slots  chan struct{} // one in it for each call under way; nil lets everyone in
	queue  int64
	wait   time.Duration
	queued atomic.Int64
}

func newGate(l grapnel.PluginLimits) *gate {
	g := &gate{queue: int64(l.Queue), wait: time.Duration(l.Wait)}
	if l.InFlight > 0 {
		g.slots = make(chan struct{}, l.InFlight)
	}
	return g
}

// enter lets a call in; who got in leaves once.
func (g *gate) enter(ctx context.Context, closed <-chan struct{}) error {
	if g.slots == nil {
		return nil
	}
	select {
	case g.slots <- struct{}{}: // never past those who wait: the channel serves them first
		return nil
	default:
	}
	defer g.queued.Add(-1)
	if g.queued.Add(1) > g.queue {
		return g.full("and as many wait as may")
	}
	patience := time.NewTimer(g.wait)
	defer patience.Stop()
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-patience.C:
		return g.full(fmt.Sprintf("and none ended within %v", g.wait))
	case <-ctx.Done():
		return unsent(ctx.Err())
	case <-closed:
		return unsent(errClosed)
	}
}

func (g *gate) leave() {
	if g.slots != nil {
		<-g.slots
	}
}

func (g *gate) full(more string) error {
	return refusal(fmt.Sprintf("%d calls are under way, %s", cap(g.slots), more), time.Second)
}

// waiting is how many calls wait.
func (g *gate) waiting() int { return int(min(g.queued.Load(), g.queue)) }
