package coprocess

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// location works out where the request goes after the answer: the request's own
// URL, and the one that takes its place when a rewrite is pending. Each is nil
// when it stays as it was; an answer that leaves url and parameters alone
// changes neither, whatever bytes they have.
func (b *binding) location(x *grapnel.Exchange, q *question, got *edits) (request, rewrite *url.URL, err error) {
	target := b.target(x)
	edit := newQueryEdit(b.query(x), got)
	if b.client.tyk {
		edit.values, edit.add = nil, nil
	}
	moved := string(got.url) != q.url
	if moved {
		if target, err = parseURL(string(got.url)); err != nil {
			return nil, nil, err
		}
	} else if edit.none() {
		return nil, nil, nil
	}
	if b.client.tyk {
		request, rewrite = tykLocation(x, target, got)
		return request, rewrite, nil
	}
	query := target.RawQuery
	if moved && wroteQuery(q.url, target) {
		edit.values = nil // of two words, the one in url counts
	} else if moved {
		query = b.query(x)
	}
	target = withQuery(target, edit.apply(query))
	if b.pending(x) {
		return nil, target, nil
	}
	return target, nil, nil
}

// newQueryEdit is what an answer changes of the raw query that was sent, but for
// what it writes into the URL.
func newQueryEdit(sent string, got *edits) queryEdit {
	e := queryEdit{remove: got.delParams, set: got.addParams, add: got.several.addParams}
	if len(got.several.params) == 0 {
		return e
	}
	var values grouped
	for _, l := range got.several.params {
		values.add(l.name, l.values...)
	}
	was := map[string][]string{}
	for _, p := range paramsOf(sent) {
		was[p.name] = p.values
	}
	e.values = slices.DeleteFunc(values.list, func(l *line) bool {
		values, had := was[l.name]
		return had && slices.Equal(values, l.values)
	})
	return e
}

// tykLocation reproduces the original: parameters change the query of the
// request's own URL as it was before the hook, and a query that the plugin
// wrote into url counts for nothing, unless it says the same [A-7…A-11].
func tykLocation(x *grapnel.Exchange, target *url.URL, got *edits) (request, rewrite *url.URL) {
	before := x.Request.URL
	request = target
	if x.Rewrite != nil {
		request, rewrite = before, target
	}
	return withQuery(request, tykQuery(before.RawQuery, request.RawQuery, got.delParams, got.addParams)), rewrite
}

// parseURL reads a URL that a plugin returned: an absolute path or an absolute
// URI, with an optional query.
func parseURL(s string) (*url.URL, error) {
	u, err := url.ParseRequestURI(s)
	if err != nil || u.Opaque != "" || u.Path == "*" {
		return nil, fmt.Errorf("url: %.200q is neither a path nor an absolute URL", s)
	}
	return u, nil
}

// wroteQuery says that the URL which the plugin returned has a query of the
// plugin's own: it has one, if only an empty one, and not the one that was sent
// [L-23]. A URL without keeps the query that the request had.
func wroteQuery(sent string, got *url.URL) bool {
	_, was, _ := strings.Cut(sent, "?")
	return (got.RawQuery != "" || got.ForceQuery) && got.RawQuery != was
}

// withQuery is u with this raw query; u itself is left alone.
func withQuery(u *url.URL, raw string) *url.URL {
	if u.RawQuery == raw {
		return u
	}
	out := *u
	out.RawQuery = raw
	return &out
}
