package store

import (
	"context"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// sweepEvery is how often a store looks for what has expired.
const sweepEvery = time.Second

// local is what the stores of a single process have in common: counters and
// signals that stay within it, and a background that ends with Close.
type local struct {
	*hub
	rates  *limiter
	quotas *quotas
	ctx    context.Context // ends when the store is closed
	end    context.CancelFunc
}

// newLocal counts from nothing; record is told what quotas have used.
func newLocal(record func(string, quota) error) *local {
	ctx, end := context.WithCancel(context.Background())
	return &local{hub: newHub(), rates: newLimiter(), quotas: newQuotas(record), ctx: ctx, end: end}
}

// begin sweeps, with what the store has to sweep besides, until Close.
func (l *local) begin(sweep func(now time.Time)) {
	l.running.Go(func() {
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				l.rates.sweep()
				l.quotas.sweep(now)
				sweep(now)
			case <-l.ctx.Done():
				return
			}
		}
	})
}

// alive returns why an operation cannot begin: its context has ended, or the
// store is closed.
func (l *local) alive(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	if l.ctx.Err() != nil {
		return unavailable(errClosed)
	}
	return nil
}

func (l *local) Take(ctx context.Context, key string, limit int, per time.Duration) (time.Duration, error) {
	if err := l.alive(ctx); err != nil {
		return 0, err
	}
	return l.rates.take(key, limit, per), nil
}

func (l *local) Spend(ctx context.Context, key string, maximum int64, period time.Duration) (grapnel.Usage, error) {
	if err := l.alive(ctx); err != nil {
		return grapnel.Usage{}, err
	}
	return l.quotas.spend(key, maximum, period)
}

func (l *local) Usage(ctx context.Context, key string) (grapnel.Usage, error) {
	if err := l.alive(ctx); err != nil {
		return grapnel.Usage{}, err
	}
	return l.quotas.usage(key), nil
}

func (l *local) Forget(ctx context.Context, key string) error {
	if err := l.alive(ctx); err != nil {
		return err
	}
	l.rates.forget(key)
	return l.quotas.forget(key)
}

func (l *local) Publish(ctx context.Context, s grapnel.Signal) error {
	if err := l.alive(ctx); err != nil {
		return err
	}
	l.publish(s)
	return nil
}

func (l *local) Subscribe(ctx context.Context, heard func(grapnel.Signal)) error {
	if err := l.alive(ctx); err != nil {
		return err
	}
	l.subscribe(ctx, l.ctx, heard)
	return nil
}

func (l *local) Ping(ctx context.Context) error { return l.alive(ctx) }

func (l *local) Close() error {
	l.end()
	l.running.Wait()
	return nil
}
