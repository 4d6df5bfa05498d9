package coprocess

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/grapnel-gateway/grapnel"
)

// names are names of headers, or what they begin with, as in X-*.
type names []string

func (n names) has(name string) bool {
	return slices.ContainsFunc(n, func(one string) bool {
		begin, open := strings.CutSuffix(one, "*")
		if !open {
			return strings.EqualFold(one, name)
		}
		return len(name) >= len(begin) && strings.EqualFold(begin, name[:len(begin)])
	})
}

// A scope says what a hook is sent [L-22, L-49].
type scope struct{ send grapnel.Send }

// sees reports whether the plugin is sent the headers of this name.
func (s *scope) sees(name string) bool {
	if s.send.Headers != nil {
		return names(s.send.Headers).has(name)
	}
	return len(s.send.HideHeaders) == 0 || !names(s.send.HideHeaders).has(name)
}

// writeTrailers lists the trailers that came behind a body. Without all of the
// body nobody knows them.
func (s *scope) writeTrailers(m *message, num protowire.Number, trailer http.Header, body grapnel.Share) {
	if body.Part {
		return
	}
	for name, values := range trailer {
		if len(values) > 0 && s.sees(name) {
			m.line(num, name, values)
		}
	}
}

// checkBody refuses to change a body of which the plugin knows only a part, and
// what comes behind it. Where nothing of it is ever sent, a new one replaces it.
func (s *scope) checkBody(field string, sent grapnel.Share, newBody, newTrailer bool) error {
	switch {
	case sent.Part && newBody && s.send.Body != grapnel.BodyNone:
		return fmt.Errorf("%s.raw_body: it was not sent whole, and cannot be changed", field)
	case sent.Part && newTrailer:
		return fmt.Errorf("%s.trailers: they come behind a body that was not sent whole", field)
	}
	return nil
}

// shown is what a plugin may know of a session [L-22, L-49].
func shown(s *grapnel.Session, part grapnel.SessionPart) *grapnel.Session {
	switch part {
	case grapnel.SessionRedacted:
		out := *s
		out.KeyID, out.HMACSecret = "", ""
		out.BasicAuthData, out.JWTData = grapnel.BasicAuthData{}, grapnel.JWTData{}
		return &out
	case grapnel.SessionMetadata:
		return &grapnel.Session{Metadata: s.Metadata}
	}
	return s
}
