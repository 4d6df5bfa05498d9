package endpoint

import (
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// Replies answers with fixed replies where the API has them, before the Pre
// hooks: no plugin sees these requests [M-5, T-180].
func Replies(api *grapnel.API) grapnel.Middleware {
	if !api.Versioning.Any(func(v *grapnel.Version) bool { return len(v.Replies) > 0 }) {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			if x.Version == nil {
				return next(x)
			}
			for _, r := range x.Version.Replies {
				if r.Selects(x) {
					return grapnel.Reply(r.Status, r.Header.Clone(), r.Body), nil
				}
			}
			return next(x)
		}
	}
}
