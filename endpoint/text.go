package endpoint

import (
	"encoding/json"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// A text is a configured value that may name facts of the exchange, worked out
// at load [7.5]:
//
//	$tyk_meta.NAME                 the session's metadata
//	$tyk_context.request_id        the exchange's id
//	$tyk_context.path              the request's path
//	$tyk_context.remote_addr       the client's address
//	$tyk_context.headers_NAME      a request header, with _ for - in its name
//
// A fact that there is not is empty. In rewrites, $0, $1 … are the groups of
// the match.
type text []part

type part struct {
	literal string
	fact    func(*grapnel.Exchange) string // nil for a literal and a group
	group   int                            // of the match; none for the rest
}

const none = -1

var (
	facts          = regexp.MustCompile(`\$tyk_(meta|context)\.([A-Za-z0-9_.-]+)`)
	factsAndGroups = regexp.MustCompile(`\$tyk_(meta|context)\.([A-Za-z0-9_.-]+)|\$([0-9]+)`)
)

// newText reads a text in which the expression's matches stand for something.
func newText(s string, variables *regexp.Regexp) text {
	var t text
	end := 0
	for _, at := range variables.FindAllStringSubmatchIndex(s, -1) {
		if at[0] > end {
			t = append(t, part{literal: s[end:at[0]], group: none})
		}
		end = at[1]
		if at[2] < 0 {
			n, _ := strconv.Atoi(s[at[6]:at[7]]) // too large a number is no group either
			t = append(t, part{group: n})
			continue
		}
		t = append(t, part{fact: newFact(s[at[2]:at[3]], s[at[4]:at[5]]), group: none})
	}
	if end < len(s) {
		t = append(t, part{literal: s[end:], group: none})
	}
	return t
}

func newFact(kind, name string) func(*grapnel.Exchange) string {
	if kind == "meta" {
		return func(x *grapnel.Exchange) string { return metadata(x.Session, name) }
	}
	switch name {
	case "request_id":
		return func(x *grapnel.Exchange) string { return x.ID }
	case "path":
		return func(x *grapnel.Exchange) string { return x.Request.URL.Path }
	case "remote_addr":
		return func(x *grapnel.Exchange) string { return x.Client.String() }
	case "headers_Host":
		return func(x *grapnel.Exchange) string { return x.Request.Host }
	}
	if header, ok := strings.CutPrefix(name, "headers_"); ok {
		header = textproto.CanonicalMIMEHeaderKey(strings.ReplaceAll(header, "_", "-"))
		return func(x *grapnel.Exchange) string { return x.Request.Header.Get(header) }
	}
	return func(*grapnel.Exchange) string { return "" }
}

// metadata is a value of the session as text; what is not a string becomes its
// JSON, as plugins see it [B-23].
func metadata(s *grapnel.Session, name string) string {
	if s == nil {
		return ""
	}
	switch v := s.Metadata[name].(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(b)
	}
}

// expand fills the text in. Facts pass through escape, groups do not: they are
// parts of a URL already.
func (t text) expand(x *grapnel.Exchange, groups []string, escape func(string) string) string {
	if len(t) == 1 && t[0].fact == nil && t[0].group == none {
		return t[0].literal
	}
	var b strings.Builder
	for _, p := range t {
		switch {
		case p.fact != nil:
			b.WriteString(escape(p.fact(x)))
		case p.group == none:
			b.WriteString(p.literal)
		case p.group < len(groups):
			b.WriteString(groups[p.group])
		}
	}
	return b.String()
}
