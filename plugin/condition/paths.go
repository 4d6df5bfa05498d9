package condition

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// A pattern matches paths: * stands for a part of a segment, ** for any number of
// segments, none among them.
type pattern = *regexp.Regexp

type patterns []pattern

func (p patterns) match(path string) bool {
	for _, one := range p {
		if one.MatchString(path) {
			return true
		}
	}
	return false
}

func newPattern(text string) (pattern, error) {
	if !strings.HasPrefix(text, "/") {
		return nil, fmt.Errorf("%q does not begin with a slash; it is the path after the listen path", text)
	}
	var b strings.Builder
	b.WriteString("^")
	for segment := range strings.SplitSeq(text[1:], "/") {
		switch {
		case segment == "**":
			b.WriteString("(?:/[^/]*)*")
			continue
		case strings.Contains(segment, "**"):
			return nil, fmt.Errorf("%q: ** stands for whole segments, as in /a/**", text)
		}
		b.WriteString("/" + strings.ReplaceAll(regexp.QuoteMeta(segment), `\*`, "[^/]*"))
	}
	return regexp.Compile(b.String() + "$")
}

// below is the path after the listen path.
func below(x *grapnel.Exchange) string {
	path := strings.TrimPrefix(x.Request.URL.Path, x.Prefix)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return single(path)
}

// single is the path with slashes that stand in a row as one, as they are for most
// who serve files: nobody gets past a condition with them.
func single(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}
