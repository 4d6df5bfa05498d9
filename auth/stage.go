// Package auth finds out who is calling: one file for each method, and the
// stage that asks them in order.
package auth

import (
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// Stage makes the middleware that lets an exchange pass when every method has
// accepted it [C-20]; the methods are those of api.Auth, in its order. The last
// one's session stays, or that of the API's base identity [C-21]. What a method
// stores it stores after all have passed: a refused request must not leave a
// session behind that another method would take. Open paths need no caller
// [C-3]. Stage returns nil when there are no methods: the API is open to
// everyone.
func Stage(api *grapnel.API, methods []grapnel.Authenticator) grapnel.Middleware {
	if len(methods) == 0 {
		return nil
	}
	s := stage{base: api.Sessions.BaseIdentity, methods: methods}
	for i := range api.Auth {
		s.identities = append(s.identities, api.Auth[i].Identity())
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			if x.Open {
				return next(x)
			}
			if resp, err := s.pass(x); resp != nil || err != nil {
				return resp, err
			}
			return next(x)
		}
	}
}

// A prover is a method that stores sessions.
type prover interface {
	// prove is Authenticate, but for what waits until all methods have
	// passed. Who is refused has nothing to settle.
	prove(*grapnel.Exchange) (proof, *http.Response, error)
}

// A proof is what is left to do for a session.
type proof struct {
	// certain says that the session stays, whatever the base identity is
	// [I-11].
	certain bool
	// settle, when not nil, is called once: to store the session, or to
	// forget it.
	settle func(keep bool) error
}

type stage struct {
	base       string
	methods    []grapnel.Authenticator
	identities []string // of the methods
}

// pass asks the methods, and settles what they left open.
func (s stage) pass(x *grapnel.Exchange) (resp *http.Response, err error) {
	var kept, dropped []func(bool) error
	defer func() {
		for _, settle := range append(kept, dropped...) {
			settle(false)
		}
	}()
	var session *grapnel.Session
	for i, m := range s.methods {
		if s.base != "" {
			x.Session = nil
		}
		var p proof
		if keeper, ok := m.(prover); ok {
			p, resp, err = keeper.prove(x)
		} else {
			resp, err = m.Authenticate(x)
		}
		stays := s.base == "" || s.identities[i] == s.base || p.certain
		switch {
		case p.settle == nil:
		case stays:
			kept = append(kept, p.settle)
		default:
			dropped = append(dropped, p.settle)
		}
		if resp != nil || err != nil {
			return resp, err
		}
		if stays {
			session = x.Session
		}
	}
	if session == nil { // [S-49]
		return nil, refuse(http.StatusBadRequest, "Session state is missing or unset! Please make sure that auth headers are properly applied")
	}
	x.Session = session
	for len(kept) > 0 {
		settle := kept[0]
		kept = kept[1:]
		if err := settle(true); err != nil {
			return nil, err
		}
	}
	return nil, nil
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
