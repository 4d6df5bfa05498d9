package fleet

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// A gate lets so many calls in at a time, and has so many more wait in a row,
// for so long. Beyond, calls are turned away at once: what piles up in a gateway
// is lost anyway. Who would wait in vain is turned away at once, too.
type gate struct {
	most  int // 0 lets everyone in
	queue int
	wait  time.Duration

	mu    sync.Mutex
	under int       // calls under way
	row   list.List // who waits: channels, closed for those who are let in
	pace  pace
	timer *time.Timer // lets the next one in
}

func newGate(l grapnel.PluginLimits) *gate {
	g := &gate{most: l.InFlight, queue: l.Queue, wait: time.Duration(l.Wait)}
	g.pace.most = l.InFlight
	return g
}

// enter lets a call in; who got in leaves once, and says when it came in.
func (g *gate) enter(ctx context.Context, closed <-chan struct{}) (begun time.Time, err error) {
	if g.most == 0 {
		return begun, nil
	}
	now := time.Now()
	place, err := g.ask(now)
	if place == nil {
		return now, err
	}
	patience := time.NewTimer(g.wait)
	defer patience.Stop()
	select {
	case <-place.Value.(chan struct{}):
		return time.Now(), nil
	case <-patience.C:
		err = g.full(fmt.Sprintf("and there was no room for one more within %v", g.wait))
	case <-ctx.Done():
		err = unsent(ctx.Err())
	case <-closed:
		err = unsent(errClosed)
	}
	if g.quit(place) {
		return begun, err
	}
	return time.Now(), nil // it was let in meanwhile
}

// ask lets a call in, or turns it away, or gives it a place in the row.
func (g *gate) ask(now time.Time) (*list.Element, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.row.Len() == 0 && g.under < g.most && g.due(now) == 0 {
		g.begin(now)
		return nil, nil
	}
	g.pace.crowd(now)
	switch {
	case g.row.Len() >= g.queue:
		return nil, g.full("and as many wait as may")
	case g.pace.forecast(now, g.row.Len()) > g.wait:
		return nil, g.full(fmt.Sprintf("and there is no room for one more within %v", g.wait))
	case g.under == g.most && g.pace.stalled(now) > g.wait:
		return nil, g.full(fmt.Sprintf("and none ended within %v", g.wait))
	}
	place := g.row.PushBack(make(chan struct{}))
	g.admit(now)
	return place, nil
}

// due is how long it is until the next call may begin. An idle server has it at
// once, or one that was slow would be spared until the average has forgotten it,
// which it learns from calls. The lock is held.
func (g *gate) due(now time.Time) time.Duration {
	if g.under == 0 {
		return 0
	}
	return g.pace.due(now)
}

// begin takes account of a call that is let in. The lock is held.
func (g *gate) begin(now time.Time) {
	g.under++
	g.pace.began(now)
}

// admit lets in who may begin now, and sets the timer for who may not yet. The
// lock is held.
func (g *gate) admit(now time.Time) {
	for g.row.Len() > 0 && g.under < g.most {
		g.pace.crowd(now)
		if due := g.due(now); due > 0 {
			g.wake(due)
			return
		}
		g.begin(now)
		close(g.row.Remove(g.row.Front()).(chan struct{}))
	}
}

// wake has those in the row looked at again.
func (g *gate) wake(after time.Duration) {
	if g.timer != nil {
		g.timer.Reset(after)
		return
	}
	g.timer = time.AfterFunc(after, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.admit(time.Now())
	})
}

// quit gives up a place in the row, unless who had it was let in.
func (g *gate) quit(place *list.Element) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-place.Value.(chan struct{}):
		return false
	default:
		g.row.Remove(place)
		return true
	}
}

// leave makes room for another one.
func (g *gate) leave(begun time.Time) {
	if g.most == 0 {
		return
	}
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.under--
	g.pace.ended(now, now.Sub(begun))
	g.admit(now)
}

func (g *gate) full(more string) error {
	return refusal(fmt.Sprintf("the server has as much to do as it may, %d calls at a time, %s", g.most, more), time.Second)
}

// waiting is how many calls wait.
func (g *gate) waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.row.Len()
}
