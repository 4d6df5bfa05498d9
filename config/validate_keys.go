package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/antchfx/xmlquery"
	"github.com/antchfx/xpath"

	"github.com/grapnel-gateway/grapnel"
)

// checkStore reports a store that cannot be meant. It never repeats the whole,
// which may hold a password.
func checkStore(url string, r *report) {
	const forms = "a file name, memory:, redis://, rediss:// (TLS), redis+sentinel:// or redis+cluster://"
	scheme, rest, remote := strings.Cut(url, "://")
	kind, redis := strings.CutPrefix(scheme, "redis")
	switch {
	case url == "": // the gateway chooses
	case !remote || scheme == "file":
	case !redis || !slices.Contains([]string{"", "+sentinel", "+cluster"}, strings.TrimPrefix(kind, "s")):
		r.add("store", "the scheme %q is not one of a store; it is %s", scheme, forms)
	case hosts(rest) == "":
		r.add("store", "the host is missing; write it as %s://host:port", scheme)
	}
}

// hosts is the part of a URL that names hosts.
func hosts(rest string) string {
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		rest = rest[:i]
	}
	return rest[strings.LastIndex(rest, "@")+1:]
}

// checkKeys reports rules for keys that contradict each other.
func checkKeys(k *grapnel.KeyRules, r *report) {
	for i, name := range k.Legacy {
		oneOf(r, item("keys.legacy_hashes", i), name, "murmur32", "murmur64", "murmur128")
	}
	if k.MinLength < 1 {
		r.add("keys.min_length", "must be at least 1")
	}
	notNegative(r, "keys.cache_for", k.CacheFor)
	notNegative(r, "keys.grace", k.Grace)
}

// checkSessions reports what an API says of sessions and limits that cannot be
// meant.
func checkSessions(c *grapnel.Config, a *grapnel.API, at string, r *report) {
	var identities []string
	for i := range a.Auth {
		identities = append(identities, a.Auth[i].Identity())
	}
	if base := a.Sessions.BaseIdentity; base != "" && c.Compat != grapnel.CompatTyk { // the original refuses each request instead
		if len(identities) == 0 {
			r.add(child(at, "base_identity"), "has no effect without auth")
		} else {
			oneOf(r, child(at, "base_identity"), base, identities...)
		}
	}
	notNegative(r, child(at, "session_lifetime"), a.Sessions.Lifetime)
	limit := a.Limits.RateLimit
	switch path := child(at, "rate_limit"); {
	case limit.Rate < 0 || limit.Per < 0:
		r.add(path, "must not be negative")
	case limit.Rate > 0 && limit.Per == 0 && c.Compat != grapnel.CompatTyk: // no limit in the original
		r.add(child(path, "per"), "missing; it says in how many seconds rate requests may come")
	}
}

// checkExtractor reports an extractor that would find nothing in any request, or
// the same in all: every caller would then share one session [I-8, L-33].
func checkExtractor(m *grapnel.AuthMethod, at string, r *report) {
	if !m.Asks() {
		r.add(at, "goes with a plugin only; the other methods know their callers' ids")
		return
	}
	e := m.ID
	oneOf(r, child(at, "extract_from"), e.From, "header", "form", "body")
	oneOf(r, child(at, "extract_with"), e.With, "value", "regex", "xpath")
	switch {
	case e.From == "header" && e.Header == "":
		r.add(child(at, "header"), "missing; it names the header to look in")
	case e.From == "form" && e.Param == "":
		r.add(child(at, "param"), "missing; it names the parameter to look in")
	case e.From == "body" && e.With == "value":
		r.add(at, "a body has no value of its own: all callers would share one session; take a regex or xpath")
	}
	switch path := child(at, "expression"); e.With {
	case "regex":
		if _, err := regexp.Compile(e.Expression); err != nil {
			r.add(path, "%v", err)
		} else if e.Expression == "" {
			r.add(path, "missing; it says what of the text is the id")
		}
		if e.Index < 0 {
			r.add(child(at, "index"), "must not be negative")
		}
	case "xpath":
		checkXPath(e.Expression, path, r)
	}
}

// checkXPath reports a text that is no XPath, or selects no nodes: of true() or
// count(//a) nobody can be told apart by.
func checkXPath(text, at string, r *report) {
	expression, err := xpath.Compile(text)
	if err != nil {
		r.add(at, "%q is not an XPath: %v", text, err)
		return
	}
	empty := xmlquery.CreateXPathNavigator(&xmlquery.Node{Type: xmlquery.DocumentNode})
	if _, ok := expression.Evaluate(empty).(*xpath.NodeIterator); !ok {
		r.add(at, "the XPath %q does not select nodes", text)
	}
}
