package auth

import (
	"context"
	"sync"
)

// flights let one request at a time ask about an id. The zero value is ready.
type flights struct {
	mu   sync.Mutex
	byID map[string]*flight
}

// A flight is a request that asks about an id. Others wait until it has ended.
type flight struct {
	id        string
	done      chan struct{}
	abandoned bool // it ended without an answer, since its client had left
}

// join makes the caller the one who asks, if nobody does: the flight is its to
// end. Otherwise it waits until there is an answer, and returns no flight. If
// who asked has left without one, the next in line asks. An error is that of
// the context.
func (fs *flights) join(ctx context.Context, id string) (*flight, error) {
	for {
		fs.mu.Lock()
		f := fs.byID[id]
		if f == nil {
			f = &flight{id: id, done: make(chan struct{})}
			if fs.byID == nil {
				fs.byID = map[string]*flight{}
			}
			fs.byID[id] = f
			fs.mu.Unlock()
			return f, nil
		}
		fs.mu.Unlock()
		select {
		case <-f.done:
			if !f.abandoned {
				return nil, nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// end lets those go on who wait. A nil flight has nobody.
func (fs *flights) end(f *flight, abandoned bool) {
	if f == nil {
		return
	}
	fs.mu.Lock()
	delete(fs.byID, f.id)
	fs.mu.Unlock()
	f.abandoned = abandoned
	close(f.done)
}
