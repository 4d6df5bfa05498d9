package server

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

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
			u := loopURL(x, api)
			if u == nil {
				return next(x)
			}
			return g.handOn(x, u)
		}
	}
}

// loopURL is the tyk URL that the exchange goes to, or nil.
func loopURL(x *grapnel.Exchange, api *grapnel.API) *url.URL {
	switch {
	case x.Rewrite != nil:
		if x.Rewrite.Scheme == "tyk" {
			return x.Rewrite
		}
	case x.Request.URL.Scheme == "tyk":
		return x.Request.URL
	case api.Target != nil && api.Target.Scheme == "tyk":
		u := *x.Request.URL
		u.Scheme, u.Host = "tyk", api.Target.Host
		return &u
	}
	return nil
}

func (g *generation) handOn(x *grapnel.Exchange, u *url.URL) (*http.Response, error) {
	query := u.Query()
	limit := defaultLoops
	if n, err := strconv.Atoi(query.Get("loop_limit")); err == nil && n > 0 {
		limit = n
	}
	if x.Loops >= limit {
		return nil, loopError(fmt.Sprintf("Loop level too deep. Found more than %d loops in single request", limit))
	}
	target := g.byName[loopName(u.Host)]
	if u.Host == "self" {
		target = g.byName[loopName(x.API.ID)]
	}
	if target == nil {
		return nil, loopError("Can't detect loop target")
	}
	to := *u
	to.Scheme, to.Host = "", ""
	if to.Path == "" {
		to.Path = "/"
	}
	method, unlimited := query.Get("method"), query.Get("check_limits") != "true"
	for _, control := range []string{"method", "loop_limit", "check_limits"} {
		query.Del(control)
	}
	to.RawQuery = query.Encode()

	r := x.Request.WithContext(x.Request.Context())
	r.URL = &to
	switch {
	case method != "":
		r.Method = method
	case x.RewriteMethod != "":
		r.Method = x.RewriteMethod
	}
	inner := *x
	inner.Request, inner.API, inner.Log, inner.Loops = r, target.api, target.log, x.Loops+1
	inner.Prefix, inner.Rewrite, inner.RewriteMethod, inner.Version = "", nil, "", nil
	inner.Session, inner.Open, inner.Unlimited = nil, false, unlimited
	resp, err := target.handle(&inner)
	x.Calls = inner.Calls
	return resp, err
}

func loopError(message string) error {
	return &grapnel.Error{Status: http.StatusInternalServerError, Code: grapnel.CodeInternal, Message: message}
}
