package grapnel

import (
	"context"
	"net/http"
	"time"
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

// A Hook is one configured question to a plugin server.
type Hook struct {
	// Plugin names the plugin server that is asked.
	Plugin string `yaml:"plugin"`
	// Name says which of the server's functions is meant. An auth hook may
	// go without one [B-30].
	Name string `yaml:"hook"`
	// Timeout bounds the call, 0 is none. Without one, the plugin server's
	// holds.
	Timeout Duration `yaml:"timeout"`
	// RawBodyOnly leaves the text copy of the body out of the message
	// [B-14].
	RawBodyOnly bool `yaml:"raw_body_only"`
	// Stage is where the hook runs; its place in the configuration says so.
	Stage Stage `yaml:"-"`
}

// SetDefaults makes the hook use its plugin server's timeout.
func (h *Hook) SetDefaults() { h.Timeout = Inherit }

// Hooks are the hooks of one API, by stage and in the order in which they run.
// Those of the auth stage stand in the API's auth list.
type Hooks struct {
	Pre         []Hook `yaml:"pre"`           // before authentication
	PostKeyAuth []Hook `yaml:"post_key_auth"` // right after it, on APIs that have any
	Post        []Hook `yaml:"post"`          // before the request goes upstream
	Response    []Hook `yaml:"response"`      // on the upstream's reply
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

// A PluginServer is the configuration of one plugin server. Two equal values
// mean the same server and share its connections.
type PluginServer struct {
	// Name is what hooks call the server.
	Name string `yaml:"-"`
	// Target is where it listens: host:port, tcp://host:port,
	// dns:///name:port, unix:///path or passthrough:///address. It has to
	// be given.
	Target string `yaml:"target"`
	// Timeout bounds each call, 0 is none.
	Timeout Duration `yaml:"timeout"`
	// Compat is how its plugins are treated: native, or tyk for those that
	// depend on what Tyk loses on the way.
	Compat Compat `yaml:"compat"`
	// MaxReceive is the largest answer accepted.
	MaxReceive Size `yaml:"max_receive"`
	// MaxSend is the largest message sent, 0 is no limit.
	MaxSend Size `yaml:"max_send"`
	// Authority replaces the :authority that calls carry.
	Authority string `yaml:"authority"`
	// RoundRobin spreads calls over all addresses of the target instead of
	// keeping to one.
	RoundRobin bool `yaml:"round_robin"`
	// VerbatimHeaders keeps the case of header names that the plugin sets
	//
	VerbatimHeaders bool `yaml:"verbatim_headers"`
}

// SetDefaults gives the server what its configuration need not say.
func (s *PluginServer) SetDefaults() {
	s.Timeout = Duration(time.Second)
	s.Compat = CompatNative
	s.MaxReceive = 16 << 20
}

// A Plugin is one configured plugin server, whatever it speaks.
type Plugin interface {
	// Bind prepares one hook of one API, once, at load: what is constant
	// for its calls is worked out here. It does not call the server.
	Bind(*API, Hook) (Binding, error)
	// Notify tells the server of an event, by the name of the handler that
	// the API's configuration gave it.
	Notify(ctx context.Context, handler string, e Event) error
	// State says in one word how the connection stands: "ready", "idle",
	// "connecting" or "failing".
	State() string
	// Close ends the connection. Calls under way fail.
	Close() error
}

// A Binding is one hook of one API, tied to the server that answers it. It
// serves many exchanges at once. On error it has left the exchange, and the
// response, as they were.
type Binding interface {
	// Request asks about a request. A non-nil response answers the client.
	Request(context.Context, *Exchange) (*http.Response, error)
	// Response asks about a reply, which the plugin may change.
	Response(context.Context, *Exchange, *http.Response) error
}
