package plugin

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// A shadow is a server that is asked what another was asked, and whose answers
// count for nothing but the log and the figures of differences. It delays nobody:
// it is asked beside the exchange, about a copy of it, and not at all while it is
// busy.
type shadow struct {
	name   string
	plugin grapnel.Plugin

	slots   chan struct{} // one for each call under way
	running sync.WaitGroup
	context context.Context // of all calls
	cancel  context.CancelFunc

	calls, differences, failures, dropped atomic.Uint64
	logged                                atomic.Int64 // when a difference was, in Unix nanoseconds
}

// The bounds of a shadow: how many calls are under way at once, how long one of a
// hook without a timeout may take, and the pause between two lines in the log.
const (
	shadowsAtOnce  = 64
	shadowTimeout  = 10 * time.Second
	shadowLogPause = time.Second
)

func newShadow(name string, p grapnel.Plugin) *shadow {
	s := &shadow{name: name, plugin: p, slots: make(chan struct{}, shadowsAtOnce)}
	s.context, s.cancel = context.WithCancel(context.Background())
	return s
}

func (s *shadow) state() *grapnel.ShadowState {
	return &grapnel.ShadowState{
		Plugin: s.name, Calls: s.calls.Load(), Differences: s.differences.Load(), Failures: s.failures.Load(), Dropped: s.dropped.Load(),
	}
}

// busy reports whether no further call is made now, and counts that.
func (s *shadow) busy() bool {
	if len(s.slots) < cap(s.slots) {
		return false
	}
	s.dropped.Add(1)
	return true
}

func (s *shadow) close() {
	s.cancel()
	s.running.Wait()
}

// A trial is one hook, bound to the shadow.
type trial struct {
	*shadow
	hook  grapnel.Hook
	bound grapnel.Binding
}

func (s *shadow) bind(api *grapnel.API, h grapnel.Hook) (*trial, error) {
	h.Plugin, h.OnError = s.name, nil
	bound, err := s.plugin.Bind(api, h)
	return &trial{s, h, bound}, err
}

// start asks the shadow about the copy, and compares what comes of it with what
// came of the exchange.
func (t *trial) start(copied question, was effect) {
	select {
	case t.slots <- struct{}{}:
	default:
		t.dropped.Add(1)
		return
	}
	t.running.Go(func() {
		defer func() { <-t.slots }()
		t.compare(copied, was)
	})
}

func (t *trial) compare(q question, was effect) {
	timeout := time.Duration(t.hook.Timeout)
	if timeout <= 0 {
		timeout = shadowTimeout
	}
	ctx, cancel := context.WithTimeout(t.context, timeout)
	defer cancel()
	q.x.Calls = []grapnel.Call{{}} // who carries the call notes on it
	t.calls.Add(1)
	resp, err := q.put(ctx, t.bound)
	is := q.effect(resp, err)
	if is.failed {
		t.failures.Add(1)
		return
	}
	what := was.differs(is)
	if len(what) == 0 {
		return
	}
	t.differences.Add(1)
	now, last := time.Now().UnixNano(), t.logged.Load()
	if now-last >= int64(shadowLogPause) && t.logged.CompareAndSwap(last, now) {
		q.x.Log.Info("shadow differs", "request_id", q.x.ID, "stage", t.hook.Stage, "hook", t.hook.Name, "shadow", t.name, "differs", what, "differences", t.differences.Load())
	}
}
