package limit

import (
	"net/http"
	"strconv"

	"github.com/grapnel-gateway/grapnel"
)

// Headers tells the client of its quota on every proxied reply: the limit, what
// remains, and when it renews in Unix seconds; three zeros where nobody is
// known [S-40]. It stands right outside the Response hooks, so that no plugin
// removes or fakes them, and inside everything that may answer in the
// upstream's place: errors and overrides go without.
func Headers(api *grapnel.API) grapnel.Middleware {
	if !api.RateLimitHeaders {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			res, err := next(x)
			if err != nil {
				return nil, err
			}
			var limit, remaining, reset int64
			if s := x.Session; s != nil {
				limit, remaining, reset = s.QuotaMax, s.QuotaRemaining, s.QuotaRenews
			}
			set(res.Header, "X-Ratelimit-Limit", limit)
			set(res.Header, "X-Ratelimit-Remaining", remaining)
			set(res.Header, "X-Ratelimit-Reset", reset)
			return res, nil
		}
	}
}

func set(h http.Header, name string, n int64) { h[name] = []string{strconv.FormatInt(n, 10)} }
