package endpoint

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// Rewrite chooses another URL for the upstream stage and leaves the request's
// own in place; Post hooks see the choice, and may change it [B-9, A-10]. The
// first rule that selects the request is tried: its expression against path and
// query, listen path included, else against their unescaped form.
//
// A target that begins with a scheme, or with a fact whose value does, is an
// absolute URL, tyk:// included. Every other one is a path, whatever the groups
// hold: a client's URL cannot choose the host.
func Rewrite(api *grapnel.API) grapnel.Middleware {
	if !api.Versioning.Any(func(v *grapnel.Version) bool { return len(v.Rewrites) > 0 }) {
		return nil
	}
	all := map[*grapnel.Version][]rewrite{}
	for _, v := range api.Versioning.Versions {
		for _, r := range v.Rewrites {
			all[v] = append(all[v], newRewrite(r))
		}
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			rules := all[x.Version]
			for i := range rules {
				if !rules[i].Selects(x) {
					continue
				}
				target, err := rules[i].target(x)
				if err != nil {
					return nil, &grapnel.Error{Status: http.StatusBadRequest, Code: grapnel.CodeBadRequest, Message: "Bad Request", Err: err}
				}
				if target != nil {
					x.Rewrite = target
				}
				break
			}
			return next(x)
		}
	}
}

type rewrite struct {
	grapnel.PathRule
	match *regexp.Regexp
	to    text
}

var (
	scheme   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)
	loopName = regexp.MustCompile(`^tyk://[^/?#]+`)
	unnamed  = regexp.MustCompile(`[^A-Za-z0-9]+`)
)

func newRewrite(r grapnel.RewriteRule) rewrite {
	return rewrite{PathRule: r.PathRule, match: r.Match, to: newText(r.To, factsAndGroups)}
}

// target is the URL to which the rule sends the request; nil when its
// expression does not match.
func (r *rewrite) target(x *grapnel.Exchange) (*url.URL, error) {
	from := x.Request.URL.RequestURI()
	groups := r.match.FindStringSubmatch(from)
	if groups == nil && strings.Contains(from, "%") {
		if plain, err := url.PathUnescape(from); err == nil {
			groups = r.match.FindStringSubmatch(plain)
		}
	}
	if groups == nil {
		return nil, nil
	}
	to := r.to.expand(x, groups, escapeUnlessURL)
	if !r.absolute(to) {
		to = "/" + strings.TrimLeft(to, "/")
	}
	return url.Parse(loopName.ReplaceAllStringFunc(to, loopHost))
}

// absolute reports whether the target's scheme is the configuration's or a
// fact's, and not a group's.
func (r *rewrite) absolute(to string) bool {
	return len(r.to) > 0 && r.to[0].group == none && scheme.MatchString(to)
}

// escapeUnlessURL escapes a fact for its place in a URL, unless it is one.
func escapeUnlessURL(s string) string {
	if strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") {
		return s
	}
	return url.QueryEscape(s)
}

// loopHost makes the name of an API, which may be any text, fit for a URL
//
func loopHost(s string) string {
	return "tyk://" + unnamed.ReplaceAllString(strings.TrimPrefix(s, "tyk://"), "-")
}
