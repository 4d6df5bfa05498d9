package server

import (
	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/auth"
	"github.com/grapnel-gateway/grapnel/endpoint"
	"github.com/grapnel-gateway/grapnel/limit"
	"github.com/grapnel-gateway/grapnel/plugin"
	"github.com/grapnel-gateway/grapnel/upstream"
)

// compile makes the handler of one API: everything that happens to a request,
// from the outside in [M-1]. What an API does not use is nil and costs nothing.
func (s *Server) compile(g *generation, api *grapnel.API) (grapnel.Handler, error) {
	proxy, err := upstream.Handler(api, s.config, s.transports)
	if err != nil {
		return nil, err
	}
	events := s.events.For(g.lease.Plugin)
	h, err := s.bindHooks(api, g.lease.Plugin, events)
	if err != nil {
		return nil, err
	}
	return grapnel.Chain(proxy,
		limit.Body(api),
		endpoint.Version(api, events),
		endpoint.Lists(api, events),
		endpoint.Replies(api),
		endpoint.CORS(api, proxy),

		h.pre,
		limit.Address(api),
		limit.Size(api),
		auth.Stage(api, h.auth),
		h.postKeyAuth,
		auth.Strip(api),
		auth.Valid(api, events),
		limit.Rights(api),
		limit.Rate(api, s.counters, events),
		limit.Quota(api, s.counters, events),
		limit.APIRate(api, s.counters),

		endpoint.RequestHeaders(api),
		endpoint.Rewrite(api),
		endpoint.Method(api),
		h.post,
		g.loop(api),

		limit.Headers(api),
		h.response,
		endpoint.ResponseHeaders(api),
	), nil
}

// hooks are an API's hooks, ready to be asked.
type hooks struct {
	pre, postKeyAuth, post, response grapnel.Middleware
	auth                             []grapnel.Authenticator
}

func (s *Server) bindHooks(api *grapnel.API, servers plugin.Lookup, events grapnel.Events) (h hooks, err error) {
	for _, stage := range []struct {
		hooks []grapnel.Hook
		into  *grapnel.Middleware
	}{
		{api.Hooks.Pre, &h.pre},
		{api.Hooks.PostKeyAuth, &h.postKeyAuth},
		{api.Hooks.Post, &h.post},
	} {
		if *stage.into, err = plugin.Requests(api, stage.hooks, servers, events); err != nil {
			return hooks{}, err
		}
	}
	if h.response, err = plugin.Responses(api, api.Hooks.Response, servers, events); err != nil {
		return hooks{}, err
	}
	for _, m := range api.Auth {
		a, err := s.authenticator(api, m, servers, events)
		if err != nil {
			return hooks{}, err
		}
		h.auth = append(h.auth, a)
	}
	if len(h.auth) == 0 {
		h.postKeyAuth = nil // there is no key to come after [M-2]
	}
	return h, nil
}

// authenticator makes one method of an API: a plugin that is asked, and whose
// sessions are kept, or one that is built in.
func (s *Server) authenticator(api *grapnel.API, m grapnel.AuthMethod, servers plugin.Lookup, events grapnel.Events) (grapnel.Authenticator, error) {
	if m.Plugin == "" {
		return auth.New(api, m, s.keys, events)
	}
	ask, err := plugin.NewAuthenticator(api, m.Hook, servers, events)
	if err != nil {
		return nil, err
	}
	var extractor *auth.Extractor
	if m.ID != nil {
		if extractor, err = auth.NewExtractor(*m.ID); err != nil {
			return nil, err
		}
	}
	return auth.Custom(api, ask, s.keys, extractor, events), nil
}
