// Package coprocess speaks coprocess.Dispatcher, the wire protocol of Tyk's gRPC
// plugins, to one plugin server.
//
// A [Client] is the connection, a binding is one hook of one API. A binding
// makes the Object about an exchange (object.go, reply.go, session.go), sends it,
// checks every part of the answer that counts, and only then changes the exchange
// (apply.go, override.go, location.go, query.go, response.go, authenticated.go).
// The plugin is not trusted: an answer with a fault anywhere changes nothing.
//
// Objects are never built in memory. A message is written straight from the
// exchange into its wire form (message.go), where what is constant and what is
// large is not copied; an answer is walked over where it lies (scan.go,
// answer.go), and only what differs from what was sent becomes a value. It is
// good or bad as it is for every receiver of protobuf, in all its parts
// (check.go). The tests measure both by the code that protoc generates. Messages
// of the wire never leave the package.
package coprocess

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/mem"

	"github.com/grapnel-gateway/grapnel"
)

// A Client is the connection to one plugin server. It implements
// [grapnel.Plugin] and serves many exchanges at once.
type Client struct {
	conn     *grpc.ClientConn
	tyk      bool // answers are applied with the losses of the original
	verbatim bool // header names keep the case that the plugin gave them
	buffers  buffers
	sessions sessions
}

// New makes the client of a plugin server. It does not connect: the first call
// does, so a server that is down is no error here. A target of no known
// form is.
func New(s grapnel.PluginServer) (*Client, error) {
	target, err := dialTarget(s.Target, s.Balance.Method == "round_robin")
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(target, options(s)...)
	if err != nil {
		return nil, fmt.Errorf("target %q: %w", s.Target, err)
	}
	return &Client{
		conn:     conn,
		tyk:      s.Compat == grapnel.CompatTyk,
		verbatim: s.VerbatimHeaders,
		sessions: sessions{seed: maphash.MakeSeed()},
	}, nil
}

// State says how the connection stands.
func (c *Client) State() grapnel.PluginState { return grapnel.PluginState{State: c.state()} }

func (c *Client) state() string {
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

// The methods of coprocess.Dispatcher.
const (
	dispatchMethod      = "/coprocess.Dispatcher/Dispatch"
	dispatchEventMethod = "/coprocess.Dispatcher/DispatchEvent"
)

// invoke asks the server and returns its answer, undecoded. The context bounds
// the call and its deadline travels in grpc-timeout; there is no other [L-7]. A
// server that cannot be reached fails the call at once. A message is used
// up by it.
func (c *Client) invoke(ctx context.Context, method string, m *message) (*received, error) {
	data := &received{}
	err := c.conn.Invoke(ctx, method, m, data)
	switch {
	case err == nil:
		return data, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("no answer: %w", ctx.Err())
	}
	return nil, err
}

// A codec hands grpc what is encoded already, and takes what nobody has decoded
// yet. It implements [encoding.CodecV2].
type codec struct{}

// Marshal takes a *message.
func (codec) Marshal(v any) (mem.BufferSlice, error) { return v.(*message).slices(), nil }

// Unmarshal fills a *received.
func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	v.(*received).buffer = data.MaterializeToBuffer(mem.DefaultBufferPool())
	return nil
}

// Name is empty, so that calls say application/grpc, as with the codec that grpc
// has for protobuf.
func (codec) Name() string { return "" }

// received is an answer as it came, in memory that will be used for another one.
type received struct {
	buffer mem.Buffer
	kept   bool // some of it goes on to be used
}

func (r *received) bytes() []byte { return r.buffer.ReadOnlyData() }

// keep makes a part of the answer last: it is copied, or when it is a good deal
// of the memory, that is left to it.
func (r *received) keep(part []byte) []byte {
	if 4*len(part) < cap(r.bytes()) {
		return bytes.Clone(part)
	}
	r.kept = true
	return part
}

// release gives the memory back, once.
func (r *received) release() {
	if !r.kept {
		r.buffer.Free()
	}
}
