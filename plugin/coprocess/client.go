// Package coprocess speaks coprocess.Dispatcher, the wire protocol of Tyk's gRPC
// plugins, to one plugin server.
//
// A [Client] is the connection, a binding is one hook of one API. A binding
// makes the Object about an exchange (object.go, reply.go, session.go), sends it,
// checks every part of the answer that counts, and only then changes the exchange
// (apply.go, override.go, location.go, query.go, response.go, authenticated.go).
// The plugin is not trusted: an answer with a fault anywhere changes nothing.
//
// What the original's messages have no place for travels in fields from 1000 up: all
// values of what has several (several.go), what is known beside the request
// (facts.go), limits of a session (limits.go) and metadata that is no text
// (metadata.go). What a hook is sent and may change is for scope.go and may.go; a
// body that passes through a plugin in pieces, for streamed.go.
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
	"strings"

	"github.com/twmb/murmur3"
	"google.golang.org/grpc/mem"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// A Conn carries calls to a plugin server, and tells how the server stands.
type Conn interface {
	rpc.Conn
	// Snapshot tells of the server and its endpoints.
	Snapshot() grapnel.PluginState
}

// A Client is the connection to one plugin server. It implements
// [grapnel.Plugin] and serves many exchanges at once.
type Client struct {
	conn     Conn
	tyk      bool   // answers are applied with the losses of the original
	verbatim bool   // header names keep the case that the plugin gave them
	hash     string // what keeps to one endpoint: session, or the name of a header
	buffers  buffers
	sessions sessions
}

// New makes the client of a plugin server from the connection to it, which is the
// client's to close.
func New(s grapnel.PluginServer, conn Conn) *Client {
	return &Client{
		conn:     conn,
		tyk:      s.Compat == grapnel.CompatTyk,
		verbatim: s.VerbatimHeaders,
		hash:     s.Balance.Hash,
		sessions: sessions{seed: maphash.MakeSeed()},
	}
}

// State says how the server stands.
func (c *Client) State() grapnel.PluginState { return c.conn.Snapshot() }

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
func (c *Client) invoke(ctx context.Context, call *rpc.Call, m *message) (*received, error) {
	call.Message, call.Metadata = m.slices(), grapnel.Metadata(ctx)
	buffer, err := c.conn.Invoke(ctx, call)
	call.Message.Free()
	switch {
	case err == nil:
		return &received{buffer: buffer}, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("no answer: %w", ctx.Err())
	}
	return nil, err
}

// key is what the exchange's calls go by that keep to one endpoint. The session is
// known by what stands for it before there is one, or by the caller's address.
func (c *Client) key(x *grapnel.Exchange) uint64 {
	if c.hash == "" {
		return 0
	}
	who := ""
	if !strings.EqualFold(c.hash, "session") {
		who = x.Request.Header.Get(c.hash)
	} else if who = x.API.Credential.Find(x.Request); who == "" && x.Client.IsValid() {
		who = x.Client.String()
	}
	if who == "" {
		return 0
	}
	return murmur3.StringSum64(who)
}

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
