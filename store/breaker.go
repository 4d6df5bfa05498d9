package store

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/grapnel-gateway/grapnel"
)

// restFor is how long a Redis that did not answer is left alone.
const restFor = 200 * time.Millisecond

var errResting = errors.New("Redis did not answer a moment ago")

// A breaker spares requests the wait for a Redis that is known not to answer:
// after a failure they fail at once for a moment. Then one of them tries, and
// the others fail at once until it knows.
type breaker struct {
	timeout time.Duration
	log     *slog.Logger
	start   time.Time
	until   atomic.Int64 // when to try again, as a span since start; 0 is working
}

// do runs one operation within the timeout. It returns ErrNotFound for the nil
// reply, and wraps everything else in ErrUnavailable.
func (b *breaker) do(ctx context.Context, op func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	now := int64(time.Since(b.start))
	if until := b.until.Load(); until != 0 {
		if now < until || !b.until.CompareAndSwap(until, now+int64(b.timeout)) {
			return unavailable(errResting)
		}
	}
	bounded, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	err := op(bounded)
	var answer redis.Error
	switch {
	case err == nil:
		b.heal()
		return nil
	case errors.Is(err, redis.Nil):
		b.heal()
		return grapnel.ErrNotFound
	case errors.As(err, &answer):
		b.heal() // it answers, if only to say no
	case ctx.Err() == nil:
		if b.until.Swap(int64(time.Since(b.start)+restFor)) == 0 {
			b.log.Warn("Redis does not answer", "err", err)
		}
	default:
		// The caller went away, which says nothing about Redis.
		b.until.CompareAndSwap(now+int64(b.timeout), now)
	}
	return unavailable(err)
}

func (b *breaker) heal() {
	if b.until.Load() != 0 && b.until.Swap(0) != 0 {
		b.log.Info("Redis answers again")
	}
}
