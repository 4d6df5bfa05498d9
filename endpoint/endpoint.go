// Package endpoint does what an API says about its single endpoints: which
// version a request gets, what is open or refused, fixed replies, changes of
// headers, URL and method, and CORS.
//
// Every constructor returns a middleware, or nil when the API does not need it.
// What can be worked out at load is; a request that no rule selects allocates
// nothing.
package endpoint

import (
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// refuse tells the API's event handlers why a version or path is refused, and
// makes the refusal [P-21, E-7].
func refuse(x *grapnel.Exchange, events grapnel.Events, reason string) error {
	events.Fire(x, grapnel.EventVersionFailure, reason)
	return &grapnel.Error{Status: http.StatusForbidden, Code: grapnel.CodeForbidden, Message: reason}
}

// withHeader puts header fields on whatever answers the client, a failure
// included. They replace what is there, but Vary grows: each stage names what
// its own answer depends on.
func withHeader(res *http.Response, err error, fields http.Header) (*http.Response, error) {
	if err == nil {
		apply(res.Header, fields)
		return res, nil
	}
	failure := *grapnel.AsError(err)
	if failure.Header = failure.Header.Clone(); failure.Header == nil {
		failure.Header = http.Header{}
	}
	apply(failure.Header, fields)
	return nil, &failure
}

func apply(to, fields http.Header) {
	for name, values := range fields {
		if name != "Vary" {
			delete(to, name)
		}
		to[name] = append(to[name], values...)
	}
}
