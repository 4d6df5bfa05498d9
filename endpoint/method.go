package endpoint

import (
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// Method schedules another method for the upstream; Post hooks see it, and may
// change it [B-12, M-8].
func Method(api *grapnel.API) grapnel.Middleware {
	if !api.Versioning.Any(func(v *grapnel.Version) bool { return len(v.Methods) > 0 }) {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			if x.Version == nil {
				return next(x)
			}
			for _, r := range x.Version.Methods {
				if r.Selects(x) {
					x.RewriteMethod = r.To
					break
				}
			}
			return next(x)
		}
	}
}
