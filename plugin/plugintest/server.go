package plugintest

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // the codec "proto"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// maxMessage bounds what the server receives; it is out of the way of the
// limits that are under test.
const maxMessage = 256 << 20

// A Server is a scripted plugin server in this process.
type Server struct {
	*Script
	// Target is where it listens, as a plugin target: host:port or
	// unix:///path.
	Target string

	grpc *grpc.Server
	done chan struct{}
}

// Serve starts a server on a free port and stops it when the test ends.
func Serve(t testing.TB) *Server {
	t.Helper()
	return ServeAt(t, "127.0.0.1:0")
}

// ServeAt is like [Serve] with an address of its own: host:port or
// unix:///path.
func ServeAt(t testing.TB, addr string) *Server {
	t.Helper()
	s, err := Listen(addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Listen starts a server on host:port or unix:///path, with what else gRPC should
// know. The verb die calls the given function; nil is to stop the server.
func Listen(addr string, die func(), more ...grpc.ServerOption) (*Server, error) {
	network, name := "tcp", addr
	if path, ok := strings.CutPrefix(addr, "unix://"); ok {
		network, name = "unix", path
	}
	l, err := net.Listen(network, name)
	if err != nil {
		return nil, fmt.Errorf("scripted plugin server: %w", err)
	}
	s := &Server{Target: l.Addr().String(), done: make(chan struct{})}
	if network == "unix" {
		s.Target = addr
	}
	if die == nil {
		die = func() { go s.Stop() }
	}
	s.Script = NewScript(die)
	s.Script.name = s.Target
	s.grpc = grpc.NewServer(append(more,
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.UnaryInterceptor(sendGarbage),
		grpc.ForceServerCodecV2(rawCodec{encoding.GetCodecV2("proto")}),
	)...)
	coprocess.RegisterDispatcherServer(s.grpc, s.Script)
	go func() {
		defer close(s.done)
		s.grpc.Serve(l) // ends when the server is stopped
	}()
	return s, nil
}

// Drain ends the server as an orderly restart does: it takes no new calls, and
// those under way get their answers.
func (s *Server) Drain() {
	s.grpc.GracefulStop()
	<-s.done
}

// Stop ends the server as a crash would: calls under way are cut off. Stopping
// again does nothing.
func (s *Server) Stop() {
	s.grpc.Stop()
	<-s.done
}
