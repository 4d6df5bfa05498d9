package limit

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// standingPath is where callers ask below the listen path.
const standingPath = "tyk/rate-limits"

// standing is how a caller stands on an API.
type standing struct {
	Quota struct {
		Max       int64 `json:"quota_max"`
		Remaining int64 `json:"quota_remaining"`
		Renews    int64 `json:"quota_renews"`
	} `json:"quota"`
	Rate struct {
		Requests float64 `json:"requests"`
		Per      float64 `json:"per_unit"`
	} `json:"rate_limit"`
}

// Standing makes the middleware that tells callers what they may do on the API
// and what is left of it, and counts nothing. Those around it say who
// is calling: it answers without the rest of the chain, so that no other hook than that
// of the caller's authentication is asked [M-12]. It returns nil when the API does
// not tell, or does not know its callers.
func Standing(api *grapnel.API, counters grapnel.Counters, around ...grapnel.Middleware) grapnel.Middleware {
	if !api.Limits.Told || len(api.Auth) == 0 {
		return nil
	}
	tell := grapnel.Chain(func(x *grapnel.Exchange) (*http.Response, error) { return tellStanding(x, counters) }, around...)
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			if strings.Trim(strings.TrimPrefix(x.Request.URL.Path, x.Prefix), "/") != standingPath {
				return next(x)
			}
			return tell(x)
		}
	}
}

func tellStanding(x *grapnel.Exchange, counters grapnel.Counters) (*http.Response, error) {
	if x.Session == nil { // the path is open to everyone: this is nobody's standing [S-49]
		return nil, &grapnel.Error{
			Status: http.StatusBadRequest, Code: grapnel.CodeBadRequest,
			Message: "Session state is missing or unset! Please make sure that auth headers are properly applied",
		}
	}
	if err := mayCallAPI(x); err != nil { // whatever URLs the right has [M-12]
		return nil, err
	}
	if m := x.Request.Method; m != http.MethodGet && m != http.MethodHead {
		return nil, &grapnel.Error{
			Status: http.StatusMethodNotAllowed, Code: grapnel.CodeBadRequest, Message: "Method not supported",
			Header: http.Header{"Allow": {"GET, HEAD"}},
		}
	}
	told, err := standingOf(x, counters)
	if err != nil {
		return nil, grapnel.Unavailable(err)
	}
	text, err := json.Marshal(told)
	if err != nil {
		return nil, err
	}
	return grapnel.Reply(http.StatusOK, http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}}, text), nil
}

// standingOf takes the numbers of the session, or of its right for the API, and
// what the counters know better [S-37].
func standingOf(x *grapnel.Exchange, counters grapnel.Counters) (standing, error) {
	var told standing
	s, a := x.Session, allowanceOf(x)
	told.Rate.Requests, told.Rate.Per = a.rate.Rate, a.rate.Per
	q := &told.Quota
	q.Max, q.Remaining, q.Renews = a.quota, s.QuotaRemaining, s.QuotaRenews
	if l := s.AccessRights[x.API.ID].Limit; l != (grapnel.APILimit{}) {
		q.Remaining, q.Renews = l.QuotaRemaining, l.QuotaRenews
	}
	if a.quota <= 0 {
		return told, nil
	}
	usage, err := counters.Usage(x.Request.Context(), a.key)
	if err != nil {
		return standing{}, err
	}
	q.Remaining = max(a.quota-usage.Used, 0)
	if !usage.Renews.IsZero() {
		q.Renews = usage.Renews.Unix()
	}
	return told, nil
}
