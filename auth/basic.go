package auth

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// basic lets callers in who present the name and password of a stored key
// [S-43]. The key is that of the name [S-60, R-41].
type basic struct {
	known
	header    string
	realm     string
	passwords *passwords
}

func newBasic(k known, c grapnel.BasicAuth) *basic {
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	return &basic{known: k, header: c.Header, realm: `Basic realm="` + quote.Replace(k.api.Name) + `"`, passwords: newPasswords()}
}

// Authenticate compares the password with that of the name's session. A name
// that nobody has and a wrong password look the same, and take as long.
func (b *basic) Authenticate(x *grapnel.Exchange) (*http.Response, error) {
	field := x.Request.Header.Get(b.header)
	if field == "" {
		return nil, b.ask(refuse(http.StatusUnauthorized, "Authorization field missing"))
	}
	name, password, err := nameAndPassword(field)
	if err != nil {
		return nil, b.fail(x, http.StatusBadRequest, "Attempted access with malformed header, "+err.Error(), nil)
	}
	s, err := b.find(x, name)
	if err != nil && !errors.Is(err, grapnel.ErrNotFound) {
		return nil, err
	}
	var stored grapnel.BasicAuthData
	if s != nil {
		stored = s.BasicAuthData
	}
	if err := b.passwords.check(x.Request.Context(), name, password, stored); err != nil {
		return nil, b.ask(b.fail(x, http.StatusUnauthorized, "User not authorised", err))
	}
	x.Session = s
	return nil, nil
}

// ask adds the question for a name and a password [RFC 9110 11.6.1].
func (b *basic) ask(e *grapnel.Error) *grapnel.Error {
	e.Header = http.Header{"Www-Authenticate": {b.realm}}
	return e
}

// The ways in which a header is not basic authentication; clients see them
// [S-43].
var (
	errNotBasic   = errors.New("header not in basic auth format")
	errNotEncoded = errors.New("auth data not encoded correctly")
	errNotPair    = errors.New("values not in basic auth format")
)

// nameAndPassword reads the header after RFC 7617.
func nameAndPassword(field string) (name, password string, err error) {
	scheme, encoded, found := strings.Cut(field, " ")
	if !found || !strings.EqualFold(scheme, "Basic") {
		return "", "", errNotBasic
	}
	pair, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", "", errNotEncoded
	}
	name, password, found = strings.Cut(string(pair), ":")
	if !found {
		return "", "", errNotPair
	}
	return name, password, nil
}
