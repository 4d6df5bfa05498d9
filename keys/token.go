package keys

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// A token is a key that says whose it is and how the original hashes it.
type token struct {
	Org      string `json:"org"`
	ID       string `json:"id"`
	Function string `json:"h"`
}

// Token returns the key that stands for an id within an organisation: the two
// joined when no hash function is named, else the base64 of a JSON object
// [S-60]. A function that does not exist is murmur64. An empty id stands for a
// new one that nobody can guess.
func Token(org, id, function string) string {
	if id == "" {
		id = newID()
	}
	if function == "" {
		return org + id
	}
	if _, ok := Hash(function, ""); !ok {
		function = murmur64
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the original escapes nothing
	_ = e.Encode(token{org, id, function})
	return base64.StdEncoding.EncodeToString(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// newID makes a random UUID of 32 hexadecimal digits.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return hex.EncodeToString(b[:])
}

// parse reads a key that Token made with a function.
func parse(key string) (t token, ok bool) {
	if !strings.HasPrefix(key, "ey") { // base64 of {"
		return token{}, false
	}
	b, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return token{}, false
	}
	err = json.Unmarshal(b, &t)
	return t, err == nil && t.ID != ""
}

// bears reports whether a key says of itself that it belongs to the
// organisation: as a token, or by beginning with the organisation's id, where
// that is 24 hexadecimal digits [Z-2].
func bears(key, org string) bool {
	if t, ok := parse(key); ok {
		return t.Org == org
	}
	const digits = 24
	if len(org) != digits || len(key) <= digits || !strings.HasPrefix(key, org) {
		return false
	}
	_, err := hex.DecodeString(org)
	return err == nil
}

// withoutBearer drops the scheme that may stand before a key [S-63].
func withoutBearer(credential string) string {
	const scheme = "Bearer "
	if len(credential) >= len(scheme) && strings.EqualFold(credential[:len(scheme)], scheme) {
		return credential[len(scheme):]
	}
	return credential
}
