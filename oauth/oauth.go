// Package oauth is the OAuth 2.0 authorization server that an API can have below
// its listen path [R-57, RFC 6749]: client credentials, authorization codes with
// PKCE [RFC 7636], refresh tokens that are good for one use, revocation
// [RFC 7009] and introspection [RFC 7662]. An access token is a key like any
// other; this package makes it and takes it away. Everything else that it keeps
// is in the store's records, without a secret in clear.
package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// Keys are where access tokens are kept.
type Keys interface {
	grapnel.Keys
	// DeleteSession removes the session of an id of the store, on all
	// gateways, or returns ErrNotFound.
	DeleteSession(ctx context.Context, id string) error
}

// Options are what a Server needs. All are needed.
type Options struct {
	Records grapnel.Records
	Keys    Keys
	// Operator says why a caller from the address, who presents this secret,
	// may not do what only the operator's login page may: nil lets it.
	Operator func(client netip.Addr, secret string) error
}

// A Server is the authorization servers of all APIs. Each API has its own
// clients and tokens.
type Server struct{ Options }

// New makes the authorization servers.
func New(o Options) *Server { return &Server{o} }

// A call is one request to an API's authorization server.
type call struct {
	*Server
	x        *grapnel.Exchange
	api      *grapnel.API
	settings *grapnel.OAuthAuth
}

// An endpoint answers a call. An error that is a [refusal] is for the client.
type endpoint struct {
	methods []string // that it takes
	answer  func(call) (*http.Response, error)
}

// endpointAt is the endpoint at a path below the listen path. All paths may end
// with a slash.
func endpointAt(path string) (endpoint, bool) {
	post := []string{http.MethodPost}
	switch strings.Trim(path, "/") {
	case "oauth/authorize":
		return endpoint{[]string{http.MethodGet, http.MethodPost}, call.authorize}, true
	case "tyk/oauth/authorize-client":
		return endpoint{post, call.authorizeClient}, true
	case "oauth/token":
		return endpoint{post, call.token}, true
	case "oauth/revoke":
		return endpoint{post, call.revoke}, true
	case "oauth/revoke_all":
		return endpoint{post, call.revokeAll}, true
	case "oauth/introspect":
		return endpoint{post, call.introspect}, true
	}
	return endpoint{}, false
}

// Endpoints makes the middleware that answers at the paths of the API's
// authorization server, within those around it. No hook sees these requests, as
// in the original: they hold the secrets of clients. It returns nil when the API
// has no such server.
func Endpoints(s *Server, api *grapnel.API, around ...grapnel.Middleware) grapnel.Middleware {
	settings := api.OAuth()
	if settings == nil {
		return nil
	}
	answer := grapnel.Chain(func(x *grapnel.Exchange) (*http.Response, error) {
		e, _ := endpointAt(below(x))
		return call{s, x, api, settings}.answer(e)
	}, around...)
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			if _, ok := endpointAt(below(x)); !ok {
				return next(x)
			}
			return answer(x)
		}
	}
}

// below is the path below the listen path.
func below(x *grapnel.Exchange) string { return strings.TrimPrefix(x.Request.URL.Path, x.Prefix) }

// maxForm bounds the body of a call, in bytes.
const maxForm = 64 << 10

func (c call) answer(e endpoint) (*http.Response, error) {
	r := c.x.Request
	if !slices.Contains(e.methods, r.Method) {
		return nil, &grapnel.Error{
			Status: http.StatusMethodNotAllowed, Code: grapnel.CodeBadRequest, Message: "Method not supported",
			Header: http.Header{"Allow": {strings.Join(e.methods, ", ")}},
		}
	}
	r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
	if r.ParseForm() != nil { // its error would repeat what was sent
		return refused("invalid_request", "the form cannot be read").reply(), nil
	}
	for _, values := range r.Form {
		if len(values) > 1 { // what one reader takes for the first another takes for the last [RFC 6749 3.1]
			return refused("invalid_request", "a parameter is there twice").reply(), nil
		}
	}
	resp, err := e.answer(c)
	if e, ok := errors.AsType[*refusal](err); ok {
		return e.reply(), nil
	}
	if err != nil {
		return nil, grapnel.Unavailable(err)
	}
	return resp, nil
}

// allows reports whether the API gives tokens in this way.
func (c call) allows(grant string) bool { return slices.Contains(c.settings.Grants, grant) }

// context is that of the request, but does not end with it: what was begun for a
// client that left is not left half done.
func (c call) context() context.Context { return context.WithoutCancel(c.x.Request.Context()) }
