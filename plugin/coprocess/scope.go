package coprocess

import (
	"maps"
	"slices"
	"strings"

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

// sees reports whether the plugin is sent the headers of this name [L-22].
func (b *binding) sees(name string) bool {
	if b.send.Headers != nil {
		return names(b.send.Headers).has(name)
	}
	return len(b.send.HideHeaders) == 0 || !names(b.send.HideHeaders).has(name)
}

// shown is what a plugin may know of a session [L-22, L-49].
func shown(s *grapnel.Session, part grapnel.SessionPart) *grapnel.Session {
	switch part {
	case grapnel.SessionRedacted:
		out := *s
		out.KeyID, out.HMACSecret, out.OAuthKeys = "", "", nil
		out.BasicAuthData, out.JWTData = grapnel.BasicAuthData{}, grapnel.JWTData{}
		out.Metadata = withoutToken(s.Metadata)
		return &out
	case grapnel.SessionMetadata:
		return &grapnel.Session{Metadata: withoutToken(s.Metadata)}
	}
	return s
}

func withoutToken(metadata map[string]any) map[string]any {
	if _, has := metadata["token"]; !has {
		return metadata
	}
	out := maps.Clone(metadata)
	delete(out, "token")
	return out
}
