package limit

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// Rate makes the middleware that lets each session through at its own rate:
// never more than rate requests in any window of per seconds [S-30…S-35]. The
// numbers of the access right for the API, where it has any, take the place of
// the session's. It returns nil when the API has no callers or no such limits.
func Rate(api *grapnel.API, counters grapnel.Counters, events grapnel.Events) grapnel.Middleware {
	if len(api.Auth) == 0 || api.Limits.DisableRate {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			if x.Open || x.Unlimited {
				return next(x)
			}
			a := allowanceOf(x)
			if err := a.take(x, counters); err != nil {
				return nil, told(x, events, err, grapnel.EventRateExceeded, "Key Rate Limit Exceeded")
			}
			if e, ok := endpointLimit(x); ok {
				key := "endpoint-" + a.key + "-" + x.Request.Method + e.path
				if err := take(x.Request.Context(), counters, key, e.limit, rateExceeded); err != nil {
					return nil, told(x, events, err, grapnel.EventRateExceeded, "Key Rate Limit Exceeded")
				}
			}
			return next(x)
		}
	}
}

// APIRate makes the middleware that bounds the calls of all callers together
// [7.2, S-32]. It returns nil when the API has no such bound.
func APIRate(api *grapnel.API, counters grapnel.Counters) grapnel.Middleware {
	limit := api.Limits.RateLimit
	if limit.Rate <= 0 || limit.Per <= 0 {
		return nil
	}
	key := "apilimiter-" + api.OrgID + api.ID // [Z-6]
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			if !x.Unlimited {
				if err := take(x.Request.Context(), counters, key, limit, "API Rate Limit Exceeded"); err != nil {
					return nil, err
				}
			}
			return next(x)
		}
	}
}

const rateExceeded = "Rate Limit Exceeded"

// take waits and tries again as often as the session allows [S-35].
func (a allowance) take(x *grapnel.Exchange, counters grapnel.Counters) error {
	ctx := x.Request.Context()
	for tries := a.retries; ; tries-- {
		err := take(ctx, counters, a.key, a.rate, rateExceeded)
		if err == nil || tries <= 0 || a.pause <= 0 || !limited(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(a.pause):
		}
	}
}

// take counts one request against a rate. A rate or span of 0 or less is no
// limit [S-32].
func take(ctx context.Context, counters grapnel.Counters, key string, limit grapnel.RateLimit, message string) error {
	if limit.Rate <= 0 || limit.Per <= 0 {
		return nil
	}
	n, per := limit.Rate, limit.Per
	if n < 1 { // less than one in the span is one in a longer span
		n, per = 1, per/n
	}
	wait, err := counters.Take(ctx, key, int(n), seconds(per))
	if err != nil {
		return grapnel.Unavailable(err)
	}
	if wait <= 0 {
		return nil
	}
	return &grapnel.Error{
		Status: http.StatusTooManyRequests, Code: grapnel.CodeLimited, Message: message,
		Header: http.Header{"Retry-After": {strconv.FormatInt(int64(math.Ceil(wait.Seconds())), 10)}},
	}
}

func limited(err error) bool {
	e, ok := errors.AsType[*grapnel.Error](err)
	return ok && e.Code == grapnel.CodeLimited
}

// told fires the event when the error is that a limit was reached.
func told(x *grapnel.Exchange, events grapnel.Events, err error, t grapnel.EventType, message string) error {
	if limited(err) {
		events.Fire(x, t, message)
	}
	return err
}

// seconds makes a duration of a number of seconds, however large.
func seconds(s float64) time.Duration {
	if s >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(s * float64(time.Second))
}
