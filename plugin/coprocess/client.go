// Package coprocess speaks coprocess.Dispatcher, the wire protocol of Tyk's gRPC
// plugins, to one plugin server.
//
// A [Client] is the connection, a binding is one hook of one API. A binding
// makes the Object about an exchange (object.go, session.go), sends it, checks
// every part of the answer that counts, and only then changes the exchange
// (apply.go, override.go, location.go, query.go, response.go). The plugin is not
// trusted: an answer with a fault anywhere changes nothing. Messages of the wire
// never leave the package.
package coprocess

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// A Client is the connection to one plugin server. It implements
// [grapnel.Plugin] and serves many exchanges at once.
type Client struct {
	conn       *grpc.ClientConn
	dispatcher wire.DispatcherClient
	tyk        bool // answers are applied with the losses of the original
	verbatim   bool // header names keep the case that the plugin gave them
}

// New makes the client of a plugin server. It does not connect: the first call
// does, so a server that is down is no error here. A target of no known
// form is.
func New(s grapnel.PluginServer) (*Client, error) {
	target, err := dialTarget(s.Target, s.RoundRobin)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(target, options(s)...)
	if err != nil {
		return nil, fmt.Errorf("target %q: %w", s.Target, err)
	}
	return &Client{
		conn:       conn,
		dispatcher: wire.NewDispatcherClient(conn),
		tyk:        s.Compat == grapnel.CompatTyk,
		verbatim:   s.VerbatimHeaders,
	}, nil
}

// State says in one word how the connection stands: "ready", "idle",
// "connecting" or "failing".
func (c *Client) State() string {
	switch c.conn.GetState() {
	case connectivity.Ready:
		return "ready"
	case connectivity.Idle:
		return "idle"
	case connectivity.Connecting:
		return "connecting"
	}
	return "failing"
}

// Close ends the connection. Calls under way fail.
func (c *Client) Close() error { return c.conn.Close() }

// dispatch asks the server. The context bounds the call and its deadline travels
// in grpc-timeout; there is no other [L-7]. A server that cannot be reached
// fails the call at once.
func (c *Client) dispatch(ctx context.Context, o *wire.Object) (*wire.Object, error) {
	answer, err := c.dispatcher.Dispatch(ctx, o)
	switch {
	case err == nil:
		return answer, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("no answer: %w", ctx.Err())
	}
	return nil, err
}

// maxBackoff bounds the pause between two attempts to connect, so that a server
// that comes up is used at once.
const maxBackoff = time.Second

func options(s grapnel.PluginServer) []grpc.DialOption {
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()), // [W-3]
		// Neither the environment nor the DNS decides how plugins are called.
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: maxBackoff},
			MinConnectTimeout: 5 * time.Second,
		}),
		// Servers punish pings that come more often than every five
		// minutes. The timeout does the work: it is the kernel's limit for
		// data that the other side does not acknowledge.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 6 * time.Minute, Timeout: 10 * time.Second}),
	}
	if s.Authority != "" {
		opts = append(opts, grpc.WithAuthority(s.Authority))
	}
	if s.RoundRobin {
		opts = append(opts, grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`))
	}
	if s.MaxReceive > 0 {
		opts = append(opts, grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(int(s.MaxReceive))))
	}
	if s.MaxSend > 0 {
		opts = append(opts, grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(int(s.MaxSend))))
	}
	return opts
}
