package limit

import (
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// Quota makes the middleware that lets exactly quota_max requests of a session
// through in each of its periods [S-36]. Later stages see in the session what
// remains of it. It returns nil when the API has no callers or no quotas.
func Quota(api *grapnel.API, counters grapnel.Counters, events grapnel.Events) grapnel.Middleware {
	if len(api.Auth) == 0 || api.Limits.DisableQuota {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			if x.Open || x.Unlimited {
				return next(x)
			}
			a := allowanceOf(x)
			if a.quota <= 0 {
				return next(x)
			}
			usage, err := counters.Spend(x.Request.Context(), a.key, a.quota, a.period)
			if err != nil {
				return nil, grapnel.Unavailable(err)
			}
			if usage.Used > a.quota {
				events.Fire(x, grapnel.EventQuotaExceeded, "Key Quota Limit Exceeded")
				return nil, &grapnel.Error{Status: http.StatusForbidden, Code: grapnel.CodeLimited, Message: "Quota exceeded"}
			}
			renews := x.Session.QuotaRenews
			if !usage.Renews.IsZero() {
				renews = usage.Renews.Unix()
			}
			x.Meter(a.quota, a.quota-usage.Used, renews)
			return next(x)
		}
	}
}
