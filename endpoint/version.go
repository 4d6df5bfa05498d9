package endpoint

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// Why a request gets no version [P-20, P-21, P-23, 7.2].
const (
	apiExpired       = "API has expired, please check documentation or contact administrator"
	versionExpired   = "Api Version has expired, please check documentation or contact administrator"
	versionMissing   = "Version information not found"
	versionUnknown   = "This API version does not seem to exist"
	defaultMissing   = "No default API version for this non-versioned API found"
	defaultAmbiguous = "Ambiguous default API version for this non-versioned API"
)

// Version chooses the exchange's version and takes the version's name out of
// the request where the API says so. It stands before the Pre hooks: they see
// the request without the name, and what they change does not choose again
// [P-20…P-24, A-14, B-8]. A refusal is told to events.
func Version(api *grapnel.API, events grapnel.Events) grapnel.Middleware {
	if api.Versioning == nil {
		return nil
	}
	c := newChoice(api.Versioning)
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			version, reason := c.choose(x)
			if reason != "" {
				return nil, refuse(x, events, reason)
			}
			x.Version = version
			res, err := next(x)
			if ends := c.ends[version]; ends != nil {
				return withHeader(res, err, ends)
			}
			return res, err
		}
	}
}

// A choice is the versioning of one API, with what is constant worked out.
type choice struct {
	*grapnel.Versioning
	only   *grapnel.Version // of an API where there is nothing to choose
	reason string           // why there is no such one
	ends   map[*grapnel.Version]http.Header
}

func newChoice(v *grapnel.Versioning) *choice {
	c := &choice{Versioning: v, ends: map[*grapnel.Version]http.Header{}}
	if v.Location == "" && v.Versions != nil {
		c.only, c.reason = sole(v)
	}
	c.announce(nil, v.Expires)
	for _, version := range v.Versions {
		c.announce(version, v.Expires, version.Expires)
	}
	return c
}

// announce makes the header that tells clients of the first end that is known
// [P-23].
func (c *choice) announce(version *grapnel.Version, ends ...time.Time) {
	for _, end := range ends {
		if !end.IsZero() {
			c.ends[version] = http.Header{"X-Tyk-Api-Expires": {end.UTC().Format(time.RFC1123)}}
			return
		}
	}
}

// sole finds the version of an API that is not versioned [P-20].
func sole(v *grapnel.Versioning) (only *grapnel.Version, reason string) {
	for _, name := range []string{v.Default, "Default", "default", ""} {
		if only = v.Versions[name]; only != nil {
			return only, ""
		}
	}
	switch len(v.Versions) {
	case 0:
		return nil, defaultMissing
	case 1:
		for _, only = range v.Versions {
			return only, ""
		}
	}
	return nil, defaultAmbiguous
}

// choose finds the version, or the reason why there is none.
func (c *choice) choose(x *grapnel.Exchange) (version *grapnel.Version, reason string) {
	if past(c.Expires, x.Start) {
		return nil, apiExpired
	}
	version, reason = c.only, c.reason
	if c.Location != "" {
		version, reason = c.named(x)
	}
	if version != nil && past(version.Expires, x.Start) {
		return nil, versionExpired
	}
	return version, reason
}

func past(end, now time.Time) bool { return !end.IsZero() && !now.Before(end) }

// named finds the version that the request names, and strips the name.
func (c *choice) named(x *grapnel.Exchange) (version *grapnel.Version, reason string) {
	name := c.name(x.Request, x.Prefix)
	if name == "" && c.Default == "" {
		return nil, versionMissing
	}
	version = c.Versions[name]
	switch {
	case name != "" && version != nil:
		if c.Strip {
			c.strip(x.Request, x.Prefix)
		}
	case name == "" || c.Fallback:
		version = c.Versions[c.Default]
	}
	if version == nil {
		return nil, versionUnknown
	}
	return version, ""
}

func (c *choice) name(r *http.Request, prefix string) string {
	switch c.Location {
	case "header":
		return r.Header.Get(c.Key)
	case "url-param":
		return param(r.URL.RawQuery, c.Key)
	}
	name, _ := cutSegment(r.URL.Path, prefix)
	return name
}

func (c *choice) strip(r *http.Request, prefix string) {
	switch c.Location {
	case "header":
		r.Header.Del(c.Key)
	case "url-param":
		r.URL.RawQuery = dropParam(r.URL.RawQuery, c.Key)
	default:
		_, r.URL.Path = cutSegment(r.URL.Path, prefix)
		// A RawPath that is no encoding of the new path has no effect.
		_, r.URL.RawPath = cutSegment(r.URL.RawPath, prefix)
	}
}

// param is the first value of a parameter in a query.
func param(query, key string) string {
	for pair := range strings.SplitSeq(query, "&") {
		if name, value, _ := strings.Cut(pair, "="); unescaped(name) == key {
			return unescaped(value)
		}
	}
	return ""
}

// dropParam is the query without a parameter; all others keep their bytes and
// their order.
func dropParam(query, key string) string {
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(pair, "="); unescaped(name) != key {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}

// unescaped decodes a part of a query; what is malformed is nothing.
func unescaped(s string) string {
	text, err := url.QueryUnescape(s)
	if err != nil {
		return ""
	}
	return text
}

// cutSegment takes the first segment after the prefix out of a path.
func cutSegment(path, prefix string) (segment, rest string) {
	if !strings.HasPrefix(path, prefix) {
		return "", path
	}
	after := strings.TrimLeft(path[len(prefix):], "/")
	segment, tail, _ := strings.Cut(after, "/")
	return segment, path[:len(path)-len(after)] + tail
}
