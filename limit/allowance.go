package limit

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// An allowance is what a session may do on the exchange's API, and the key
// under which it is counted.
type allowance struct {
	key     string
	rate    grapnel.RateLimit
	retries int           // over the rate, try this often again,
	pause   time.Duration // after this long
	quota   int64         // 0 or less is no limit
	period  time.Duration // 0 never renews
}

// allowanceOf works out the allowance: the session's own, or the one that its
// access right has for the API [S-30, Z-4, Z-7].
func allowanceOf(x *grapnel.Exchange) allowance {
	s := x.Session
	a := allowance{
		key: s.CounterKey(x.API.ID), rate: grapnel.RateLimit{Rate: s.Rate, Per: s.Per},
		retries: s.ThrottleRetryLimit, pause: seconds(s.ThrottleInterval),
		quota: s.QuotaMax, period: seconds(float64(s.QuotaRenewalRate)),
	}
	right, ok := s.AccessRights[x.API.ID]
	if l := right.Limit; ok && l != (grapnel.APILimit{}) {
		a.rate = grapnel.RateLimit{Rate: l.Rate, Per: l.Per}
		a.retries, a.pause = l.ThrottleRetryLimit, seconds(l.ThrottleInterval)
		a.quota, a.period = l.QuotaMax, seconds(float64(l.QuotaRenewalRate))
	}
	return a
}

type endpoint struct {
	path  string
	limit grapnel.RateLimit
}

// endpointLimit finds the rate of the endpoint that is called, if the session
// has one for it.
func endpointLimit(x *grapnel.Exchange) (endpoint, bool) {
	right, ok := x.Session.AccessRights[x.API.ID]
	if !ok || len(right.Endpoints) == 0 {
		return endpoint{}, false
	}
	path := "/" + strings.TrimPrefix(strings.TrimPrefix(x.Request.URL.Path, x.Prefix), "/")
	for _, e := range right.Endpoints {
		at := slices.IndexFunc(e.Methods, func(m grapnel.MethodLimit) bool { return strings.EqualFold(m.Name, x.Request.Method) })
		if at < 0 {
			continue
		}
		// An expression that is none limits everything, not nothing.
		if matched, err := regexp.MatchString(e.Path, path); err == nil && !matched {
			continue
		}
		return endpoint{e.Path, e.Methods[at].Limit}, true
	}
	return endpoint{}, false
}
