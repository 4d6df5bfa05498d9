// Package rpc is how calls reach plugin servers: unary gRPC over HTTP/2, whatever
// carries it. A [Conn] goes to one address, or to a fleet of them. The packages
// below it are what carries calls: standard on the stock gRPC library, direct on
// frames of the gateway's own.
package rpc

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
)

// A Call is one unary call. Nobody changes it while it is under way but the Conn
// that carries it.
type Call struct {
	// Method is its path, as in /coprocess.Dispatcher/Dispatch.
	Method string
	// Metadata are pairs of names, in lower case, and values.
	Metadata []string
	// Message is what is sent, encoded. Who carries the call takes references
	// of its own to what it needs for longer than Invoke lasts; the caller
	// frees the message after Invoke.
	Message mem.BufferSlice
	// Key is what a fleet goes by that keeps a caller to one endpoint; 0 is
	// nobody.
	Key uint64
	// Retries is how often the call may be sent again after a failure, where
	// nothing of it was executed or it is idempotent.
	Retries int
	// Idempotent says that it does no harm to execute the call twice.
	Idempotent bool
	// Fair is how long a server must have had the call before it is the server's
	// fault that the time was up. Calls that come late have less of it.
	Fair time.Duration

	// Endpoint is the address that the call went to last; who carries it says
	// so.
	Endpoint string
	// Sent counts how often it was sent.
	Sent int
}

// A Conn carries unary calls. Many goroutines use it at once.
type Conn interface {
	// Invoke sends the call and returns the server's answer, undecoded; the
	// caller frees it. The context bounds the call, and its deadline travels in
	// grpc-timeout; there is no other. A server that cannot be reached fails
	// the call at once. A failure is a status error of gRPC
	// ([google.golang.org/grpc/status]), wrapped by [NotSent] when the server
	// cannot have executed any of the call, and by [Said] when it is the server's
	// own word.
	Invoke(context.Context, *Call) (mem.Buffer, error)
	// State says how the connection stands.
	State() State
	// Close ends the connection. Calls under way fail.
	Close() error
}

// A State says how a connection stands.
type State int

// The states of a connection, the better ones later.
const (
	Failing    State = iota // the last attempt to connect failed
	Idle                    // nobody has asked for it
	Connecting              // on the way
	Ready                   // calls go out at once
)

// String returns the state's name in reports.
func (s State) String() string {
	return [...]string{"failing", "idle", "connecting", "ready"}[s]
}

// A NotSent is the failure of a call of which the server has executed nothing:
// there was no connection, or the server said so (GOAWAY, REFUSED_STREAM).
type NotSent struct{ Err error }

// Error tells the cause.
func (e *NotSent) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *NotSent) Unwrap() error { return e.Err }

// Unsent reports whether nothing of the failed call was executed.
func Unsent(err error) bool {
	_, ok := errors.AsType[*NotSent](err)
	return ok
}

// A Said is the failure of a call that the server ended itself, with trailers: it
// lives, whatever it says. All other failures are of the way there and back, or of
// a server that does not speak gRPC.
type Said struct{ Err error }

// Error tells the cause.
func (e *Said) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Said) Unwrap() error { return e.Err }

// GRPCStatus is what the server said.
func (e *Said) GRPCStatus() *status.Status { return status.Convert(e.Err) }
