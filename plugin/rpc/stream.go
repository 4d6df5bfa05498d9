package rpc

import (
	"context"

	"google.golang.org/grpc/mem"
)

// A Streamer is a [Conn] that carries calls with messages both ways too.
type Streamer interface {
	// Stream begins a call; its Message is not sent. The call lasts as long as
	// the context, which the caller has to end, whatever comes of the call. A
	// server that cannot be reached fails it at once.
	Stream(context.Context, *Call) (Stream, error)
}

// A Stream is a call with messages both ways. One goroutine may send while another
// one receives.
type Stream interface {
	// Send sends a message, which the caller frees afterwards. It waits while
	// the server does not read. When the server has ended the call it fails, and
	// Receive tells why.
	Send(mem.BufferSlice) error
	// CloseSend says that nothing more will be sent.
	CloseSend() error
	// Receive returns the next message, which the caller frees, or [io.EOF]
	// when the server has ended the call as it should.
	Receive() (mem.Buffer, error)
}
