package auth

import (
	"errors"
	"log/slog"

	"github.com/grapnel-gateway/grapnel"
)

// New makes the authenticator of a built-in method: one that asks no plugin
// server. An error says what of its configuration cannot be used. What happens to
// its files later goes to the log.
func New(api *grapnel.API, m grapnel.AuthMethod, keys grapnel.Keys, events grapnel.Events, log *slog.Logger) (grapnel.Authenticator, error) {
	k := known{api, keys, events}
	switch {
	case m.Token != nil:
		return token{k, *m.Token}, nil
	case m.Basic != nil:
		return newBasic(k, *m.Basic), nil
	case m.JWT != nil:
		return newJWT(k, *m.JWT)
	case m.HMAC != nil:
		return newHMAC(k, *m.HMAC), nil
	case m.Certificate != nil:
		return newCertificate(k, *m.Certificate, log)
	case m.OAuth != nil:
		return oauth{k, m.OAuth.Header}, nil
	case m.Introspection != nil:
		return newIntrospection(k, *m.Introspection)
	}
	return nil, errors.New("auth: not a built-in method")
}

// known is what the built-in methods have in common: who is known, and who is
// told of those that are not.
type known struct {
	api    *grapnel.API
	keys   grapnel.Keys
	events grapnel.Events
}

// find looks up the session of a credential. Nobody there is ErrNotFound; any
// other error is one for the client.
func (k known) find(x *grapnel.Exchange, credential string) (*grapnel.Session, error) {
	s, err := k.keys.Find(x.Request.Context(), k.api.OrgID, credential)
	if err != nil && !errors.Is(err, grapnel.ErrNotFound) {
		return nil, grapnel.Unavailable(err)
	}
	return s, err
}

// fail refuses a credential that was presented, and tells of it [E-7]. The
// cause goes to the log and must not hold any secret.
func (k known) fail(x *grapnel.Exchange, status int, message string, cause error) *grapnel.Error {
	k.events.Fire(x, grapnel.EventAuthFailure, "Auth Failure")
	e := refuse(status, message)
	e.Err = cause
	return e
}
