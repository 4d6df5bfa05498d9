package auth

import (
	"errors"
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// oauth lets callers in who present an access token of an API's own
// authorization server [S-46]. It is a key like others; which APIs it opens its
// rights say.
type oauth struct {
	known
	header string
}

// errNoToken is why a key that exists is no access token.
var errNoToken = errors.New("the key is not an access token of a client")

// Authenticate finds the session of the access token.
func (o oauth) Authenticate(x *grapnel.Exchange) (*http.Response, error) {
	field := x.Request.Header.Get(o.header)
	if field == "" {
		return nil, refuse(http.StatusBadRequest, "Authorization field missing")
	}
	token := bare(field)
	if token == field || token == "" {
		return nil, refuse(http.StatusBadRequest, "Bearer token malformed")
	}
	s, err := o.find(x, token)
	if err == nil && (s.OAuthClientID == "" || guessable(s)) {
		err = errNoToken
	}
	switch {
	case errors.Is(err, grapnel.ErrNotFound), errors.Is(err, errNoToken):
		return nil, o.fail(x, http.StatusForbidden, "Key not authorised", err)
	case err != nil:
		return nil, err
	}
	x.Session = s
	return nil, nil
}
