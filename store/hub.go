package store

import (
	"context"
	"sync"

	"github.com/grapnel-gateway/grapnel"
)

// backlog is how many signals may wait for one listener. A listener that is
// further behind is told that it lost some.
const backlog = 1024

// A hub carries signals within one process.
type hub struct {
	mu        sync.Mutex
	listeners map[*listener]struct{}
	running   sync.WaitGroup
}

type listener struct {
	queue chan grapnel.Signal
	lost  chan struct{} // holds one when the queue has overflowed
}

func newHub() *hub { return &hub{listeners: map[*listener]struct{}{}} }

func (h *hub) publish(s grapnel.Signal) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		select {
		case l.queue <- s:
		default:
			select {
			case l.lost <- struct{}{}:
			default:
			}
		}
	}
}

// subscribe calls heard until one of the contexts ends.
func (h *hub) subscribe(ctx, life context.Context, heard func(grapnel.Signal)) {
	l := &listener{queue: make(chan grapnel.Signal, backlog), lost: make(chan struct{}, 1)}
	h.mu.Lock()
	h.listeners[l] = struct{}{}
	h.mu.Unlock()
	h.running.Go(func() {
		defer func() {
			h.mu.Lock()
			delete(h.listeners, l)
			h.mu.Unlock()
		}()
		for {
			select {
			case s := <-l.queue:
				heard(s)
			case <-l.lost:
				heard(grapnel.Signal{Kind: grapnel.SignalLost})
			case <-ctx.Done():
				return
			case <-life.Done():
				return
			}
		}
	})
}
