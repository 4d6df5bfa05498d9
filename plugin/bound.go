package plugin

import (
	"context"
	"sync"
	"time"
)

// A bound is a context with a deadline that costs nothing until someone asks for
// its Done: most hooks are answered before that.
type bound struct {
	parent context.Context
	end    time.Time

	mu     sync.Mutex
	own    context.Context // nil until someone asks for Done
	cancel context.CancelFunc
	over   bool
}

// within bounds a context.
func within(parent context.Context, end time.Time) (context.Context, context.CancelFunc) {
	if earlier, ok := parent.Deadline(); ok && earlier.Before(end) {
		end = earlier
	}
	b := &bound{parent: parent, end: end}
	return b, b.release
}

// Deadline implements [context.Context].
func (b *bound) Deadline() (time.Time, bool) { return b.end, true }

// Done implements [context.Context].
func (b *bound) Done() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.own == nil {
		b.own, b.cancel = context.WithDeadline(b.parent, b.end)
		if b.over {
			b.cancel()
		}
	}
	return b.own.Done()
}

// Err implements [context.Context].
func (b *bound) Err() error {
	b.mu.Lock()
	own, over := b.own, b.over
	b.mu.Unlock()
	switch {
	case own != nil:
		return own.Err()
	case over:
		return context.Canceled
	case b.parent.Err() != nil:
		return b.parent.Err()
	case !time.Now().Before(b.end):
		return context.DeadlineExceeded
	}
	return nil
}

// Value gives the values of the parent.
func (b *bound) Value(key any) any {
	b.mu.Lock()
	from := b.own // knows how contexts are derived from it
	b.mu.Unlock()
	if from == nil {
		from = b.parent
	}
	return from.Value(key)
}

// release ends the context.
func (b *bound) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	if b.cancel != nil {
		b.cancel()
	}
}
