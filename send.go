package grapnel

import (
	"fmt"
	"net/http"
	"slices"
)

// A Send says what of an exchange a hook is sent. What a plugin did not see, its
// answer does not change by leaving it out.
type Send struct {
	// Body is how much of the body: full, none, or a size such as 64KiB, which
	// is the most. A hook that is sent none never holds a body up: it streams. In
	// Response hooks that goes for both bodies, and for the trailers behind them.
	Body BodyPart `yaml:"body"`
	// BodyOver is what happens to a body that is over the size: reject refuses
	// the exchange (413; 502 for a reply), truncate sends the beginning, which
	// the plugin then cannot change, and skip sends nothing of it. Without it,
	// reject.
	BodyOver BodyOver `yaml:"body_over"`
	// DecodeBody sends bodies without their Content-Encoding (gzip, deflate, br,
	// zstd), decoded up to the size, or else max_body, and encodes what the
	// plugin changed again, unless it took the Content-Encoding away [L-28].
	DecodeBody bool `yaml:"decode_body"`
	// Headers are the only headers that are sent, of requests and replies;
	// names, or beginnings such as X-*. Without it, all but hide_headers.
	Headers []string `yaml:"headers"`
	// HideHeaders are not sent: names, or beginnings such as X-* [L-49].
	HideHeaders []string `yaml:"hide_headers"`
	// Session is how much of the session: full, redacted (all but key_id,
	// passwords and the secrets of signatures), metadata (that alone) or none.
	// Without it, redacted [L-22, L-49].
	Session SessionPart `yaml:"session"`
}

// A BodyPart is how many bytes of a body are sent at most.
type BodyPart int64

// The two that are no size.
const (
	BodyFull BodyPart = 0
	BodyNone BodyPart = -1
)

// UnmarshalText reads full, none or a size.
func (p *BodyPart) UnmarshalText(b []byte) error {
	switch string(b) {
	case "full":
		*p = BodyFull
	case "none":
		*p = BodyNone
	default:
		var size Size
		if err := size.UnmarshalText(b); err != nil || size <= 0 {
			return fmt.Errorf("%q is neither full nor none nor a size; write one as 64KiB", b)
		}
		*p = BodyPart(size)
	}
	return nil
}

// BodyOver says what happens to a body that is larger than what a hook is sent.
type BodyOver string

// The three ways; the zero value is OverReject.
const (
	OverReject   BodyOver = "reject"
	OverTruncate BodyOver = "truncate"
	OverSkip     BodyOver = "skip"
)

// A SessionPart says what of a session is sent.
type SessionPart string

// The parts that there are; the zero value is SessionFull.
const (
	SessionFull     SessionPart = "full"
	SessionRedacted SessionPart = "redacted"
	SessionMetadata SessionPart = "metadata"
	SessionNone     SessionPart = "none"
)

// A Share is what a hook is sent of a body.
type Share struct {
	Bytes []byte // read-only
	Part  bool   // there is more to the body
	Size  int64  // of the whole body; -1 is unknown
}

// OfRequest reads from the request's body what the hook is sent of it. It fails
// with a 413 where the body is over the size and the hook wants those rejected.
func (s *Send) OfRequest(x *Exchange) (Share, error) {
	size := x.Request.ContentLength
	switch {
	case s.Body == BodyNone && x.held:
		return Share{Part: len(x.body) > 0, Size: int64(len(x.body))}, nil
	case s.Body == BodyNone:
		return Share{Part: size != 0, Size: size}, nil
	case s.Body == BodyFull && x.gone:
		return Share{x.body, !x.held, size}, nil
	case s.Body == BodyFull:
		b, err := x.Body()
		return Share{Bytes: b, Size: int64(len(b))}, err
	}
	b, whole, err := x.Peek(int64(s.Body))
	if err != nil {
		return Share{}, err
	}
	return s.cut(b, whole, x.Request.ContentLength, func() error {
		const status = http.StatusRequestEntityTooLarge
		return &Error{Status: status, Code: CodeBodyTooLarge, Message: http.StatusText(status)}
	})
}

// OfReply reads from the body of a reply what the hook is sent of it. It fails
// with a 502 where the body is over the size, or over the API's.
func (s *Send) OfReply(x *Exchange, r *http.Response) (Share, error) {
	switch {
	case s.Body == BodyNone:
		size := r.ContentLength
		return Share{Part: size != 0 && r.Body != http.NoBody, Size: size}, nil
	case s.Body == BodyFull:
		b, err := ReadBody(r, int64(x.API.MaxBody))
		return Share{Bytes: b, Size: int64(len(b))}, err
	}
	b, whole, err := PeekBody(r, int64(s.Body))
	if err != nil {
		return Share{}, err
	}
	return s.cut(b, whole, r.ContentLength, tooLarge)
}

// cut makes the share of a body that begins with b.
func (s *Send) cut(b []byte, whole bool, size int64, over func() error) (Share, error) {
	switch {
	case whole:
		return Share{Bytes: b, Size: int64(len(b))}, nil
	case s.BodyOver == OverTruncate:
		return Share{b, true, size}, nil
	case s.BodyOver == OverSkip:
		return Share{nil, true, size}, nil
	}
	return Share{}, over()
}

// A May says what a hook may change; all else that it changes fails it. Auth
// hooks may always decide who is calling.
type May struct {
	// SetHeaders are the headers that it may set, trailers among them, of the
	// request or in a Response hook of the reply: names, or beginnings such as
	// X-*; * is all.
	SetHeaders []string `yaml:"set_headers"`
	// DeleteHeaders are those that it may remove.
	DeleteHeaders []string `yaml:"delete_headers"`
	// Params allows the parameters of the query.
	Params bool `yaml:"params"`
	// URL allows the path, with the query that is written into it.
	URL bool `yaml:"url"`
	// Method allows the request's method.
	Method bool `yaml:"method"`
	// Status allows the reply's status.
	Status bool `yaml:"status"`
	// Body allows the body.
	Body bool `yaml:"body"`
	// Session allows the session's metadata, where write_back keeps it.
	Session bool `yaml:"session"`
	// Override allows an answer in the upstream's place; a Response hook needs
	// no may_override then.
	Override bool `yaml:"override"`
}

// An Origin says who made a reply.
type Origin string

// The origins of replies that Response hooks can be asked about.
const (
	FromUpstream Origin = "upstream"
	FromGateway  Origin = "gateway" // errors, and what hooks before the upstream answered
)

// Asks reports whether a Response hook is asked about replies of this origin.
func (h *Hook) Asks(o Origin) bool {
	return len(h.On) == 0 && o == FromUpstream || slices.Contains(h.On, o)
}
