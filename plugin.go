package grapnel

import (
	"context"
	"net/http"
)

// A Stage is a point of an exchange at which plugins are asked. The stages run
// in the order of their values.
type Stage int

// The five stages [M-1].
const (
	// Pre comes before authentication.
	Pre Stage = iota + 1
	// Auth decides who is calling.
	Auth
	// PostKeyAuth comes right after authentication, on APIs that have one.
	PostKeyAuth
	// Post is the last before the upstream.
	Post
	// Response sees the upstream's reply.
	Response
)

// String returns the stage's name in configuration and logs.
func (s Stage) String() string {
	switch s {
	case Pre:
		return "pre"
	case Auth:
		return "auth"
	case PostKeyAuth:
		return "post_key_auth"
	case Post:
		return "post"
	case Response:
		return "response"
	}
	return "unknown"
}

// Compat says how strictly a plugin server is treated as the original gateway
// treated its plugins. The differences are listed in docs/plugins.md.
type Compat string

// The two ways to treat a plugin.
const (
	// CompatNative keeps everything that a plugin changes.
	CompatNative Compat = "native"
	// CompatTyk reproduces the original, its losses included.
	CompatTyk Compat = "tyk"
)

// A Plugin is one configured plugin server, whatever it speaks.
type Plugin interface {
	// Bind prepares one hook of one API, once, at load: what is constant
	// for its calls is worked out here. It does not call the server.
	Bind(*API, Hook) (Binding, error)
	// Notify tells the server of an event, by the name of the handler that
	// the API's configuration gave it.
	Notify(ctx context.Context, handler string, e Event) error
	// State says how the server stands.
	State() PluginState
	// Close ends the connection. Calls under way fail.
	Close() error
}

// A Binding is one hook of one API, tied to the server that answers it. It
// serves many exchanges at once. On error it has left the exchange, and the
// response, as they were.
type Binding interface {
	// Request asks about a request. A non-nil response answers the client.
	Request(context.Context, *Exchange) (*http.Response, error)
	// Response asks about a reply, which the plugin may change. A non-nil
	// response answers the client in its place.
	Response(context.Context, *Exchange, *http.Response) (*http.Response, error)
}

// A PluginState says how a plugin server stands, for health reports and metrics.
type PluginState struct {
	// State is, in one word, the best that any endpoint has: "ready", "idle",
	// "connecting" or "failing".
	State string `json:"state"`
	// InFlight and Queued are the calls under way and those that wait.
	InFlight int `json:"in_flight"`
	Queued   int `json:"queued"`
	// Breaker is "closed", "open" or "half_open".
	Breaker string `json:"breaker"`
	// Restarts counts how often a process of the gateway's own was started
	// again.
	Restarts int `json:"restarts"`
	// Endpoints are the replicas, by address.
	Endpoints []EndpointState `json:"endpoints"`
	// Shadow tells of the server whose answers are compared; nil without one.
	Shadow *ShadowState `json:"shadow,omitempty"`
}

// A ShadowState counts what came of asking a server whose answers count for
// nothing.
type ShadowState struct {
	Plugin      string `json:"plugin"` // the server's name
	Calls       uint64 `json:"calls"`
	Differences uint64 `json:"differences"` // answers that would have done something else
	Failures    uint64 `json:"failures"`    // calls without an answer that counts
	Dropped     uint64 `json:"dropped"`     // calls not made, because too many were under way
}

// An EndpointState says how one replica of a plugin server stands.
type EndpointState struct {
	Address     string `json:"address"`
	State       string `json:"state"`   // "ready", "idle", "connecting" or "failing"
	Healthy     bool   `json:"healthy"` // by its own word, or when it has none
	Ejected     bool   `json:"ejected"`
	InFlight    int    `json:"in_flight"`
	Connections int    `json:"connections"`
	Calls       uint64 `json:"calls"`    // since it was first seen
	Failures    uint64 `json:"failures"` // of them
	Retries     uint64 `json:"retries"`  // calls that came here after they failed elsewhere
}
