// Package upstream takes exchanges to the services behind the APIs. It chooses
// the target, builds the URL, sets the headers that a proxy owes [RFC 9110, 7.6],
// sends the request and hands back the reply.
package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// Handler makes the innermost handler of an API's chain, the one that asks the
// upstream. The server's configuration says which proxies are trusted and how
// long an API waits that does not say so itself.
//
// The handler leaves the exchange's request as response hooks are to see it
// [B-29]: with the absolute upstream URL and the method that was sent, without
// hop-by-hop headers, and still with the client's Host. The reply keeps its
// hop-by-hop headers; see [RemoveHopByHop]. Failures are a [grapnel.Error]
// as P-12 says. The caller must close the body of the reply.
func Handler(api *grapnel.API, server grapnel.Server, t *Transports) (grapnel.Handler, error) {
	if err := validate(api); err != nil {
		return nil, err
	}
	timeout := api.Timeout
	if timeout == grapnel.Inherit {
		timeout = server.Timeouts.Upstream
	}
	s := &stage{api: api, trusted: server.TrustedProxies, timeout: time.Duration(timeout)}
	s.checked = server.TLS.ClientAllowed != nil
	s.listed = slices.ContainsFunc(api.Auth, func(m grapnel.AuthMethod) bool { return m.Certificate != nil })
	if err := t.choose(api, s); err != nil {
		return nil, err
	}
	return s.handle, nil
}

// stage is the upstream stage of one API.
type stage struct {
	api     *grapnel.API
	trusted networks
	timeout time.Duration // 0 is none
	checked bool          // the listener lets in certificates of its list alone
	listed  bool          // the API has looked at the client's certificate
	turn    atomic.Uint64 // counts the exchanges, for the round robin

	plain    client // http
	secure   client // https
	clear2   client // h2c
	upgrades client // https, as HTTP/2 knows no Upgrade
}

func (s *stage) handle(x *grapnel.Exchange) (*http.Response, error) {
	timeout := s.timeoutOf(x)
	to, err := s.url(x)
	if err != nil {
		return nil, err
	}
	protocol := upgradeOf(x.Request)
	upstream := s.client(to.Scheme, protocol)
	to.Scheme = wireScheme(to.Scheme)

	r := x.Request
	r.URL = to
	if x.RewriteMethod != "" {
		r.Method = x.RewriteMethod
	}
	x.Rewrite, x.RewriteMethod = nil, ""
	cleanRequest(r.Header, protocol)

	w := newWait(r.Context(), timeout)
	out := s.outgoing(x, r.WithContext(w), w)
	resp, err := upstream.RoundTrip(out)
	if expired := w.end(); err != nil || expired {
		if err == nil {
			resp.Body.Close()
		}
		return nil, w.failure(r.Context(), err)
	}
	if err := checkUpgrade(resp, protocol); err != nil {
		resp.Body.Close()
		return nil, err
	}
	x.Proxied = true
	return resp, nil
}

// outgoing makes out, a shallow copy of the exchange's request, the request
// that is sent.
func (s *stage) outgoing(x *grapnel.Exchange, out *http.Request, w *wait) *http.Request {
	out.Header = s.header(x)
	if !s.api.PreserveHost || x.Request.Host == "" {
		out.Host = out.URL.Host
	}
	out.Close = false // it spoke of the client's connection
	if out.Body == nil || out.ContentLength == 0 && !hasValues(out.Trailer) {
		// Known to be empty: may be sent again on a fresh connection.
		out.Body, out.Trailer = nil, nil
		return out
	}
	if len(out.Trailer) > 0 {
		out.ContentLength = -1 // HTTP/1 has trailers with chunks only
	}
	out.Body = &body{src: out.Body, wait: w}
	if again := out.GetBody; again != nil {
		out.GetBody = w.rewinder(again)
	}
	return out
}

// hasValues reports whether there are trailers behind a body that was read.
func hasValues(trailer http.Header) bool {
	for _, values := range trailer {
		if len(values) > 0 {
			return true
		}
	}
	return false
}

// timeoutOf is how long the upstream may take for this exchange.
func (s *stage) timeoutOf(x *grapnel.Exchange) time.Duration {
	if x.Version != nil {
		for _, rule := range x.Version.Timeouts {
			if rule.Selects(x) {
				return rule.Timeout
			}
		}
	}
	return s.timeout
}

func (s *stage) client(scheme, upgrade string) client {
	switch {
	case scheme == "h2c" && upgrade == "":
		return s.clear2
	case wireScheme(scheme) == "http":
		return s.plain
	case upgrade != "":
		return s.upgrades
	}
	return s.secure
}

// wireScheme is the scheme that the transports know, empty for one that leads
// nowhere.
func wireScheme(scheme string) string {
	switch scheme {
	case "http", "h2c", "ws":
		return "http"
	case "https", "wss":
		return "https"
	}
	return ""
}

// validate checks the targets of the API and of its versions. A target of the
// scheme tyk is served by a loop, before this stage.
func validate(api *grapnel.API) error {
	targets := slices.Clone(api.Targets)
	if api.Target != nil {
		targets = append(targets, api.Target)
	}
	if len(targets) == 0 {
		return errors.New("no target to send requests to")
	}
	if api.Versioning != nil {
		for _, v := range api.Versioning.Versions {
			if v.Target != nil {
				targets = append(targets, v.Target)
			}
		}
	}
	for _, t := range targets {
		if t.Scheme != "tyk" && wireScheme(t.Scheme) == "" {
			return fmt.Errorf("target %s: scheme %q is none of http, https, h2c, ws, wss, tyk", t, t.Scheme)
		}
	}
	return nil
}

// base is the target's URL for this exchange [P-10].
func (s *stage) base(x *grapnel.Exchange) *url.URL {
	switch n := uint64(len(s.api.Targets)); {
	case x.Version != nil && x.Version.Target != nil:
		return &x.Version.Target.URL
	case n > 0:
		return &s.api.Targets[(s.turn.Add(1)-1)%n].URL
	}
	return &s.api.Target.URL
}
