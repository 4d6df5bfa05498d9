package server

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// defaultLoops is how deep exchanges may be handed from API to API unless the
// loop's URL says otherwise.
const defaultLoops = 5

// loop makes the middleware that hands an exchange whose URL has the scheme tyk
// to another API of this gateway, with that API's whole chain [A-12, M-13].
func (g *generation) loop(api *grapnel.API) grapnel.Middleware {
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			l, ok := loopOf(x, api)
			if !ok {
				return next(x)
			}
			return g.handOn(x, l)
		}
	}
}

// A loop is where an exchange is handed on to.
type loop struct {
	target    string   // the API, or self
	to        *url.URL // path and query there
	method    string   // empty is the exchange's own
	limit     int      // how deep loops may go
	unlimited bool     // rates and quotas are not counted again
}

// loopOf finds out whether the exchange is a loop. A hook or a rewrite rule says
// so with a URL, whose query may say how; a tyk target says so for all requests
// of the API, and then the query is the client's and says nothing.
func loopOf(x *grapnel.Exchange, api *grapnel.API) (loop, bool) {
	u := x.Request.URL
	if x.Rewrite != nil {
		u = x.Rewrite
	}
	if u.Scheme == "tyk" {
		return steered(u), true
	}
	base := api.Target
	if x.Version != nil && x.Version.Target != nil {
		base = x.Version.Target
	}
	if x.Rewrite != nil || base == nil || base.Scheme != "tyk" {
		return loop{}, false
	}
	path := u.Path
	if api.StripListenPath {
		path = strings.TrimPrefix(path, x.Prefix)
	}
	to := &url.URL{Path: strings.TrimRight(base.Path, "/") + "/" + strings.TrimLeft(path, "/"), RawQuery: u.RawQuery}
	return loop{target: base.Host, to: to, limit: defaultLoops, unlimited: true}, true
}

// steered reads a loop from a URL; what its query says to the gateway goes no
// further.
func steered(u *url.URL) loop {
	l := loop{target: u.Host, limit: defaultLoops}
	query := u.Query()
	if n, err := strconv.Atoi(query.Get("loop_limit")); err == nil && n > 0 {
		l.limit = n
	}
	l.method, l.unlimited = query.Get("method"), query.Get("check_limits") != "true"
	for _, control := range []string{"method", "loop_limit", "check_limits"} {
		query.Del(control)
	}
	to := *u
	to.Scheme, to.Host, to.RawQuery = "", "", query.Encode()
	if to.Path == "" {
		to.Path = "/"
	}
	l.to = &to
	return l
}

func (g *generation) handOn(x *grapnel.Exchange, l loop) (*http.Response, error) {
	if x.Loops >= l.limit {
		return nil, loopError(fmt.Sprintf("Loop level too deep. Found more than %d loops in single request", l.limit))
	}
	target := g.named(l.target)
	if l.target == "self" {
		target = g.byID[x.API.ID]
	}
	if target == nil {
		return nil, loopError("Can't detect loop target")
	}
	r := x.Request.WithContext(x.Request.Context())
	r.URL, r.Method = l.to, cmp.Or(l.method, x.RewriteMethod, r.Method)
	inner := *x
	inner.Request, inner.API, inner.Log, inner.Loops = r, target.api, target.log, x.Loops+1
	inner.Prefix, inner.Rewrite, inner.RewriteMethod, inner.Version = "", nil, "", nil
	inner.Session, inner.Open, inner.Unlimited = nil, false, l.unlimited
	inner.GraphQL = nil // the other API may have another schema
	resp, err := target.handle(&inner)
	x.Calls, x.Chosen, x.Proxied = inner.Calls, inner.Chosen, inner.Proxied
	return resp, err
}

// named finds an API by its id, or else by the letters and digits of its id or
// name.
func (g *generation) named(host string) *route {
	if r := g.byID[host]; r != nil {
		return r
	}
	return g.byName[loopName(host)]
}

func loopError(message string) error {
	return &grapnel.Error{Status: http.StatusInternalServerError, Code: grapnel.CodeInternal, Message: message}
}
