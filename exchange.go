// Package grapnel holds the words of the gateway and the shapes of its parts.
//
// An [Exchange] is one request on its way through. A [Handler] turns an
// exchange into a response or an error; it never writes to the client. A
// [Middleware] puts something around a handler: auth, limits and plugins are
// all middlewares. A [Plugin] is a server outside the gateway that is asked,
// at the stages of an exchange, what to do; which wire protocol it speaks is
// nobody else's business. One place writes responses, one place turns errors
// into bytes, and server/compile.go lists everything that happens to a request.
//
// The package imports the standard library only; every other package of the
// gateway imports it.
package grapnel

import (
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// An Exchange is one request on its way through the gateway. One goroutine
// uses it at a time; it needs no locks.
type Exchange struct {
	// ID names the exchange in logs, in the access log and on error replies.
	ID string
	// Request is the request as it will go upstream. Until the upstream
	// stage it looks as the client sent it, listen path and hop-by-hop
	// headers included; hooks may change it.
	Request *http.Request
	// API is the API that the request was routed to. It is read-only.
	API *API
	// Version is the version of the API that the request asked for; nil
	// until the version is known, and for APIs without rules.
	Version *Version
	// Session is who is calling: nil until an authenticator has set it.
	Session *Session
	// Claims are those of the token that the caller was let in with, as it was
	// verified; nil without one. They are read-only.
	Claims map[string]any
	// GraphQL is what the request asks for, on an API that speaks GraphQL;
	// nil until that is known.
	GraphQL *GraphQLFacts
	// Prefix is the part of the path that routing matched, which the
	// upstream stage strips when the API says so.
	Prefix string
	// Client is the caller's address, as far as trusted proxies tell it.
	Client netip.Addr
	// Start is when the gateway had read the request's header.
	Start time.Time
	// Log is the API's logger. Lines about one exchange carry its ID.
	Log *slog.Logger

	// Open says that the path needs no caller: authentication and what
	// follows from it (limits, rights) do not apply [C-3].
	Open bool
	// Rewrite, when not nil, is the URL that a rewrite rule chose; it
	// takes the place of Request.URL in the upstream stage [B-9, A-10].
	Rewrite *url.URL
	// RewriteMethod, when not empty, likewise replaces Request.Method
	// [B-12, A-13].
	RewriteMethod string
	// Proxied says that the upstream has answered.
	Proxied bool
	// Loops counts how often the exchange was handed on to an API of this
	// gateway instead of an upstream.
	Loops int
	// Unlimited says that rates and quotas do not apply, as in a loop that
	// was counted where it began [M-13].
	Unlimited bool
	// Calls are the hook calls made so far, for the access log and metrics;
	// the last one may be under way.
	Calls []Call
	// Chosen is the version that the exchange keeps to of each plugin that has
	// several, by the plugin's name.
	Chosen map[string]string

	inner
}

// inner is what an exchange keeps for its methods.
type inner struct {
	buffer
	metered metered
}

// A metered session is the exchange's own copy of one that it shares with others,
// with what remains of its quota.
type metered struct{ shared, own *Session }

// Meter notes the quota that holds for the caller, what remains of it and when it
// begins anew, in a copy of the session: sessions are shared.
func (x *Exchange) Meter(maximum, remaining, renews int64) {
	own := *x.Session
	own.QuotaMax, own.QuotaRemaining, own.QuotaRenews = maximum, remaining, renews
	x.metered, x.Session = metered{x.SharedSession(), &own}, &own
}

// SharedSession is the session that other exchanges have, too. That of this one is
// the same, or differs in what Meter noted.
func (x *Exchange) SharedSession() *Session {
	if x.Session == x.metered.own {
		return x.metered.shared
	}
	return x.Session
}

// A buffer has what was read of a request's body.
type buffer struct {
	body []byte
	held bool // that is all of it
	gone bool // the rest is not for reading any more
}

// A Call is the record of one hook call: who was asked what, what came of it and
// how long it took. A hook that asked a second server has a second record.
type Call struct {
	Stage    Stage
	Plugin   string // the server that was asked, or the version of it
	Hook     string
	Took     time.Duration
	Failed   bool // there was no answer, or none that counts
	Outcome  Outcome
	Endpoint string // the address that answered last; who carries the call notes it
	Retries  int    // how often the call was sent again
}

// An Outcome says what came of a hook call.
type Outcome string

// The outcomes of hook calls.
const (
	OutcomePassed   Outcome = "passed"   // the exchange goes on
	OutcomeAnswered Outcome = "answered" // the plugin answered the client, or refused it
	OutcomeFailed   Outcome = "failed"   // no answer, or none that counts, and the exchange was denied
	OutcomeTimeout  Outcome = "timeout"  // the same, because of the deadline
	OutcomeIgnored  Outcome = "ignored"  // no answer, and the exchange went on
	OutcomeCached   Outcome = "cached"   // no answer, and an earlier decision was taken
	OutcomeBackup   Outcome = "backup"   // no answer, and another plugin server gave one
	OutcomeSkipped  Outcome = "skipped"  // not asked: too little was left of the budget
	OutcomeGone     Outcome = "gone"     // the client left
)

// A Handler produces the response to one exchange. It never writes to the
// client. Exactly one of its results is nil.
type Handler func(*Exchange) (*http.Response, error)

// A Middleware puts something around a handler.
type Middleware func(next Handler) Handler

// Chain puts the middlewares around the handler, the first one outermost. A
// nil middleware is one that the API does not need and costs nothing.
func Chain(h Handler, around ...Middleware) Handler {
	for i := len(around) - 1; i >= 0; i-- {
		if around[i] != nil {
			h = around[i](h)
		}
	}
	return h
}

// An Authenticator finds out who is calling and sets the exchange's session.
// A non-nil response answers the client in its place. An error refuses the
// client; which status says that credentials are missing depends on their kind
// [S-41…S-46].
type Authenticator interface {
	Authenticate(*Exchange) (*http.Response, error)
}
