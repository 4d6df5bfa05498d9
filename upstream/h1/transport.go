// Package h1 is a client for HTTP/1.1 that keeps an exchange on one goroutine:
// the caller of RoundTrip writes the request and reads the reply itself, where
// net/http's transport has two goroutines for every connection and hands each
// exchange over to them and back. A second goroutine is there only while a
// body that may keep its reader waiting is sent, since the reply may come
// before all of it has gone.
//
// It speaks HTTP/1.1 alone, with or without TLS, knows no proxies, follows no
// redirects, adds no headers of its own and leaves bodies as they are. Of what
// [net/http/httptrace] offers it calls Got1xxResponse.
package h1

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/grapnel-gateway/grapnel/socket"
)

// A Transport is an [http.RoundTripper] with a pool of idle connections for
// each host. Its fields must not change once it is in use; it is for use by
// several goroutines.
type Transport struct {
	// TLS is how connections for https are secured; nil is Go's defaults.
	// The server's name and the protocols are filled in.
	TLS *tls.Config
	// DialTimeout and HandshakeTimeout bound the making of a connection; 0
	// is no limit but the request's context.
	DialTimeout, HandshakeTimeout time.Duration
	// ContinueTimeout is how long a request that expects 100 Continue waits
	// for it before its body is sent anyway; 0 sends it at once.
	ContinueTimeout time.Duration
	// IdleTimeout is how long a connection may be idle; 0 is for ever.
	IdleTimeout time.Duration
	// MaxIdlePerHost is how many connections to a host may be idle.
	MaxIdlePerHost int
	// MaxHeaderBytes bounds the header of a reply, and all interim replies
	// that nobody wants together; 0 is 1 MiB.
	MaxHeaderBytes int

	idle    pool
	buffers sync.Pool // of *[pieceSize]byte, for bodies on their way out
	heads   sync.Pool // of *[]byte, large ones
}

// A place is where connections lead to.
type place struct {
	secure bool
	host   string // as in the URL
}

// RoundTrip sends a request and returns the reply once its header is there. A
// request that met a connection that the server had just given up is sent once
// more, on a new one, if that cannot do harm [RFC 9110, 9.2.2]. When the
// request's context ends, so does the exchange; while the upstream is silent
// that may take 25 milliseconds. The error is then the context's cause.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	q, err := newOutgoing(req)
	if err != nil {
		q.closeBody()
		return nil, err
	}
	ctx := req.Context()
	to := place{secure: req.URL.Scheme == "https", host: req.URL.Host}
	for again := false; ; again = true {
		c, err := t.connect(ctx, to, again)
		if err != nil {
			q.closeBody()
			return nil, err
		}
		resp, err := c.roundTrip(&q)
		if err == nil {
			return resp, nil
		}
		if ended := context.Cause(ctx); ended != nil {
			return nil, ended
		}
		stale, ok := errors.AsType[staleError](err)
		if !ok {
			return nil, err
		}
		if again || !q.rewind() {
			return nil, stale.error
		}
	}
}

// connect takes an idle connection that is still alive, or makes a new one.
func (t *Transport) connect(ctx context.Context, to place, fresh bool) (*conn, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for !fresh {
		c := t.idle.take(to)
		if c == nil {
			break
		}
		if c.alive() {
			return c, nil
		}
		c.net.Close()
	}
	c, err := t.dial(ctx, to)
	if err != nil && hasEnded(ctx) {
		err = context.Cause(ctx)
	}
	return c, err
}

// hasEnded reports whether the context has ended, which it does a little after its
// deadline: the socket that has the same one may be the first to say so.
func hasEnded(ctx context.Context) bool {
	if end, ok := ctx.Deadline(); ok && !end.After(time.Now()) {
		<-ctx.Done()
	}
	return ctx.Err() != nil
}

func (t *Transport) dial(ctx context.Context, to place) (*conn, error) {
	address, err := dialAddress(to)
	if err != nil {
		return nil, err
	}
	tcp, err := (&net.Dialer{Timeout: t.DialTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	bare := socket.New(tcp)
	c := &conn{t: t, to: to, net: bare, bare: bare}
	if to.secure {
		if err := c.secure(ctx, address); err != nil {
			tcp.Close()
			return nil, err
		}
	}
	c.br = bufio.NewReader(c)
	c.arm()
	return c, nil
}

// secure makes the connection one with TLS.
func (c *conn) secure(ctx context.Context, address string) error {
	config := &tls.Config{}
	if c.t.TLS != nil {
		config = c.t.TLS.Clone()
	}
	config.NextProtos = []string{"http/1.1"}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(address)
	}
	if limit := c.t.HandshakeTimeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	secured := tls.Client(c.net, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return err
	}
	state := secured.ConnectionState()
	c.net, c.tls = secured, &state
	return nil
}

// CloseIdleConnections closes the connections that are not in use. Those in use
// are closed after the exchange, unless another begins before.
func (t *Transport) CloseIdleConnections() { t.idle.close() }

// staleError is a failure before the first byte of a reply on a connection that
// had served before: the server may have given it up before it saw the request.
// The request may be sent again.
type staleError struct{ error }

var errClosed = errors.New("the upstream closed the connection without a reply")

// early makes an end of the connection where there should be more an error that
// cannot be taken for a regular end.
func early(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// dialAddress is the host and port to dial.
func dialAddress(to place) (string, error) {
	host, err := ascii(to.host)
	if err != nil {
		return "", err
	}
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		if colon < len(host)-1 {
			return host, nil
		}
		host = host[:colon] // a colon without a port
	}
	if to.secure {
		return host + ":443", nil
	}
	return host + ":80", nil
}
