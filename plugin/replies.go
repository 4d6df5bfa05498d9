package plugin

import (
	"net/http"
	"slices"

	"github.com/grapnel-gateway/grapnel"
)

// Responses makes the middleware that asks the hooks about the upstream's reply
// the first answer takes its place. About a tunnel (status 101), which
// has a header and no body that ends, it asks those that want the header alone
// [L-27].
func (b Binder) Responses(api *grapnel.API, hooks []grapnel.Hook) (grapnel.Middleware, error) {
	calls, err := b.calls(api, about(hooks, grapnel.FromUpstream))
	if err != nil || len(calls) == 0 {
		return nil, err
	}
	ofTunnels := slices.DeleteFunc(slices.Clone(calls), (*call).readsBody)
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			if !anyMay(calls, x) { // and so nothing needs to be kept
				return next(x)
			}
			for _, c := range calls { // they see it again [B-29]
				if !c.when.May(x) {
					continue
				}
				if _, err := c.first.hook.Send.OfRequest(x); err != nil {
					return nil, unread(x, err)
				}
			}
			x.ReleaseBody()
			resp, err := next(x)
			switch {
			case err != nil:
				return nil, err
			case resp.StatusCode == http.StatusSwitchingProtocols:
				return answered(ofTunnels, x, resp)
			}
			return answered(calls, x, resp)
		}
	}, nil
}

// Replies makes the middleware that asks the hooks about the replies that the
// upstream has not made: errors, as page renders them, and what others answered in
// its place.
func (b Binder) Replies(api *grapnel.API, hooks []grapnel.Hook, page func(*grapnel.Exchange, error) *http.Response) (grapnel.Middleware, error) {
	calls, err := b.calls(api, about(hooks, grapnel.FromGateway))
	if err != nil || len(calls) == 0 {
		return nil, err
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			resp, err := next(x)
			if x.Proxied || x.Request.Context().Err() != nil {
				return resp, err
			}
			if err != nil {
				resp = page(x, err)
			}
			x.ReleaseBody() // who failed may have left some of it
			resp, failed := answered(calls, x, resp)
			if err == nil || failed != nil {
				return resp, failed
			}
			told := *grapnel.AsError(err)
			told.Reply = resp
			return nil, &told
		}
	}, nil
}

// readsBody reports whether the hook is there for bodies: it is sent them, or they
// pass through it.
func (c *call) readsBody() bool {
	h := &c.first.hook
	return h.Stream || h.Send.Body != grapnel.BodyNone
}

// about leaves the hooks that are asked about replies of this origin.
func about(hooks []grapnel.Hook, o grapnel.Origin) []grapnel.Hook {
	return slices.DeleteFunc(slices.Clone(hooks), func(h grapnel.Hook) bool { return !h.Asks(o) })
}

// answered is what the hooks make of a reply, which is closed when it is given up.
func answered(calls []*call, x *grapnel.Exchange, resp *http.Response) (*http.Response, error) {
	for _, c := range calls {
		instead, err := c.run(question{x: x, reply: resp})
		if instead != nil || err != nil {
			resp.Body.Close()
			return instead, err
		}
	}
	return resp, nil
}
