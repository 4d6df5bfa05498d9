package auth

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/pki"
)

// token lets callers in who present a stored key as it is [S-41, S-42].
type token struct {
	known
	grapnel.TokenAuth
}

// Authenticate finds the session of the key.
func (t token) Authenticate(x *grapnel.Exchange) (*http.Response, error) {
	key, own := t.Find(x.Request), connected(x.Request, time.Now())
	if key == "" && t.Certificate {
		key = own
	}
	if key == "" {
		return nil, refuse(http.StatusUnauthorized, "Authorization field missing")
	}
	s, err := t.find(x, key)
	if err == nil {
		err = t.check(s, own)
	}
	switch {
	case errors.Is(err, grapnel.ErrNotFound), errors.Is(err, errGuessable), errors.Is(err, errUnbound):
		return nil, t.fail(x, http.StatusForbidden, "Access to this API has been disallowed", err)
	case err != nil:
		return nil, err
	}
	x.Session = s
	return nil, nil
}

// check reports why the session's key does not let in whoever presents it on a
// connection with this certificate.
func (t token) check(s *grapnel.Session, own string) error {
	bound := strings.TrimPrefix(strings.ToLower(s.Certificate), strings.ToLower(s.OrgID))
	switch proven := own != "" && bound == own; {
	case guessable(s):
		return errGuessable
	case t.Certificate && !proven, bound != "" && !proven && s.KeyID == t.keys.Token(t.api.OrgID, bound):
		return errUnbound
	}
	return nil
}

// connected is the fingerprint of the certificate that the client has proved to
// have, if it is in date.
func connected(r *http.Request, now time.Time) string {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return ""
	}
	leaf := r.TLS.PeerCertificates[0]
	if now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		return ""
	}
	return pki.Fingerprint(leaf)
}

// errUnbound is why a key without its certificate proves nothing: certificates are
// no secrets, and the key follows from it.
var errUnbound = errors.New("the key is not bound to the certificate of the connection")

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
