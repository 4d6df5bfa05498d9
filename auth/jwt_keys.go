package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
)

// A keySource holds the keys of the issuers. find returns those that may have
// signed a token with this header, errTokenKey if there are none, or an error
// for the client while they are not known.
type keySource interface {
	find(x *grapnel.Exchange, h tokenHeader) ([]verificationKey, error)
}

// A verificationKey verifies signatures.
type verificationKey struct {
	id        string // the kid; empty is any
	algorithm string // the one that the key is for; empty is any of its kind
	key       any    // []byte, *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

// fits reports whether the key is of the kind that the algorithm needs: a public
// key is never taken for a secret.
func (k verificationKey) fits(algorithm string) bool {
	if k.algorithm != "" && k.algorithm != algorithm {
		return false
	}
	switch key := k.key.(type) {
	case []byte:
		return strings.HasPrefix(algorithm, "HS")
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")
	case *ecdsa.PublicKey:
		curve := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}[algorithm]
		return key.Curve == curve
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	}
	return false
}

// parseAlgorithms looks up how the accepted algorithms verify. Secrets and public keys do
// not go together: what verifies the one must not be tried on the other.
func parseAlgorithms(names []string) (map[string]jws.Verifier2, error) {
	all := []jwa.SignatureAlgorithm{
		jwa.HS256(), jwa.HS384(), jwa.HS512(), jwa.RS256(), jwa.RS384(), jwa.RS512(), jwa.PS256(), jwa.PS384(), jwa.PS512(),
		jwa.ES256(), jwa.ES384(), jwa.ES512(), jwa.EdDSA(),
	}
	out, secrets := map[string]jws.Verifier2{}, 0
	for _, name := range names {
		i := slices.IndexFunc(all, func(a jwa.SignatureAlgorithm) bool { return a.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("jwt: unknown algorithm %q", name)
		}
		var err error
		if out[name], err = jws.VerifierFor(all[i]); err != nil {
			return nil, err
		}
		if strings.HasPrefix(name, "HS") {
			secrets++
		}
	}
	switch {
	case len(names) == 0:
		return nil, errors.New("jwt: no algorithms are allowed")
	case secrets != 0 && secrets != len(names):
		return nil, errors.New("jwt: algorithms with a secret and with a public key do not go together")
	}
	return out, nil
}

// newKeySource makes the source that the configuration names; nil means that
// sessions hold the keys.
func newKeySource(c grapnel.JWTAuth) (keySource, error) {
	secret := slices.ContainsFunc(c.Algorithms, func(a string) bool { return strings.HasPrefix(a, "HS") })
	switch {
	case len(c.JWKS) > 0 && secret:
		return nil, errors.New("jwt: published keys are not secret")
	case len(c.JWKS) > 0:
		var sets keySets
		for _, u := range c.JWKS {
			sets = append(sets, newKeySet(u.URL, time.Duration(c.JWKSRefresh)))
		}
		return sets, nil
	case c.PublicKey != "":
		k, err := publicKey([]byte(c.PublicKey))
		return fixedKey{k}, err
	case c.Secret != "":
		return fixedKey{verificationKey{key: []byte(c.Secret)}}, nil
	}
	return nil, nil
}

// fixedKey is the one key of the configuration, whatever kid a token names.
type fixedKey struct{ verificationKey }

func (f fixedKey) find(_ *grapnel.Exchange, h tokenHeader) ([]verificationKey, error) {
	if !f.fits(h.Algorithm) {
		return nil, errTokenKey
	}
	return []verificationKey{f.verificationKey}, nil
}

// sessionKey makes a key of what a session holds, by the kind of the algorithm.
func sessionKey(secret, algorithm string) (verificationKey, error) {
	k := verificationKey{key: []byte(secret)}
	isPublic := bytes.Contains(k.key.([]byte), []byte("-----BEGIN"))
	if !strings.HasPrefix(algorithm, "HS") {
		var err error
		if k, err = publicKey([]byte(secret)); err != nil {
			return k, errTokenKey
		}
	} else if isPublic || secret == "" {
		return k, errTokenKey
	}
	if !k.fits(algorithm) {
		return k, errTokenKey
	}
	return k, nil
}

// publicKey reads a public key or a certificate in PEM form.
func publicKey(text []byte) (verificationKey, error) {
	parsed, err := jwk.ParseKey(text, jwk.WithPEM(true))
	if err != nil {
		return verificationKey{}, errors.New("jwt: public_key is not a public key or certificate in PEM form")
	}
	k, ok := usable(parsed)
	if !ok {
		return verificationKey{}, errors.New("jwt: public_key is of a kind that is not supported")
	}
	return k, nil
}

// usable makes a verification key of a public key that is meant for signatures.
func usable(parsed jwk.Key) (verificationKey, bool) {
	var k verificationKey
	if use, ok := parsed.KeyUsage(); ok && use != "sig" {
		return k, false
	}
	public, err := jwk.PublicRawKeyOf(parsed)
	if err != nil {
		return k, false
	}
	switch key := public.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
		k.key = key
	default: // secrets have no place among published keys
		return k, false
	}
	k.id, _ = parsed.KeyID()
	if a, ok := parsed.Algorithm(); ok {
		k.algorithm = a.String()
	}
	return k, true
}

// keysUnknown is the answer while no issuer's keys could be fetched.
func keysUnknown(err error) error {
	return &grapnel.Error{
		Status: http.StatusServiceUnavailable, Code: grapnel.CodeKeysUnavailable, Message: "Service temporarily unavailable.",
		Header: http.Header{"Retry-After": {"5"}}, Err: err,
	}
}
