package limit

import (
	"net/http"
	"net/netip"

	"github.com/grapnel-gateway/grapnel"
)

// Address refuses clients whose address is blocked, or is not among the allowed
// ones where there are any. It stands after the Pre hooks [M-6, T-173].
func Address(api *grapnel.API) grapnel.Middleware {
	rules := api.Addresses
	if len(rules.Allow)+len(rules.Block) == 0 {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			// A prefix holds neither IPv4 in IPv6 clothing nor zones.
			client := x.Client.Unmap().WithZone("")
			if len(rules.Allow) > 0 && !within(client, rules.Allow) || within(client, rules.Block) {
				return nil, &grapnel.Error{
					Status: http.StatusForbidden, Code: grapnel.CodeForbidden,
					Message: "access from this IP has been disallowed",
				}
			}
			return next(x)
		}
	}
}

func within(client netip.Addr, networks []netip.Prefix) bool {
	for _, n := range networks {
		if n.Contains(client) {
			return true
		}
	}
	return false
}
