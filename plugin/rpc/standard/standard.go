// Package standard carries calls with the stock gRPC library, grpc-go.
package standard

import (
	"context"
	"fmt"
	"net"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

type conn struct {
	grpc   *grpc.ClientConn
	target string
}

// New makes a connection to the target, which may also be one that the library
// resolves, as in dns:///name:port. It does not connect: the first call does, so
// a server that is down is no error here.
func New(o rpc.Options) (rpc.Conn, error) {
	target, err := dialTarget(o.Target)
	if err != nil {
		return nil, err
	}
	c, err := grpc.NewClient(target, options(o)...)
	if err != nil {
		return nil, fmt.Errorf("target %q: %w", o.Target, err)
	}
	return &conn{grpc: c, target: o.Target}, nil
}

// dialTarget makes the target that grpc dials of the configured one [A-63, L-13].
// A bare host and port is resolved anew by every attempt to connect, so that a
// name which appears late or moves is found at once [L-14].
func dialTarget(configured string) (string, error) {
	if rest, ok := strings.CutPrefix(configured, "dns:"); ok && strings.Trim(rest, "/") != "" {
		return configured, nil
	}
	network, address, err := rpc.Address(configured)
	switch {
	case err != nil:
		return "", err
	case network == "tcp":
		return "passthrough:///" + address, nil
	}
	return configured, nil
}

// Invoke implements [rpc.Conn].
func (c *conn) Invoke(ctx context.Context, call *rpc.Call) (mem.Buffer, error) {
	if pairs := call.Metadata; len(pairs) > 0 {
		ctx = metadata.AppendToOutgoingContext(ctx, pairs...)
	}
	var p peer.Peer // is known once the call has a stream
	got := answer{}
	ctx, end := ending(ctx)
	err := c.grpc.Invoke(ctx, call.Method, call.Message, &got, grpc.Peer(&p))
	if call.Endpoint = c.target; p.Addr != nil {
		call.Sent++
		if p.Addr.Network() == "tcp" {
			call.Endpoint = p.Addr.String()
		}
	}
	switch {
	case err == nil:
		return got.buffer, nil
	case got.buffer != nil: // and yet the call failed
		got.buffer.Free()
	case p.Addr == nil && status.Code(err) != codes.ResourceExhausted, refused(err):
		return nil, &rpc.NotSent{Err: err}
	}
	return nil, end.of(err)
}

// refused reports whether the server has said that it did nothing about the
// call. The library only tells by these words.
func refused(err error) bool {
	s := status.Convert(err)
	return s.Code() == codes.Unavailable &&
		(s.Message() == "the connection is draining" || strings.HasPrefix(s.Message(), "stream terminated by RST_STREAM with error code: REFUSED_STREAM"))
}

// State implements [rpc.Conn].
func (c *conn) State() rpc.State {
	switch c.grpc.GetState() {
	case connectivity.Ready:
		return rpc.Ready
	case connectivity.Idle:
		return rpc.Idle
	case connectivity.Connecting:
		return rpc.Connecting
	}
	return rpc.Failing
}

// Close implements [rpc.Conn].
func (c *conn) Close() error { return c.grpc.Close() }

// socketBuffer is how much is read or written at once.
const socketBuffer = 128 << 10

func options(o rpc.Options) []grpc.DialOption {
	secured := insecure.NewCredentials() // [W-3]
	if o.TLS != nil {
		secured = credentials.NewTLS(o.TLS)
	}
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(secured),
		grpc.WithDefaultCallOptions(grpc.StaticMethod(), grpc.ForceCodecV2(codec{})),
		// Windows that are large from the start need no probing, which is a
		// ping with every call; and a body takes few system calls.
		grpc.WithStaticStreamWindowSize(rpc.StreamWindow), grpc.WithStaticConnWindowSize(rpc.ConnWindow),
		grpc.WithReadBufferSize(socketBuffer), grpc.WithWriteBufferSize(socketBuffer),
		grpc.WithStatsHandler(endings{}),
		// Neither the environment nor the DNS decides how plugins are called.
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: rpc.MinBackoff, Multiplier: rpc.BackoffFactor, Jitter: rpc.BackoffJitter, MaxDelay: rpc.MaxBackoff,
			},
			MinConnectTimeout: rpc.ConnectTimeout,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: rpc.KeepaliveTime, Timeout: rpc.KeepaliveTimeout}),
	}
	if o.Authority != "" {
		opts = append(opts, grpc.WithAuthority(o.Authority))
	}
	if o.MaxReceive > 0 {
		opts = append(opts, grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(o.MaxReceive)))
	}
	if o.MaxSend > 0 {
		opts = append(opts, grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(o.MaxSend)))
	}
	if o.Dial != nil {
		opts = append(opts, grpc.WithContextDialer(func(ctx context.Context, target string) (net.Conn, error) {
			network, address, err := rpc.Address(target)
			if err != nil {
				return nil, err
			}
			return o.Dial(ctx, network, address)
		}))
	}
	return opts
}

// answer is what a call brings, undecoded.
type answer struct{ buffer mem.Buffer }

// A codec hands grpc what is encoded already, and takes what nobody has decoded
// yet. It implements [encoding.CodecV2].
type codec struct{}

// Marshal takes a [mem.BufferSlice], and adds the references that the library
// gives up when it has sent it.
func (codec) Marshal(v any) (mem.BufferSlice, error) {
	message := v.(mem.BufferSlice)
	message.Ref()
	return message, nil
}

// Unmarshal fills an *answer.
func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	v.(*answer).buffer = data.MaterializeToBuffer(mem.DefaultBufferPool())
	return nil
}

// Name is empty, so that calls say application/grpc, as with the codec that grpc
// has for protobuf.
func (codec) Name() string { return "" }
