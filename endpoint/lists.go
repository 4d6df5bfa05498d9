package endpoint

import (
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

const pathForbidden = "Requested endpoint is forbidden"

// Lists decides, before the Pre hooks, which paths are open to everyone and
// which are refused [M-5, C-3]. An ignored path is served whatever the other
// lists say; a blocked one is not; where some are allowed, all others are not.
// Internal paths exist for looping only. A refusal is told to events.
func Lists(api *grapnel.API, events grapnel.Events) grapnel.Middleware {
	listed := func(v *grapnel.Version) bool {
		return len(v.Internal)+len(v.Ignored)+len(v.Blocked)+len(v.Allowed) > 0
	}
	if !api.Versioning.Any(listed) {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			v := x.Version
			switch {
			case v == nil:
			case x.Loops == 0 && selects(v.Internal, x):
				return nil, &grapnel.Error{Status: http.StatusNotFound, Code: grapnel.CodeNotFound, Message: "Not Found"}
			case selects(v.Ignored, x):
				x.Open = true
			case selects(v.Blocked, x), len(v.Allowed) > 0 && !selects(v.Allowed, x):
				return nil, refuse(x, events, pathForbidden)
			}
			return next(x)
		}
	}
}

func selects(rules []grapnel.PathRule, x *grapnel.Exchange) bool {
	for _, r := range rules {
		if r.Selects(x) {
			return true
		}
	}
	return false
}
