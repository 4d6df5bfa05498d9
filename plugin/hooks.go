// Package plugin decides when a plugin is asked, how long it may take and what
// happens when it fails. What all wire protocols have in common is here, once;
// a protocol's package only translates.
//
// This file is the life of a hook call. bind.go prepares it at load, replies.go
// asks about replies, budget.go says how long it may take, ladder.go what follows
// a failure, decisions.go what auth hooks remember, versions.go and shadow.go
// choose between servers, and pool.go shares their connections.
package plugin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// Requests makes the middleware that asks the hooks, one after the other, about
// a request on its way in [B-2, M-14]. The first answer ends the exchange [M-11].
// It returns nil when there are no hooks.
func (b Binder) Requests(api *grapnel.API, hooks []grapnel.Hook) (grapnel.Middleware, error) {
	calls, err := b.calls(api, hooks)
	if err != nil || len(calls) == 0 {
		return nil, err
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			for _, c := range calls {
				if resp, err := c.run(question{x: x}); resp != nil || err != nil {
					return resp, err
				}
			}
			return next(x)
		}
	}, nil
}

// Authenticator makes an authenticator of an auth hook [C-1]. The function finds
// in a request what the caller is known by, or else "": it is what decisions of
// the plugin are remembered for, where the hook has them remembered.
func (b Binder) Authenticator(api *grapnel.API, hook grapnel.Hook, credential func(*grapnel.Exchange) string) (grapnel.Authenticator, error) {
	c, err := b.call(api, hook)
	if err != nil {
		return nil, err
	}
	if c.recalls() {
		c.memory = b.Decisions.of(api, hook, credential)
	}
	return authenticator{c}, nil
}

type authenticator struct{ call *call }

// Authenticate asks the plugin; an exchange that it passes has a session. That of a
// method before it stays only where the hook ends with ignore.
func (a authenticator) Authenticate(x *grapnel.Exchange) (*http.Response, error) {
	q := question{x: x, caller: x.Session}
	x.Session = nil
	return a.call.run(q)
}

// A question is what a hook is asked about: a request, or the reply to one.
type question struct {
	x      *grapnel.Exchange
	reply  *http.Response
	caller *grapnel.Session // auth hooks: who it is by the methods before; nil is nobody
}

// run is one hook of one exchange. What the plugin refused stays as the plugin
// said it, and fires AuthFailure [A-21, E-8]; a client that left is nobody's
// fault; all else that is no answer is a failed plugin.
func (c *call) run(q question) (*http.Response, error) {
	x := q.x
	if !c.when.Holds(x, q.reply) {
		return nil, nil
	}
	left := c.left(x)
	if c.skips(left) {
		x.Calls = append(x.Calls, c.first.record(grapnel.OutcomeSkipped))
		return nil, nil
	}
	if err := q.read(&c.first.hook.Send); err != nil {
		return nil, err
	}
	note := c.memory.note(x)
	ctx, cancel := c.deadline(x.Request.Context(), left)
	defer cancel()
	resp, outcome, err := c.first.ask(ctx, q)
	if down(outcome) {
		resp, outcome, err = c.climb(ctx, q, note, outcome, err)
	}
	switch outcome {
	case grapnel.OutcomePassed:
		note.keep(x.Session)
	case grapnel.OutcomeAnswered:
		note.forget()
	case grapnel.OutcomeGone:
		return nil, clientGone(err)
	}
	if refused, ok := errors.AsType[*grapnel.Error](err); ok {
		if refused.Code == grapnel.CodePluginRefused && q.reply == nil {
			c.events.Fire(x, grapnel.EventAuthFailure, "Auth Failure")
		}
		return nil, refused
	}
	return resp, err
}

// ask asks one server and records the call.
func (s *server) ask(ctx context.Context, q question) (resp *http.Response, outcome grapnel.Outcome, err error) {
	x := q.x
	at := len(x.Calls)
	x.Calls = append(x.Calls, s.record("")) // who carries the call notes on it
	var end func(grapnel.Call)
	if s.tracer != nil {
		ctx, end = s.tracer.Hook(ctx, x, s.hook)
	}
	ctx, cancel := s.share(ctx)
	defer cancel()
	begin := time.Now()
	if err = ctx.Err(); err == nil {
		resp, err = q.put(ctx, s.bound)
	}
	if s.hook.Stage == grapnel.Auth && resp == nil && err == nil && x.Session == nil {
		err = errors.New("the plugin passed the request without a session")
	}
	call := &x.Calls[at]
	call.Took, call.Outcome = time.Since(begin), outcomeOf(ctx, x, resp, err)
	call.Failed = down(call.Outcome)
	if end != nil {
		end(*call)
	}
	return resp, call.Outcome, err
}

func (q question) put(ctx context.Context, b grapnel.Binding) (*http.Response, error) {
	if q.reply != nil {
		return b.Response(ctx, q.x, q.reply)
	}
	return b.Request(ctx, q.x)
}

// outcomeOf says what came of asking. An error that is meant for the client is an
// answer: of the plugin, or of a limit that the exchange broke.
func outcomeOf(ctx context.Context, x *grapnel.Exchange, resp *http.Response, err error) grapnel.Outcome {
	_, told := errors.AsType[*grapnel.Error](err)
	switch {
	case resp != nil || told:
		return grapnel.OutcomeAnswered
	case err == nil:
		return grapnel.OutcomePassed
	case x.Request.Context().Err() != nil:
		return grapnel.OutcomeGone
	case ctx.Err() != nil:
		return grapnel.OutcomeTimeout
	}
	return grapnel.OutcomeFailed
}

// down reports whether there was no answer, or none that counts.
func down(o grapnel.Outcome) bool {
	return o == grapnel.OutcomeFailed || o == grapnel.OutcomeTimeout
}

// read has in memory what the hook is sent before its clock starts: the time of
// slow clients and upstreams is not the plugin's.
func (q question) read(s *grapnel.Send) error {
	if q.reply != nil {
		if _, err := s.OfReply(q.x, q.reply); err != nil {
			return broken(q.x, err, grapnel.CodeUpstreamFailed, "There was a problem proxying the request")
		}
		return nil
	}
	if _, err := s.OfRequest(q.x); err != nil {
		return unread(q.x, err)
	}
	return nil
}

// unread is the failure of an exchange whose request could not be read to its end.
func unread(x *grapnel.Exchange, err error) error {
	return broken(x, err, grapnel.CodeBadRequest, "Middleware error")
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
