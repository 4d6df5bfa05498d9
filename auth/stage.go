// Package auth finds out who is calling: one file for each method, and the
// stage that asks them in order.
package auth

import (
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// Stage makes the middleware that lets an exchange pass when every method has
// accepted it [C-20]. Open paths need no caller [C-3]. It returns nil when
// there are no methods: the API is open to everyone.
func Stage(methods []grapnel.Authenticator) grapnel.Middleware {
	if len(methods) == 0 {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			if x.Open {
				return next(x)
			}
			for _, m := range methods {
				resp, err := m.Authenticate(x)
				if resp != nil || err != nil {
					return resp, err
				}
			}
			if x.Session == nil { // a method that sets no session has proved nothing
				return nil, refuse(http.StatusForbidden, "Key not authorised")
			}
			return next(x)
		}
	}
}

func refuse(status int, message string) *grapnel.Error {
	code := grapnel.CodeForbidden
	switch status {
	case http.StatusUnauthorized:
		code = grapnel.CodeUnauthorized
	case http.StatusBadRequest:
		code = grapnel.CodeBadRequest
	}
	return &grapnel.Error{Status: status, Code: code, Message: message}
}
