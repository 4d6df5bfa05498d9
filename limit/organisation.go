package limit

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// organisation is what counts of the session of an organisation.
type organisation struct {
	Rate     float64 `json:"rate"`
	Per      float64 `json:"per"`
	QuotaMax int64   `json:"quota_max"`
	Period   float64 `json:"quota_renewal_rate"` // seconds
	Inactive bool    `json:"is_inactive"`
}

// Organisation makes the middleware that lets the requests to all APIs of an
// organisation through at the rate, and within the quota, of the organisation's
// session, whoever calls, and none of them where it is inactive [R-42, M-1]. An
// organisation without a session has no bounds. The session is read for every
// request, so that a change counts at once, on all gateways. Without counters
// nothing is counted. It returns nil when the API is not bounded so.
func Organisation(api *grapnel.API, records grapnel.Records, counters grapnel.Counters) grapnel.Middleware {
	if !api.Limits.Organisation || api.OrgID == "" {
		return nil
	}
	key := grapnel.OrgRecords + api.OrgID
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			text, err := records.Record(x.Request.Context(), key)
			if errors.Is(err, grapnel.ErrNotFound) {
				return next(x)
			}
			if err != nil {
				return nil, grapnel.Unavailable(err)
			}
			var o organisation
			if err := json.Unmarshal(text, &o); err != nil {
				return nil, fmt.Errorf("the session of organisation %s: %w", api.OrgID, err)
			}
			if o.Inactive {
				return nil, &grapnel.Error{
					Status: http.StatusForbidden, Code: grapnel.CodeForbidden,
					Message: "this organisation access has been disabled, please contact your API administrator",
				}
			}
			if counters != nil && !x.Unlimited {
				if err := o.count(x, counters, key); err != nil {
					return nil, err
				}
			}
			return next(x)
		}
	}
}

// count counts one request, or refuses it. The statuses are the original's.
func (o organisation) count(x *grapnel.Exchange, counters grapnel.Counters, key string) error {
	err := take(x.Request.Context(), counters, key, grapnel.RateLimit{Rate: o.Rate, Per: o.Per},
		"This organisation rate limit has been exceeded, please contact your API administrator")
	if e, ok := errors.AsType[*grapnel.Error](err); ok && limited(err) {
		e.Status = http.StatusForbidden
		return e
	}
	if err != nil || o.QuotaMax <= 0 {
		return err
	}
	usage, err := counters.Spend(x.Request.Context(), key, o.QuotaMax, seconds(o.Period))
	if err != nil {
		return grapnel.Unavailable(err)
	}
	if usage.Used > o.QuotaMax {
		return &grapnel.Error{
			Status: http.StatusForbidden, Code: grapnel.CodeLimited,
			Message: "This organisation quota has been exceeded, please contact your API administrator",
		}
	}
	return nil
}
