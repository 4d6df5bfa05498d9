// Package plugin decides when a plugin is asked, how long it may take and what
// happens when it fails. What all wire protocols have in common is here, once;
// a protocol's package only translates.
package plugin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// A Lookup finds a plugin server by its configured name.
type Lookup func(name string) (grapnel.Plugin, bool)

// Requests makes the middleware that asks the hooks, one after the other, about
// a request on its way in [B-2, M-14]. The first answer ends the exchange [M-11].
// It returns nil when there are no hooks.
func Requests(api *grapnel.API, hooks []grapnel.Hook, servers Lookup, events grapnel.Events) (grapnel.Middleware, error) {
	calls, err := bindAll(api, hooks, servers, events)
	if err != nil || len(calls) == 0 {
		return nil, err
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			for _, c := range calls {
				if resp, err := c.request(x); resp != nil || err != nil {
					return resp, err
				}
			}
			return next(x)
		}
	}, nil
}

// Responses makes the middleware that asks the hooks about the upstream's reply
// . Tunnels (status 101) have no reply to ask about.
func Responses(api *grapnel.API, hooks []grapnel.Hook, servers Lookup, events grapnel.Events) (grapnel.Middleware, error) {
	calls, err := bindAll(api, hooks, servers, events)
	if err != nil || len(calls) == 0 {
		return nil, err
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			if _, err := x.Body(); err != nil { // the hooks see it again [B-29]
				return nil, unread(x, err)
			}
			resp, err := next(x)
			if err != nil || resp.StatusCode == http.StatusSwitchingProtocols {
				return resp, err
			}
			for _, c := range calls {
				if err := c.response(x, resp); err != nil {
					resp.Body.Close()
					return nil, err
				}
			}
			return resp, nil
		}
	}, nil
}

// NewAuthenticator makes an authenticator of an auth hook [C-1].
func NewAuthenticator(api *grapnel.API, hook grapnel.Hook, servers Lookup, events grapnel.Events) (grapnel.Authenticator, error) {
	c, err := bind(api, hook, servers, events)
	if err != nil {
		return nil, err
	}
	return authenticator{c}, nil
}

type authenticator struct{ call *call }

// Authenticate asks the plugin; an exchange that it passes has a session.
func (a authenticator) Authenticate(x *grapnel.Exchange) (*http.Response, error) {
	x.Session = nil
	resp, err := a.call.request(x)
	if resp == nil && err == nil && x.Session == nil {
		return nil, a.call.failed(errors.New("the plugin passed the request without a session"))
	}
	return resp, err
}

// A call is one hook of one API, ready to be asked.
type call struct {
	hook   grapnel.Hook
	bound  grapnel.Binding
	events grapnel.Events
}

func bindAll(api *grapnel.API, hooks []grapnel.Hook, servers Lookup, events grapnel.Events) ([]*call, error) {
	var calls []*call
	for _, h := range hooks {
		c, err := bind(api, h, servers, events)
		if err != nil {
			return nil, err
		}
		calls = append(calls, c)
	}
	return slices.Clip(calls), nil
}

func bind(api *grapnel.API, h grapnel.Hook, servers Lookup, events grapnel.Events) (*call, error) {
	server, ok := servers(h.Plugin)
	if !ok {
		return nil, fmt.Errorf("api %q, %s hook %q: no plugin %q", api.ID, h.Stage, h.Name, h.Plugin)
	}
	bound, err := server.Bind(api, h)
	if err != nil {
		return nil, fmt.Errorf("api %q, %s hook %q: %w", api.ID, h.Stage, h.Name, err)
	}
	return &call{hook: h, bound: bound, events: events}, nil
}

func (c *call) request(x *grapnel.Exchange) (*http.Response, error) {
	if _, err := x.Body(); err != nil {
		return nil, unread(x, err)
	}
	begin := time.Now()
	ctx, cancel := c.deadline(x.Request.Context(), begin)
	defer cancel()
	resp, err := c.bound.Request(ctx, x)
	return resp, c.settle(x, begin, err)
}

func (c *call) response(x *grapnel.Exchange, resp *http.Response) error {
	if _, err := grapnel.ReadBody(resp, int64(x.API.MaxBody)); err != nil {
		return unanswered(x, err)
	}
	begin := time.Now()
	ctx, cancel := c.deadline(x.Request.Context(), begin)
	defer cancel()
	return c.settle(x, begin, c.bound.Response(ctx, x, resp))
}

// unread is the failure of an exchange whose request could not be read to its
// end. Bodies are read before the hook's clock starts: the time of slow clients
// and upstreams is not the plugin's.
func unread(x *grapnel.Exchange, err error) error {
	return broken(x, err, grapnel.CodeBadRequest, "Middleware error")
}

// unanswered is the failure of one whose reply broke off.
func unanswered(x *grapnel.Exchange, err error) error {
	return broken(x, err, grapnel.CodeUpstreamFailed, "There was a problem proxying the request")
}

func broken(x *grapnel.Exchange, err error, code grapnel.Code, message string) error {
	if e, ok := errors.AsType[*grapnel.Error](err); ok {
		return e
	}
	if x.Request.Context().Err() != nil {
		return clientGone(err)
	}
	return &grapnel.Error{Status: http.StatusInternalServerError, Code: code, Message: message, Err: err}
}

func clientGone(err error) error {
	return &grapnel.Error{Status: grapnel.StatusClientGone, Code: grapnel.CodeClientGone, Message: "Client closed request", Err: err}
}

func (c *call) deadline(ctx context.Context, begin time.Time) (context.Context, context.CancelFunc) {
	if c.hook.Timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, begin.Add(time.Duration(c.hook.Timeout)))
}

// settle records the call and gives its outcome the documented form: what the
// plugin refused stays as the plugin said it, and fires AuthFailure [A-21,
// E-8]; a client that left is nobody's fault; all else is a failed plugin.
func (c *call) settle(x *grapnel.Exchange, begin time.Time, err error) error {
	refused, answered := errors.AsType[*grapnel.Error](err)
	x.Calls = append(x.Calls, grapnel.Call{
		Stage: c.hook.Stage, Plugin: c.hook.Plugin, Hook: c.hook.Name,
		Took: time.Since(begin), Failed: err != nil && !answered,
	})
	switch {
	case err == nil:
		return nil
	case answered:
		if refused.Code == grapnel.CodePluginRefused {
			c.events.Fire(x, grapnel.EventAuthFailure, "Auth Failure")
		}
		return refused
	case x.Request.Context().Err() != nil:
		return clientGone(err)
	}
	return c.failed(err)
}

// failed is the answer to a plugin that is down, hangs or lies [A-30, A-31,
// nothing goes on without its word.
func (c *call) failed(err error) *grapnel.Error {
	e := &grapnel.Error{
		Status: http.StatusInternalServerError, Code: grapnel.CodePluginFailed, Message: "Middleware error",
		Err: fmt.Errorf("%s hook %q of plugin %q: %w", c.hook.Stage, c.hook.Name, c.hook.Plugin, err),
	}
	if c.hook.Stage == grapnel.Auth {
		e.Status, e.Message = http.StatusForbidden, "Key not authorised"
	}
	return e
}
