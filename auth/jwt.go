package auth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/lestrrat-go/jwx/v3/jws"
)

// bearer lets callers in who present a signed token [S-44]. The algorithm and
// the key come from the configuration, or from the session of a caller with a
// key of their own; a token only says which of them was used.
type bearer struct {
	known
	config     grapnel.JWTAuth
	algorithms map[string]jws.Verifier2
	issuers    keySource // nil when each session holds its own key
	realm      string    // keeps apart equal names of different issuers, where they are not one
}

func newJWT(k known, c grapnel.JWTAuth) (*bearer, error) {
	algorithms, err := parseAlgorithms(c.Algorithms)
	if err != nil {
		return nil, err
	}
	b := &bearer{known: k, config: c, algorithms: algorithms}
	b.issuers, err = newKeySource(c)
	return b, err
}

// What clients read when a token does not pass; those of 401 say why [S-44].
const (
	tokenMissing  = "Authorization field missing"
	tokenRefused  = "Key not authorized"
	tokenMethod   = "Key not authorized: Unexpected signing method"
	tokenNoPolicy = "key not authorized: no matching policy"
)

// The reasons that only the log is told. They say nothing of the token.
var (
	errTokenForm   = errors.New("not a signed token in compact form")
	errTokenKey    = errors.New("no key for the token")
	errTokenSigned = errors.New("the signature is not one of the key's")
	errTokenWho    = errors.New("no claim says who is calling")
)

// Authenticate verifies the token and finds, or makes, the caller's session.
func (b *bearer) Authenticate(x *grapnel.Exchange) (*http.Response, error) {
	p, _, err := b.prove(x)
	if p.settle == nil {
		return nil, err
	}
	return nil, p.settle(true)
}

// prove implements [prover].
func (b *bearer) prove(x *grapnel.Exchange) (p proof, _ *http.Response, _ error) {
	raw := bare(b.config.Credential.Find(x.Request))
	if raw == "" {
		return p, nil, refuse(http.StatusBadRequest, tokenMissing)
	}
	t, err := parseToken(raw)
	if err != nil {
		return p, nil, b.fail(x, http.StatusForbidden, tokenRefused, err)
	}
	verifier, ok := b.algorithms[t.header.Algorithm]
	if !ok {
		return p, nil, b.fail(x, http.StatusForbidden, tokenMethod, nil)
	}
	session, keys, err := b.keysFor(x, t)
	switch {
	case errors.Is(err, grapnel.ErrNotFound), errors.Is(err, errTokenKey), errors.Is(err, errTokenWho):
		return p, nil, b.fail(x, http.StatusForbidden, tokenRefused, err)
	case err != nil:
		return p, nil, err
	case !t.signedBy(keys, verifier):
		return p, nil, b.fail(x, http.StatusForbidden, tokenRefused, errTokenSigned)
	}
	if reason := b.invalid(t.claims, time.Now()); reason != "" {
		return p, nil, b.fail(x, http.StatusUnauthorized, tokenRefused+": "+reason, nil)
	}
	if session == nil {
		if session, p, err = b.identify(x, t.claims); err != nil {
			return p, nil, err
		}
	}
	x.Session, x.Claims = session, t.claims
	return p, nil, nil
}

// keysFor returns the keys that may have signed the token. When the session of
// the caller holds the key, it returns the session too.
func (b *bearer) keysFor(x *grapnel.Exchange, t jwToken) (*grapnel.Session, []verificationKey, error) {
	if b.issuers != nil {
		keys, err := b.issuers.find(x, t.header)
		return nil, keys, err
	}
	id := t.header.KeyID
	if id == "" || b.config.IgnoreKID {
		id = b.identity(t.claims)
	}
	if id == "" {
		return nil, nil, errTokenWho
	}
	s, err := b.find(x, id)
	if err != nil {
		return nil, nil, err
	}
	key, err := sessionKey(s.JWTData.Secret, t.header.Algorithm)
	return s, []verificationKey{key}, err
}

// A jwToken is what a token says, true or not.
type jwToken struct {
	header    tokenHeader
	claims    claims
	text      []byte // what was signed
	signature []byte
}

type tokenHeader struct {
	Algorithm string          `json:"alg"`
	KeyID     string          `json:"kid"`
	Critical  json.RawMessage `json:"crit"`
}

// parseToken reads a token without verifying it [RFC 7519]. A token with an
// extension that must be understood is refused: none is [RFC 7515 4.1.11].
func parseToken(raw string) (jwToken, error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return jwToken{}, errTokenForm
	}
	t := jwToken{text: []byte(raw[:len(raw)-len(parts[2])-1])}
	if !decodePart(parts[0], &t.header) || !decodePart(parts[1], &t.claims) {
		return jwToken{}, errTokenForm
	}
	var err error
	t.signature, err = base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil || t.header.Critical != nil || t.claims == nil {
		return jwToken{}, errTokenForm
	}
	return t, nil
}

// signedBy reports whether one of the keys signed the token.
func (t jwToken) signedBy(keys []verificationKey, v jws.Verifier2) bool {
	return slices.ContainsFunc(keys, func(k verificationKey) bool {
		return v.Verify(k.key, t.text, t.signature) == nil
	})
}

func decodePart(part string, into any) bool {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return false
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	return d.Decode(into) == nil && !d.More()
}

// bare drops the word Bearer in front of a token [S-63].
func bare(token string) string {
	const scheme = "Bearer "
	if len(token) >= len(scheme) && strings.EqualFold(token[:len(scheme)], scheme) {
		return strings.TrimLeft(token[len(scheme):], " ")
	}
	return token
}
