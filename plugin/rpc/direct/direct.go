// Package direct carries unary gRPC calls on HTTP/2 frames of its own. It does
// nothing else, and that with little work for each call: no goroutine stands
// between a call and its connection.
//
// A [Client] makes the connections to one address, one after the other
// (connect.go); a conn is one of them (conn.go). A call writes its own frames,
// and those that others queued meanwhile (outbox.go); what all calls have in
// common is encoded once (encoder.go). A call that is alone reads its own answer,
// else a goroutine reads for all (role.go); either does what the frames ask for
// (reader.go, headers.go, frames.go) and puts answers together (answer.go,
// fields.go). A timer looks after what takes long (pulse.go, liveness.go).
package direct

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// A Client carries calls to one address, over one connection at a time. It
// implements [rpc.Conn].
type Client struct {
	target           string // as it was configured
	network, address string
	tls              *tls.Config // nil is none
	authority        string
	limit, maxSend   int // of answers, and of messages where it is not 0
	dialer           func(ctx context.Context, network, address string) (net.Conn, error)
	ping, pong       time.Duration // after which silence a ping, and how long for its answer

	memory  memory
	streams streams
	current atomic.Pointer[conn] // nil is none
	life    context.Context      // ends with Close
	close   context.CancelFunc
	all     sync.WaitGroup // the goroutines that connect and read

	mu      sync.Mutex
	attempt chan struct{} // is closed when the attempt that calls wait for is over
	failure error         // of the last attempt; nil when it did not fail
}

// New makes a client. It does not connect: the first call does, so a server that
// is down is no error here. A target that is not one address is.
func New(o rpc.Options) (*Client, error) {
	network, address, err := rpc.Address(o.Target)
	if err != nil {
		return nil, err
	}
	c := &Client{
		target: o.Target, network: network, address: address,
		limit: cmp.Or(o.MaxReceive, rpc.DefaultMaxReceive), maxSend: o.MaxSend,
		dialer: o.Dial, ping: rpc.KeepaliveTime, pong: rpc.KeepaliveTimeout,
	}
	host := "localhost" // as gRPC has it for sockets without a name
	if network == "tcp" {
		host = address
	}
	if c.authority = o.Authority; o.TLS != nil {
		c.tls = secure(o.TLS, host)
		c.authority = cmp.Or(c.authority, o.TLS.ServerName)
	}
	c.authority = cmp.Or(c.authority, host)
	if c.dialer == nil {
		c.dialer = (&net.Dialer{Control: control}).DialContext
	}
	c.life, c.close = context.WithCancel(context.Background())
	return c, nil
}

// secure is the configuration of connections that speak HTTP/2.
func secure(config *tls.Config, address string) *tls.Config {
	config = config.Clone()
	if config.ServerName == "" {
		config.ServerName = address
		if host, _, err := net.SplitHostPort(address); err == nil {
			config.ServerName = host
		}
	}
	if !slices.Contains(config.NextProtos, "h2") {
		config.NextProtos = append(slices.Clone(config.NextProtos), "h2")
	}
	return config
}

func (c *Client) scheme() string {
	if c.tls != nil {
		return "https"
	}
	return "http"
}

// maxConnections is how many connections a call tries that end under its feet.
const maxConnections = 3

// Invoke implements [rpc.Conn].
func (c *Client) Invoke(ctx context.Context, call *rpc.Call) (mem.Buffer, error) {
	call.Endpoint = c.target
	if n := call.Message.Len(); c.maxSend > 0 && n > c.maxSend {
		return nil, status.Errorf(codes.ResourceExhausted, "the message is larger than the limit (%d bytes, %d)", n, c.maxSend)
	}
	for range maxConnections {
		conn := c.current.Load()
		if conn == nil {
			var err error
			if conn, err = c.connected(ctx); err != nil {
				return nil, &rpc.NotSent{Err: err}
			}
		}
		if answer, err := conn.invoke(ctx, call); err != errRetired {
			return answer, err
		}
	}
	return nil, &rpc.NotSent{Err: c.unavailable(errors.New("connections end as soon as they are made"))}
}

// unavailable is the failure of a call because of the connection's.
func (c *Client) unavailable(cause error) error {
	if cause == errClosed {
		return status.Error(codes.Canceled, cause.Error())
	}
	return status.Errorf(codes.Unavailable, "no connection to %s: %v", c.target, cause)
}

// State implements [rpc.Conn].
func (c *Client) State() rpc.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.life.Err() != nil:
		return rpc.Failing
	case c.current.Load() != nil:
		return rpc.Ready
	case c.failure != nil:
		return rpc.Failing
	case c.attempt != nil:
		return rpc.Connecting
	}
	return rpc.Idle
}

// Close implements [rpc.Conn].
func (c *Client) Close() error {
	c.mu.Lock()
	c.close() // what connects stops, and nothing begins to any more
	current := c.current.Load()
	c.mu.Unlock()
	if current != nil {
		current.fail(errClosed)
	}
	c.all.Wait()
	return nil
}
