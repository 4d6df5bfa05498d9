package tyk

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

var (
	// secretNames matches what stands for a secret within a longer text [G-4].
	secretNames = regexp.MustCompile(`\$secret_(?:env|conf|vault|consul)\.[A-Za-z0-9_-]+`)
	// contextNames matches what stands for a fact of the exchange [7.2].
	contextNames = regexp.MustCompile(`\$tyk_context\.([A-Za-z0-9_-]+)`)
)

// rules translates the lists of one version [7.5].
type rules struct {
	*translation
	at         string // the path of what is being translated
	ignoreCase bool
	out        *grapnel.Version
}

// rule makes the selection of an entry. An expression that cannot be read
// refuses the definition: a block list must not lose an entry.
func (r *rules) rule(at string, e endpoint) grapnel.PathRule {
	o := r.conf.HTTPServerOptions
	text := pathExpression(e.Path, o.EnablePathPrefixMatching, o.EnablePathSuffixMatching, e.IgnoreCase || r.ignoreCase)
	expression, err := regexp.Compile(text)
	if err != nil {
		r.refuse(at+".path", "%v", err)
	}
	return grapnel.PathRule{Path: expression, Method: e.Method}
}

// each calls do for the entries that are not disabled, with the path and the
// selection of each.
func each[E any](r *rules, name string, list []E, of func(E) endpoint, do func(string, grapnel.PathRule, E)) {
	for i, entry := range list {
		if e := of(entry); !e.Disabled {
			at := fmt.Sprintf("%s.%s[%d]", r.at, name, i)
			do(at, r.rule(at, e), entry)
		}
	}
}

// legacy translates the lists of a version without extended paths.
func (r *rules) legacy(p legacyPaths) {
	paths := func(name string, list []string) (out []grapnel.PathRule) {
		for i, path := range list {
			out = append(out, r.rule(fmt.Sprintf("%s.%s[%d]", r.at, name, i), endpoint{Path: path}))
		}
		return out
	}
	r.out.Ignored = paths("ignored", p.Ignored)
	r.out.Allowed = paths("white_list", p.Allowed)
	r.out.Blocked = paths("black_list", p.Blocked)
}

// lists translates what is decided before the Pre hooks. The replies of a list
// come before the list; an allow list of nothing but replies still keeps
// everything else out.
func (r *rules) lists(p extendedPaths) {
	of := func(e listed) endpoint { return e.endpoint }
	each(r, "ignored", p.Ignored, of, func(at string, rule grapnel.PathRule, e listed) {
		none, _ := r.actions(at, rule, e.Actions)
		r.out.Ignored = append(r.out.Ignored, none...)
	})
	each(r, "black_list", p.Blocked, of, func(at string, rule grapnel.PathRule, e listed) {
		none, _ := r.actions(at, rule, e.Actions)
		r.out.Blocked = append(r.out.Blocked, none...)
	})
	each(r, "white_list", p.Allowed, of, func(at string, rule grapnel.PathRule, e listed) {
		none, replies := r.actions(at, rule, e.Actions)
		r.out.Allowed = append(append(r.out.Allowed, none...), replies...)
	})
	each(r, "mock_response", p.Mocks, func(e mock) endpoint { return e.endpoint }, func(at string, rule grapnel.PathRule, e mock) {
		r.reply(at, rule, e.Code, e.Headers, e.Body)
	})
	each(r, "internal", p.Internal, same, func(_ string, rule grapnel.PathRule, _ endpoint) {
		r.out.Internal = append(r.out.Internal, rule)
	})
}

func same(e endpoint) endpoint { return e }

// actions splits an entry into the methods to which its list applies and those
// that get a reply. An entry without actions applies to the methods it selects.
func (r *rules) actions(at string, rule grapnel.PathRule, actions map[string]action) (apply, replies []grapnel.PathRule) {
	if len(actions) == 0 {
		return []grapnel.PathRule{rule}, nil
	}
	for _, method := range slices.Sorted(maps.Keys(actions)) {
		a := actions[method]
		one := grapnel.PathRule{Path: rule.Path, Method: method}
		switch a.Action {
		case "no_action":
			apply = append(apply, one)
		case "reply":
			replies = append(replies, one)
			r.reply(at+".method_actions."+method, one, a.Code, a.Headers, a.Data)
		default: // refused, as in the original
			r.out.Blocked = append(r.out.Blocked, one)
		}
	}
	return apply, replies
}

