package auth

import (
	"net/http"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// Valid makes the middleware that refuses sessions which have expired or were
// switched off, however they were proved [C-13, S-49], and tells events of it
// [E-7]. An expiry of 0 or less is never. It returns nil when the API is open to
// everyone.
func Valid(api *grapnel.API, events grapnel.Events) grapnel.Middleware {
	if len(api.Auth) == 0 {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			s := x.Session
			switch {
			case x.Open:
			case s.Expires > 0 && s.Expires < time.Now().Unix():
				events.Fire(x, grapnel.EventKeyExpired, "Attempted access from expired key.")
				return nil, refuse(http.StatusUnauthorized, "Key has expired, please renew")
			case s.IsInactive:
				events.Fire(x, grapnel.EventKeyExpired, "Attempted access from inactive key.")
				return nil, refuse(http.StatusForbidden, "Key is inactive, please renew")
			}
			return next(x)
		}
	}
}
