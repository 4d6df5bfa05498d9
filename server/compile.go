package server

import (
	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/auth"
	"github.com/grapnel-gateway/grapnel/endpoint"
	"github.com/grapnel-gateway/grapnel/graphql"
	"github.com/grapnel-gateway/grapnel/limit"
	"github.com/grapnel-gateway/grapnel/oauth"
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
	h, err := s.bindHooks(api, plugin.Binder{Servers: g.lease.Plugin, Events: events, Tracer: s.tracer, Decisions: s.decisions})
	if err != nil {
		return nil, err
	}
	queries, err := graphql.New(api)
	if err != nil {
		return nil, err
	}
	return grapnel.Chain(proxy,
		h.replies,
		limit.Body(api),
		oauth.Endpoints(s.oauth, api, endpoint.CORS(api, proxy), limit.Address(api)),
		s.standing(api, proxy, events, h.auth),
		endpoint.Version(api, events),
		endpoint.Lists(api, events),
		endpoint.Replies(api),
		endpoint.CORS(api, proxy),

		queries.Facts(),
		h.pre,
		limit.Address(api),
		limit.Organisation(api, s.records, s.counters),
		limit.Size(api),
		auth.Stage(api, h.auth),
		auth.WriteBack(api, s.keys),
		h.postKeyAuth,
		auth.Strip(api),
		auth.Valid(api, events),
		limit.Rights(api),
		limit.Rate(api, s.counters, events),
		limit.Quota(api, s.counters, events),
		limit.APIRate(api, s.counters),
		queries.Check(),

		endpoint.RequestHeaders(api),
		endpoint.Rewrite(api),
		endpoint.Method(api),
		h.post,
		queries.Check(), // what the hooks and rules above made of it
		g.loop(api),

		limit.Headers(api),
		h.response,
		endpoint.ResponseHeaders(api),
		s.traceUpstream(),
	), nil
}

// standing tells callers of their limits. They pass less on the way there [M-12].
func (s *Server) standing(api *grapnel.API, proxy grapnel.Handler, events grapnel.Events, methods []grapnel.Authenticator) grapnel.Middleware {
	return limit.Standing(api, s.counters,
		limit.Address(api),
		limit.Organisation(api, s.records, nil),
		endpoint.Version(api, events),
		endpoint.Lists(api, events),
		endpoint.Replies(api),
		endpoint.CORS(api, proxy),
		auth.Stage(api, methods),
		auth.Valid(api, events),
	)
}

// traceUpstream puts the span of the upstream innermost, where anyone traces.
func (s *Server) traceUpstream() grapnel.Middleware {
	if s.tracer == nil {
		return nil
	}
	return s.tracer.Upstream
}

// hooks are an API's hooks, ready to be asked.
type hooks struct {
	pre, postKeyAuth, post, response grapnel.Middleware
	replies                          grapnel.Middleware // on those of the gateway's own
	auth                             []grapnel.Authenticator
}

func (s *Server) bindHooks(api *grapnel.API, b plugin.Binder) (h hooks, err error) {
	for _, stage := range []struct {
		hooks []grapnel.Hook
		into  *grapnel.Middleware
	}{
		{api.Hooks.Pre, &h.pre},
		{api.Hooks.PostKeyAuth, &h.postKeyAuth},
		{api.Hooks.Post, &h.post},
	} {
		if *stage.into, err = b.Requests(api, stage.hooks); err != nil {
			return hooks{}, err
		}
	}
	if h.response, err = b.Responses(api, api.Hooks.Response); err != nil {
		return hooks{}, err
	}
	if h.replies, err = b.Replies(api, api.Hooks.Response, s.failures.page); err != nil {
		return hooks{}, err
	}
	for _, m := range api.Auth {
		a, err := s.authenticator(api, m, b)
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
func (s *Server) authenticator(api *grapnel.API, m grapnel.AuthMethod, b plugin.Binder) (grapnel.Authenticator, error) {
	if m.Plugin == "" {
		return auth.New(api, m, s.keys, b.Events, s.log)
	}
	var extractor *auth.Extractor
	credential := func(x *grapnel.Exchange) string { return api.Credential.Find(x.Request) }
	if m.ID != nil {
		var err error
		if extractor, err = auth.NewExtractor(*m.ID); err != nil {
			return nil, err
		}
		credential = func(x *grapnel.Exchange) string {
			id, _ := extractor.Extract(x) // who has none is refused before
			return id
		}
	}
	ask, err := b.Authenticator(api, m.Hook, credential)
	if err != nil {
		return nil, err
	}
	return auth.Custom(api, ask, s.keys, extractor, b.Events), nil
}