func (r *rules) reply(at string, rule grapnel.PathRule, code int, header map[string]string, body string) {
	code = orDefault(code, http.StatusOK)
	if code < 200 || code > 599 {
		r.refuse(at+".code", "%d is not the status of a reply", code)
	}
	h := http.Header{}
	for name, value := range header {
		h.Set(name, value)
	}
	r.out.Replies = append(r.out.Replies, grapnel.ReplyRule{PathRule: rule, Status: code, Header: h, Body: []byte(body)})
}

// transforms translates what changes or bounds requests that are served.
func (r *rules) transforms(p extendedPaths) {
	headers := func(name string, list []headerChange) (out []grapnel.HeaderRule) {
		each(r, name, list, func(e headerChange) endpoint { return e.endpoint }, func(at string, rule grapnel.PathRule, e headerChange) {
			out = append(out, grapnel.HeaderRule{PathRule: rule, Delete: e.Delete, Set: r.values(at[len(r.at):]+".add_headers", e.Add)})
		})
		return out
	}
	r.out.RequestHeaders = append(r.out.RequestHeaders, headers("transform_headers", p.Headers)...)
	r.out.ResponseHeaders = append(r.out.ResponseHeaders, headers("transform_response_headers", p.ResponseHeaders)...)
	each(r, "url_rewrites", p.Rewrites, func(e rewrite) endpoint { return e.endpoint }, r.rewrite)
	each(r, "method_transforms", p.Methods, func(e methodTransform) endpoint { return e.endpoint },
		func(_ string, rule grapnel.PathRule, e methodTransform) {
			r.out.Methods = append(r.out.Methods, grapnel.MethodRule{PathRule: rule, To: e.To})
		})
	each(r, "size_limits", p.Sizes, func(e sizeLimit) endpoint { return e.endpoint },
		func(_ string, rule grapnel.PathRule, e sizeLimit) {
			r.out.Sizes = append(r.out.Sizes, grapnel.SizeRule{PathRule: rule, Max: e.Limit})
		})
	var timeouts []grapnel.TimeoutRule
	each(r, "hard_timeouts", p.Timeouts, func(e hardTimeout) endpoint { return e.endpoint },
		func(_ string, rule grapnel.PathRule, e hardTimeout) {
			timeouts = append(timeouts, grapnel.TimeoutRule{PathRule: rule, Timeout: time.Duration(orDefault(e.Duration, e.Timeout))})
		})
	r.out.Timeouts = append(timeouts, r.out.Timeouts...) // before that of all paths
}

// rewrite translates one URL rewrite. Its triggers have no effect: the rule
// that remains is the one for requests that trigger none.
func (r *rules) rewrite(at string, rule grapnel.PathRule, e rewrite) {
	if len(e.Triggers) > 0 {
		r.warn(at+".triggers", "has no effect: triggers are not supported, so every request is rewritten by the rule itself")
	}
	if e.To == "" {
		return
	}
	match, err := regexp.Compile(e.Match)
	if err != nil {
		r.refuse(at+".match_pattern", "%v", err)
		return
	}
	to := r.text(at[len(r.at):]+".rewrite_to", e.To)
	r.out.Rewrites = append(r.out.Rewrites, grapnel.RewriteRule{PathRule: rule, Match: match, To: to})
}

// unsupported refuses what would leave the upstream less guarded [L-32].
func (r *rules) unsupported(p extendedPaths) {
	refuse := func(reason string) func(string, grapnel.PathRule, endpoint) {
		return func(at string, _ grapnel.PathRule, _ endpoint) { r.refuse(at, "%s", reason) }
	}
	each(r, "validate_json", p.ValidateJSON, same, refuse("bodies are not validated in this version"))
	each(r, "go_plugin", p.GoPlugin, same, refuse("Go plugins are not supported"))
	each(r, "validate_request", p.ValidateRequest, func(e checked) endpoint { return e.endpoint },
		func(at string, _ grapnel.PathRule, e checked) {
			if e.Enabled {
				r.refuse(at, "requests are not validated in this version")
			}
		})
	each(r, "rate_limit", p.RateLimit, func(e limited) endpoint { return e.endpoint },
		func(at string, _ grapnel.PathRule, e limited) {
			if e.Rate > 0 {
				r.refuse(at, "rate limits are not enforced in this version")
			}
		})
}
