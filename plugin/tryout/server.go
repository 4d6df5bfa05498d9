// Package tryout tries plugin servers without a gateway. It asks a server what
// a gateway would ask and says what a gateway would do with the answer, and it
// grades a server against the contract.
package tryout

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// maxMessage bounds the answers, in bytes. It is larger than what a gateway
// accepts unless configured, so that a large answer can be looked at.
const maxMessage = 64 << 20

// A Server is a running plugin server, as seen from outside.
type Server struct {
	address string
	conn    *grpc.ClientConn
}

// Dial returns the server at host:port, tcp://host:port, unix:///path or
// dns:///name:port. It does not connect yet.
func Dial(address string) (*Server, error) {
	target, err := dialTarget(address)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithNoProxy(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		// A fixed window: an answer larger than it waits for its reader, by
		// which a call can be kept under way.
		grpc.WithInitialWindowSize(64<<10),
	)
	if err != nil {
		return nil, fmt.Errorf("plugin server %s: %w", address, err)
	}
	return &Server{address, conn}, nil
}

// Close ends the connection.
func (s *Server) Close() error { return s.conn.Close() }

func dialTarget(address string) (string, error) {
	for _, scheme := range []string{"unix:", "unix-abstract:", "dns:", "passthrough:"} {
		if rest, ok := strings.CutPrefix(address, scheme); ok && strings.Trim(rest, "/") != "" {
			return address, nil
		}
	}
	address = strings.TrimPrefix(address, "tcp://")
	if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" || strings.Contains(address, "/") {
		return "", fmt.Errorf("%q is not the address of a plugin server; write it as host:port, tcp://host:port or unix:///path", address)
	}
	return "passthrough:///" + address, nil
}

// An Answer is what came back, beside what was sent.
type Answer struct {
	Sent, Got *wire.Object
	Took      time.Duration
}

// Call asks the server once. The context bounds the call, as a hook's timeout
// does in a gateway. The error says in words what went wrong, and wraps the
// gRPC status.
func (s *Server) Call(ctx context.Context, o *wire.Object) (*Answer, error) {
	begin := time.Now()
	var reached peer.Peer
	got, err := wire.NewDispatcherClient(s.conn).Dispatch(ctx, o, grpc.Peer(&reached))
	took := time.Since(begin)
	if err != nil {
		return nil, s.explain(err, reached, took)
	}
	return &Answer{Sent: o, Got: got, Took: took}, nil
}

// explain says in words why a call failed, which had reached nobody if that has no
// address.
func (s *Server) explain(err error, reached peer.Peer, took time.Duration) error {
	text := status.Convert(err).Message()
	switch status.Code(err) {
	case codes.Unavailable:
		if reached.Addr != nil {
			text = fmt.Sprintf("%s ended the connection during the call", s.address)
		} else {
			text = fmt.Sprintf("no plugin server answers at %s: %s", s.address, reason(text))
		}
	case codes.Unimplemented:
		text = fmt.Sprintf("the server at %s does not implement %s: %s", s.address, wire.Dispatcher_ServiceDesc.ServiceName, text)
	case codes.DeadlineExceeded:
		text = fmt.Sprintf("no answer within %v", took.Round(time.Millisecond))
	default:
		text = fmt.Sprintf("the plugin failed with the gRPC error %s: %s", status.Code(err), text)
	}
	return &callError{text, err}
}

// reason is the part of grpc's text about a connection that its user can read.
func reason(text string) string {
	if _, cause, ok := strings.Cut(text, "Error while dialing: "); ok {
		return strings.TrimSuffix(cause, `"`)
	}
	return text
}

// A callError is a failed call in words.
type callError struct {
	text string
	err  error
}

func (e *callError) Error() string { return e.text }
func (e *callError) Unwrap() error { return e.err }
