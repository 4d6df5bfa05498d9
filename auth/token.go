package auth

import (
	"errors"
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// token lets callers in who present a stored key as it is [S-41, S-42].
type token struct {
	known
	place grapnel.Credential
}

// Authenticate finds the session of the key.
func (t token) Authenticate(x *grapnel.Exchange) (*http.Response, error) {
	key := t.place.Find(x.Request)
	if key == "" {
		return nil, refuse(http.StatusUnauthorized, "Authorization field missing")
	}
	s, err := t.find(x, key)
	if err == nil && guessable(s) {
		err = errGuessable
	}
	switch {
	case errors.Is(err, grapnel.ErrNotFound), errors.Is(err, errGuessable):
		return nil, t.fail(x, http.StatusForbidden, "Access to this API has been disallowed", err)
	case err != nil:
		return nil, err
	}
	x.Session = s
	return nil, nil
}

// errGuessable is why a key that exists proves nothing.
var errGuessable = errors.New("the key is not a secret: its owner proves who they are with a password or a token")

// extractedMark marks, in the stored form, sessions that are kept under an id
// which an extractor made of the request.
const extractedMark = "grapnel_extracted_id"

// guessable reports whether the session's key follows from what is no secret: of
// those who have a password, of those whom an issuer vouches for, and of those
// whose id an extractor made. Whoever knows the name could else come in without
// the proof.
func guessable(s *grapnel.Session) bool {
	_, extracted := s.Extra[extractedMark]
	return extracted || s.BasicAuthData.Password != "" || s.Metadata[identityMark] != nil
}
