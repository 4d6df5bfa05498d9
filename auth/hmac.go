package auth

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"hash"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// signed lets callers in who sign their requests with the secret of a stored
// key, after draft-cavage-http-signatures in the original's dialect [S-45]: the
// signature is base64 with its + / = escaped as in a URL.
type signed struct {
	known
	header     string
	algorithms []string
	skew       time.Duration
}

func newHMAC(k known, c grapnel.HMACAuth) signed {
	s := signed{known: k, header: c.Header, skew: time.Duration(c.ClockSkew)}
	for _, name := range c.Algorithms {
		s.algorithms = append(s.algorithms, strings.ToLower(name))
	}
	return s
}

// The reasons why a signature does not pass. Clients are told nothing of them.
var (
	errNotSignature = errors.New("not a signature header")
	errAlgorithm    = errors.New("the algorithm is not allowed")
	errSignedField  = errors.New("a signed field is missing")
	errDate         = errors.New("the date is not signed, or too far from now")
	errSignature    = errors.New("unknown key, or wrong signature")
	errDigest       = errors.New("the signed digest is not that of the body")
)

// Authenticate checks the signature. All that is wrong with it gets the same
// answer.
func (s signed) Authenticate(x *grapnel.Exchange) (*http.Response, error) {
	const message = "Authorization field missing, malformed or invalid"
	field := x.Request.Header.Get(s.header)
	if field == "" {
		return nil, refuse(http.StatusBadRequest, message)
	}
	session, err := s.verify(x, field)
	if err == nil {
		x.Session = session
		return nil, nil
	}
	if e, ok := errors.AsType[*grapnel.Error](err); ok {
		return nil, e
	}
	return nil, s.fail(x, http.StatusBadRequest, message, err)
}

// verify returns the session whose secret signed the request.
func (s signed) verify(x *grapnel.Exchange, field string) (*grapnel.Session, error) {
	sig, err := parseSignature(field)
	if err != nil {
		return nil, err
	}
	digest := s.digest(sig.algorithm)
	if digest == nil {
		return nil, errAlgorithm
	}
	text, err := sig.text(x.Request)
	if err != nil {
		return nil, err
	}
	if err := s.fresh(sig, x.Request); err != nil {
		return nil, err
	}
	session, err := s.find(x, sig.keyID)
	if err != nil && !errors.Is(err, grapnel.ErrNotFound) {
		return nil, err
	}
	secret := ""
	if session != nil && session.HMACEnabled {
		secret = session.HMACSecret
	}
	mac := hmac.New(digest, []byte(secret)) // made for unknown keys too, for the time that it takes
	mac.Write([]byte(text))
	if right := hmac.Equal(mac.Sum(nil), sig.value); !right || secret == "" {
		return nil, errSignature
	}
	if slices.Contains(sig.fields, "digest") {
		return session, checkDigest(x)
	}
	return session, nil
}

// digest returns the hash of the algorithm, or nil if it is not allowed.
func (s signed) digest(algorithm string) func() hash.Hash {
	if len(s.algorithms) > 0 && !slices.Contains(s.algorithms, algorithm) {
		return nil
	}
	switch algorithm {
	case "hmac-sha1":
		return sha1.New
	case "hmac-sha256":
		return sha256.New
	case "hmac-sha384":
		return sha512.New384
	case "hmac-sha512":
		return sha512.New
	}
	return nil
}

// fresh refuses requests whose date was not signed or is too far from now: they
// may be replayed ones.
func (s signed) fresh(sig signature, r *http.Request) error {
	if s.skew <= 0 {
		return nil
	}
	if !slices.Contains(sig.fields, "date") && !slices.Contains(sig.fields, "x-aux-date") {
		return errDate
	}
	_, value := dateField(r)
	date, err := http.ParseTime(value)
	if err != nil {
		date, err = time.Parse(time.RFC1123, value) // with UTC for GMT
	}
	if off := time.Since(date).Abs(); err != nil || off > s.skew {
		return errDate
	}
	return nil
}

// dateField is the field that holds the request's date: X-Aux-Date goes before
// Date, since some clients cannot set that one.
func dateField(r *http.Request) (name, value string) {
	if v := r.Header.Get("X-Aux-Date"); v != "" {
		return "x-aux-date", v
	}
	return "date", r.Header.Get("Date")
}

// A signature is what a request says of its own signature.
type signature struct {
	keyID, algorithm string
	fields           []string // names of header fields, in lower case
	value            []byte
}

// parseSignature reads Signature keyId="…",algorithm="…",headers="…",
// signature="…". Without headers, the date alone is signed.
func parseSignature(field string) (signature, error) {
	scheme, list, _ := strings.Cut(field, " ")
	if !strings.EqualFold(scheme, "Signature") {
		return signature{}, errNotSignature
	}
	params := map[string]string{"headers": "date"}
	seen := map[string]bool{}
	for list = strings.TrimSpace(list); list != ""; {
		name, rest, ok := strings.Cut(list, `="`)
		value, rest, closed := strings.Cut(rest, `"`)
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || !closed || seen[name] {
			return signature{}, errNotSignature
		}
		params[name], seen[name] = value, true
		list = strings.TrimLeft(rest, " ")
		if list, ok = strings.CutPrefix(list, ","); !ok && list != "" {
			return signature{}, errNotSignature
		}
	}
	// The original's clients escape in upper or lower case; plain base64
	// has nothing to unescape.
	encoded, err := url.PathUnescape(params["signature"])
	if err != nil {
		return signature{}, errNotSignature
	}
	value, err := base64.StdEncoding.Strict().DecodeString(encoded)
	s := signature{
		keyID: params["keyid"], algorithm: strings.ToLower(params["algorithm"]),
		fields: strings.Fields(strings.ToLower(params["headers"])), value: value,
	}
	if err != nil || s.keyID == "" || len(value) == 0 || len(s.fields) == 0 {
		return signature{}, errNotSignature
	}
	return s, nil
}

// text is what was signed: a line for each field. A field that came several
// times is one line with all its values, so that none can be slipped in.
func (s signature) text(r *http.Request) (string, error) {
	lines := make([]string, len(s.fields))
	for i, name := range s.fields {
		var value string
		switch name {
		case "(request-target)":
			value = strings.ToLower(r.Method) + " " + r.URL.RequestURI()
		case "host":
			value = r.Host
		case "date":
			name, value = dateField(r)
		default:
			value = strings.Join(r.Header.Values(name), ", ")
		}
		if value == "" {
			return "", errSignedField
		}
		lines[i] = name + ": " + value
	}
	return strings.Join(lines, "\n"), nil
}

// checkDigest compares the body with the Digest field [RFC 3230], which is
// worth its signature only then.
func checkDigest(x *grapnel.Exchange) error {
	body, err := x.Body()
	if err != nil {
		return err
	}
	found := false
	for _, d := range strings.Split(x.Request.Header.Get("Digest"), ",") {
		name, encoded, _ := strings.Cut(strings.TrimSpace(d), "=")
		var sum []byte
		switch strings.ToUpper(name) {
		case "SHA-256":
			s := sha256.Sum256(body)
			sum = s[:]
		case "SHA-512":
			s := sha512.Sum512(body)
			sum = s[:]
		default:
			continue
		}
		if encoded != base64.StdEncoding.EncodeToString(sum) {
			return errDigest
		}
		found = true
	}
	if !found {
		return errDigest
	}
	return nil
}
