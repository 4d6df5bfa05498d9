// Package admin is the control API: how an operator manages the keys, policies
// and APIs of a running gateway, tells it to reload, and how everyone asks
// whether it is well [8]. Paths, replies and the header with the secret are
// those of the original; openapi.yaml describes them, and the tests hold the
// handlers to it. [Client] is the other end.
package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// Control is what the control API can do to the gateway.
type Control interface {
	// Reload reads the configuration again and serves it, whole or not at
	// all. It logs what went wrong; the caller learns only that it did.
	Reload(context.Context) error
}

// A Keyring is the keys as an operator sees them: by the key itself, or, through
// the sessions of the store, by the id under which a session is stored. When
// keys are hashed, that id is all that is known of most.
type Keyring interface {
	grapnel.Keys
	grapnel.Sessions
	// StoreID returns the id under which the session of a key is saved.
	StoreID(key string) string
}

// OAuthClients are the clients of the authorization servers that APIs have. Of
// what is not there they return ErrNotFound.
type OAuthClients interface {
	// CheckClient says why the client cannot be one of the API.
	CheckClient(*grapnel.API, grapnel.OAuthClient) error
	// PutClient makes or changes a client, whose secret stays if it has none.
	PutClient(context.Context, *grapnel.API, grapnel.OAuthClient) error
	// Client and Clients return them without their secrets.
	Client(ctx context.Context, api *grapnel.API, id string) (*grapnel.OAuthClient, error)
	Clients(context.Context, *grapnel.API) ([]*grapnel.OAuthClient, error)
	// DeleteClient removes a client and its tokens.
	DeleteClient(ctx context.Context, api *grapnel.API, id string) error
	// Tokens lists the access tokens of a client.
	Tokens(ctx context.Context, api *grapnel.API, client string) ([]grapnel.OAuthToken, error)
	// Revoke ends what came of the same grant as a token, RevokeAll what any
	// grant of the client gave.
	Revoke(ctx context.Context, api *grapnel.API, client, token string) error
	RevokeAll(ctx context.Context, api *grapnel.API, client string) error
}

// Options are what the control API works on. All are needed, but for those that
// say what their absence means.
type Options struct {
	// Secret is what callers must present in X-Tyk-Authorization. Without
	// one every call is refused, which the original does not do [R-1, L-48].
	Secret  string
	Control Control
	// Keys and Rules are the stored sessions, and how they are stored.
	Keys  Keyring
	Rules grapnel.KeyRules
	// Counters know what is left of quotas, and start again when a key
	// changes.
	Counters grapnel.Counters
	// Catalog keeps definitions and policies.
	Catalog grapnel.Catalog
	// Signals tell the other gateways to reload.
	Signals grapnel.Signals
	// Policy returns a policy that is in force.
	Policy func(id string) (*grapnel.Policy, bool)
	// Validate says why an API definition cannot be served.
	Validate func(definition []byte) error
	// API returns an API that is served, or nil.
	API func(id string) *grapnel.API
	// APIs returns all that are served.
	APIs func() []*grapnel.API
	// Plugins tells how the plugin servers stand; nil knows of none.
	Plugins func() []PluginStatus
	// OAuth are the clients of the APIs' authorization servers.
	OAuth OAuthClients
	// Records keep the certificates of clients and the sessions of organisations.
	Records grapnel.Records
	// Event is told when a key was created, updated or deleted [E-4]; nil
	// tells nobody.
	Event func(t grapnel.EventType, org, key string)
	// Log is told why calls failed, never with a key or a secret.
	Log *slog.Logger
}

// Handler serves the control API, by paths below its prefix: /keys, /apis,
// /policies, /reload … After five wrong tries within a second an address gets
// 429 for the rest of it, whatever it presents.
func Handler(o Options) http.Handler {
	if o.Event == nil {
		o.Event = func(grapnel.EventType, string, string) {}
	}
	if o.Plugins == nil {
		o.Plugins = func() []PluginStatus { return nil }
	}
	c := &control{gate: NewGate(o.Secret), routes: table(o), log: o.Log}
	return http.HandlerFunc(c.serve)
}

type control struct {
	gate   *Gate
	routes []route
	log    *slog.Logger
}

func (c *control) serve(w http.ResponseWriter, r *http.Request) {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	if err := c.gate.Admit(address, r.Header.Get("X-Tyk-Authorization")); err != nil {
		e := grapnel.AsError(err)
		reply(w, e.Status, "error", e.Message)
		return
	}
	c.dispatch(w, r)
}

// A Gate lets those in who know the operator's secret.
type Gate struct {
	secret [sha256.Size]byte
	none   bool // no secret is configured: nobody is let in
	tries  *tries
}

// NewGate makes the gate of a secret.
func NewGate(secret string) *Gate {
	return &Gate{secret: sha256.Sum256([]byte(secret)), none: secret == "", tries: newTries()}
}

// Admit says why someone from the address, who presents this secret, is not let
// in: nil lets them. Comparing digests takes the same time whatever is presented,
// its length included.
func (g *Gate) Admit(address, secret string) error {
	presented := sha256.Sum256([]byte(secret))
	right := subtle.ConstantTimeCompare(presented[:], g.secret[:]) == 1 && !g.none
	switch g.tries.judge(address, right, time.Now()) {
	case admitted:
		return nil
	case limited:
		return refuse(http.StatusTooManyRequests, "Too many attempts")
	default:
		return refuse(http.StatusForbidden, "Attempted administrative access with invalid or missing key!")
	}
}
