package server

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/observe"
)

// A route is one API as the table leads to it.
type route struct {
	api     *grapnel.API
	handle  grapnel.Handler
	log     *slog.Logger // names the API
	metrics *observe.APIMetrics
}

// A table leads requests to APIs: by host, then by the longest listen path
// [P-5]. It is built once and only read afterwards, so that a look-up takes no
// lock; its cost does not grow with the number of APIs.
type table struct {
	hosts     map[string]*paths // exact names, lower case
	wildcards []wildcard        // the longest suffix first
	any       *paths
}

type wildcard struct {
	suffix string // with its leading dot
	paths  *paths
}

// paths are the listen paths of one host. A path is found by trying the
// prefixes of the lengths that occur, the longest first.
type paths struct {
	byPrefix map[string]*listening
	lengths  []int // descending
	patterns []*listening
}

// listening is one listen path.
type listening struct {
	text    string
	loose   bool           // may end within a segment
	pattern *regexp.Regexp // for paths with {name} segments
	route   *route
}

// ends reports whether the listen path may end after n bytes of the path.
func (l *listening) ends(path string, n int) bool {
	return l.loose || n == len(path) || path[n] == '/' || n > 0 && path[n-1] == '/'
}

func newTable() *table { return &table{hosts: map[string]*paths{}, any: newPaths()} }

func newPaths() *paths { return &paths{byPrefix: map[string]*listening{}} }

// add makes a route reachable. Two routes with one listen path are an error.
func (t *table) add(r *route) error {
	hosts := r.api.Hosts
	if len(hosts) == 0 {
		hosts = []string{""}
	}
	for _, host := range hosts {
		p := t.at(strings.ToLower(host))
		for _, path := range append([]string{r.api.ListenPath}, r.api.Aliases...) {
			if err := p.add(path, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *table) at(host string) *paths {
	if host == "" || host == "*" {
		return t.any
	}
	if suffix, ok := strings.CutPrefix(host, "*"); ok {
		for _, w := range t.wildcards {
			if w.suffix == suffix {
				return w.paths
			}
		}
		w := wildcard{suffix, newPaths()}
		t.wildcards = append(t.wildcards, w)
		slices.SortStableFunc(t.wildcards, func(a, b wildcard) int { return cmp.Compare(len(b.suffix), len(a.suffix)) })
		return w.paths
	}
	if t.hosts[host] == nil {
		t.hosts[host] = newPaths()
	}
	return t.hosts[host]
}

func (p *paths) add(path string, r *route) error {
	l := &listening{text: path, loose: r.api.Loose, route: r}
	if strings.Contains(path, "{") {
		pattern, err := listenPattern(path)
		if err != nil {
			return fmt.Errorf("api %q: listen path %q: %w", r.api.ID, path, err)
		}
		l.pattern = pattern
		p.patterns = append(p.patterns, l)
		slices.SortStableFunc(p.patterns, func(a, b *listening) int { return cmp.Compare(len(b.text), len(a.text)) })
		return nil
	}
	if !l.loose {
		l.text = strings.TrimRight(path, "/")
	}
	if other := p.byPrefix[l.text]; other != nil {
		return fmt.Errorf("api %q: listen path %q belongs to api %q already", r.api.ID, path, other.route.api.ID)
	}
	p.byPrefix[l.text] = l
	if at, found := slices.BinarySearchFunc(p.lengths, len(l.text), func(a, b int) int { return cmp.Compare(b, a) }); !found {
		p.lengths = slices.Insert(p.lengths, at, len(l.text))
	}
	return nil
}

// find leads a request to its route, and tells which part of the path matched.
func (t *table) find(host, path string) (r *route, prefix string) {
	if len(t.hosts) > 0 || len(t.wildcards) > 0 {
		name := hostName(host)
		if p := t.hosts[name]; p != nil {
			if r, prefix = p.find(path); r != nil {
				return r, prefix
			}
		}
		for _, w := range t.wildcards {
			if strings.HasSuffix(name, w.suffix) {
				if r, prefix = w.paths.find(path); r != nil {
					return r, prefix
				}
			}
		}
	}
	return t.any.find(path)
}

func (p *paths) find(path string) (*route, string) {
	var best *listening
	for _, n := range p.lengths {
		if n > len(path) {
			continue
		}
		if l := p.byPrefix[path[:n]]; l != nil && l.ends(path, n) {
			best = l
			break
		}
	}
	for _, l := range p.patterns {
		if best != nil && len(l.text) <= len(best.text) {
			break
		}
		if m := l.pattern.FindString(path); m != "" && l.ends(path, len(m)) {
			return l.route, m
		}
	}
	if best == nil {
		return nil, ""
	}
	return best.route, best.text
}

// listenPattern turns a listen path with {name} and {name:expression} segments
// into an expression that matches it as a prefix.
func listenPattern(path string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString("^")
	for path != "" {
		open := strings.IndexByte(path, '{')
		if open < 0 {
			b.WriteString(regexp.QuoteMeta(path))
			break
		}
		end := closing(path, open)
		if end < 0 {
			return nil, fmt.Errorf("a { has no }")
		}
		b.WriteString(regexp.QuoteMeta(path[:open]))
		_, expression, given := strings.Cut(path[open+1:end], ":")
		if !given {
			expression = "[^/]+"
		}
		b.WriteString("(?:" + expression + ")")
		path = path[end+1:]
	}
	return regexp.Compile(b.String())
}

// closing finds the brace that closes the one at open; expressions may have
// braces of their own.
func closing(s string, open int) int {
	depth := 0
	for i := open; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// hostName is the host without its port, in lower case.
func hostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(host)
}
