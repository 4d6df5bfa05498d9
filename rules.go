package grapnel

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Versioning says how a request chooses a version of its API [P-20…P-24].
type Versioning struct {
	// Location is where the version's name stands: "header", "url-param"
	// or "url" (the first segment after the listen path). Empty means that
	// there is one version and no choice.
	Location string
	// Key is the header's or parameter's name.
	Key string
	// Strip removes the name before the Pre hooks [P-24].
	Strip bool
	// Default serves requests that name no version; empty means that they
	// are refused.
	Default string
	// Fallback serves requests that name an unknown version with Default.
	Fallback bool
	// Expires is when the whole API ends; zero is never.
	Expires time.Time
	// Versions are the versions by name. Nil means that the API speaks of
	// none and has no rules [P-22]; a map without a choice is refused [P-20].
	Versions map[string]*Version
}

// Any reports whether some version has what is asked for. A nil Versioning has
// no versions.
func (v *Versioning) Any(has func(*Version) bool) bool {
	if v == nil {
		return false
	}
	for _, version := range v.Versions {
		if has(version) {
			return true
		}
	}
	return false
}

// A Version is one version of an API and its rules for single endpoints.
type Version struct {
	Name    string
	Expires time.Time // zero is never
	// Target, when not nil, replaces the API's targets.
	Target *URL
	// Ignored paths need no caller [C-3]; Allowed, when there are any,
	// are the only ones served; Blocked ones are refused.
	Ignored, Allowed, Blocked []PathRule
	// Replies are answered by the gateway itself, before any hook.
	Replies []ReplyRule
	// Sizes bound the announced length of bodies by path.
	Sizes []SizeRule
	// MaxSize bounds it for all paths; 0 is no limit.
	MaxSize int64
	// RequestHeaders and ResponseHeaders change headers; the one without a
	// path comes first.
	RequestHeaders, ResponseHeaders []HeaderRule
	// Rewrites choose another URL; the first that matches does.
	Rewrites []RewriteRule
	// Methods choose another method for the upstream.
	Methods []MethodRule
	// Timeouts bound the upstream by path.
	Timeouts []TimeoutRule
	// Internal paths are reached by looping only.
	Internal []PathRule
}

// A PathRule selects requests by method and path. Its expression is tried
// against the path after the listen path and against the whole path [P-30].
type PathRule struct {
	Path   *regexp.Regexp // nil matches every path
	Method string         // empty matches every method
}

// Matches reports whether the rule selects a request with this method and
// whole path, under a listen path prefix.
func (r PathRule) Matches(method, path, prefix string) bool {
	if r.Method != "" && r.Method != method {
		return false
	}
	if r.Path == nil {
		return true
	}
	if len(path) >= len(prefix) && path[:len(prefix)] == prefix {
		rest := path[len(prefix):]
		if rest == "" || rest[0] != '/' {
			rest = "/" + rest
		}
		if r.Path.MatchString(rest) {
			return true
		}
	}
	return r.Path.MatchString(path)
}

// Selects reports whether the rule selects the exchange's request as it stands:
// by the path after the listen path, the path after a version's name that was
// left in it, and the whole path [P-30].
func (r PathRule) Selects(x *Exchange) bool {
	method, path := x.Request.Method, x.Request.URL.Path
	if r.Matches(method, path, x.Prefix) {
		return true
	}
	v := x.API.Versioning
	if v == nil || v.Location != "url" || v.Strip || !strings.HasPrefix(path, x.Prefix) {
		return false
	}
	rest := strings.TrimLeft(path[len(x.Prefix):], "/")
	name, _, _ := strings.Cut(rest, "/")
	if v.Versions[name] == nil {
		return false
	}
	return r.Matches(method, path, path[:len(path)-len(rest)+len(name)])
}

// A ReplyRule answers what it selects.
type ReplyRule struct {
	PathRule
	Status int
	Header http.Header
	Body   []byte
}

// A SizeRule bounds the announced length of the bodies that it selects.
type SizeRule struct {
	PathRule
	Max int64
}

// A HeaderRule changes the headers of what it selects: first Delete, then Set.
type HeaderRule struct {
	PathRule
	Delete []string
	Set    map[string]string
}

// A RewriteRule sends what it selects elsewhere: To is a template over the
// groups of Match, which is tried against path and query.
type RewriteRule struct {
	PathRule
	Match *regexp.Regexp
	To    string
}

// A MethodRule gives what it selects another method.
type MethodRule struct {
	PathRule
	To string
}

// A TimeoutRule bounds the upstream's time for what it selects.
type TimeoutRule struct {
	PathRule
	Timeout time.Duration
}
