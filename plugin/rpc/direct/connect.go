package direct

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
	"github.com/grapnel-gateway/grapnel/socket"
)

// errClosed is why calls fail after Close.
var errClosed = errors.New("the connection was closed")

// connected waits for the connection, and begins to make one if nobody has. When
// the last attempt has failed it does not wait: others go on trying.
func (c *Client) connected(ctx context.Context) (*conn, error) {
	for {
		c.mu.Lock()
		current, failure := c.current.Load(), c.failure
		if c.life.Err() != nil {
			current, failure = nil, errClosed
		}
		if current == nil && failure == nil && c.attempt == nil {
			c.attempt = make(chan struct{})
			c.all.Go(c.connect)
		}
		attempt := c.attempt
		c.mu.Unlock()
		switch {
		case current != nil:
			return current, nil
		case failure != nil:
			return nil, c.unavailable(failure)
		}
		select {
		case <-attempt:
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		}
	}
}

// connect makes a connection, and tries until it has one or the client is closed.
// Then it reads.
func (c *Client) connect() {
	pause := float64(rpc.MinBackoff)
	for {
		r, err := c.dial()
		if c.settle(r, err) {
			if r != nil {
				r.run()
			}
			return
		}
		jitter := 1 + rpc.BackoffJitter*(2*rand.Float64()-1)
		select {
		case <-c.life.Done():
			return
		case <-time.After(time.Duration(jitter * pause)):
		}
		pause = min(pause*rpc.BackoffFactor, float64(rpc.MaxBackoff))
	}
}

// settle notes what came of an attempt, and reports whether it was the last.
func (c *Client) settle(r *reader, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.attempt != nil {
		defer close(c.attempt)
		c.attempt = nil
	}
	if c.life.Err() != nil {
		if r != nil {
			r.fail(errClosed)
		}
		return true
	}
	if c.failure = err; err == nil {
		c.current.Store(r.conn)
	}
	return err == nil
}

// lost makes calls look for another connection.
func (c *Client) lost(gone *conn) { c.current.CompareAndSwap(gone, nil) }

// dial makes a connection whose server has said what it takes.
func (c *Client) dial() (*reader, error) {
	ctx, cancel := context.WithTimeout(c.life, rpc.ConnectTimeout)
	defer cancel()
	bare, err := c.dialer(ctx, c.network, c.address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { bare.Close() })
	defer stop()
	r, err := c.greet(ctx, bare)
	if err != nil {
		bare.Close()
		return nil, err
	}
	if !stop() {
		return nil, ctx.Err()
	}
	r.watch()
	return r, nil
}

// greet begins with what each side has to say before there are calls.
func (c *Client) greet(ctx context.Context, bare net.Conn) (*reader, error) {
	if c.tls == nil {
		r := newConn(c, socket.New(bare)).in
		if err := r.greet(rpc.ConnectTimeout); err != nil {
			return nil, fmt.Errorf("%w (is it a gRPC server, and one without TLS?)", err)
		}
		return r, nil
	}
	secured := tls.Client(bare, c.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	if p := secured.ConnectionState().NegotiatedProtocol; p != "h2" {
		return nil, fmt.Errorf("the server does not speak HTTP/2 (ALPN %q)", p)
	}
	r := newConn(c, socket.New(secured)).in
	return r, r.greet(rpc.ConnectTimeout)
}
