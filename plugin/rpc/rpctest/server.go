package rpctest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// The methods of the server.
const (
	MethodEcho     = "/rpctest.Server/Echo"     // answers what it gets
	MethodMetadata = "/rpctest.Server/Metadata" // answers the metadata it gets, a line each
	MethodTimeout  = "/rpctest.Server/Timeout"  // answers how long it has, or none
	MethodFail     = "/rpctest.Server/Fail"     // fails as PermissionDenied, with what it gets as the message
	MethodHang     = "/rpctest.Server/Hang"     // answers when the caller has gone
)

// A Server is a server of the stock library whose messages are bytes.
type Server struct {
	// Target is where it listens.
	Target string

	grpc   *grpc.Server
	served chan struct{}

	mu      sync.Mutex
	hanging int // calls
	left    int // of them, whose callers have gone
}

// Serve starts a server on a network of package net, and stops it when the test
// ends. Without a configuration of TLS it serves in clear.
func Serve(t testing.TB, network, address string, secure *tls.Config) *Server {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(l, secure)
	if network == "unix" {
		s.Target = "unix://" + address
	}
	t.Cleanup(s.Stop)
	return s
}

// NewServer starts a server on a listener.
func NewServer(l net.Listener, secure *tls.Config) *Server {
	options := []grpc.ServerOption{
		grpc.ForceServerCodecV2(bytesCodec{}), grpc.MaxRecvMsgSize(256 << 20),
	}
	if secure != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(secure)))
	}
	s := &Server{Target: l.Addr().String(), served: make(chan struct{})}
	s.grpc = grpc.NewServer(append(options, grpc.UnknownServiceHandler(s.handle))...)
	go func() {
		defer close(s.served)
		s.grpc.Serve(l) // ends when the server is stopped
	}()
	return s
}

// Stop ends the server as a crash would. Stopping again does nothing.
func (s *Server) Stop() {
	s.grpc.Stop()
	<-s.served
}

// Hanging is how many calls have begun to hang.
func (s *Server) Hanging() int { return s.count(&s.hanging) }

// Left is from how many hanging calls the caller has gone.
func (s *Server) Left() int { return s.count(&s.left) }

func (s *Server) count(n *int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *n
}

func (s *Server) add(n *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n++
}

func (s *Server) handle(_ any, stream grpc.ServerStream) error {
	var in []byte
	if err := stream.RecvMsg(&in); err != nil {
		return err
	}
	if err := stream.RecvMsg(new([]byte)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("more than one message: %w", err)
	}
	method, _ := grpc.MethodFromServerStream(stream)
	out, err := s.answer(stream.Context(), method, in)
	if err != nil {
		return err
	}
	return stream.SendMsg(out)
}

func (s *Server) answer(ctx context.Context, method string, in []byte) ([]byte, error) {
	switch method {
	case MethodEcho:
		return in, nil
	case MethodMetadata:
		var lines []string
		md, _ := metadata.FromIncomingContext(ctx)
		for name, values := range md {
			lines = append(lines, name+"="+strings.Join(values, ","))
		}
		slices.Sort(lines)
		return []byte(strings.Join(lines, "\n")), nil
	case MethodTimeout:
		end, ok := ctx.Deadline()
		if !ok {
			return []byte("none"), nil
		}
		return []byte(time.Until(end).String()), nil
	case MethodFail:
		return nil, status.Error(codes.PermissionDenied, string(in))
	case MethodHang:
		s.add(&s.hanging)
		<-ctx.Done()
		s.add(&s.left)
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	return nil, status.Error(codes.Unimplemented, method)
}

// bytesCodec leaves messages as they are.
type bytesCodec struct{}

// Marshal takes a []byte.
func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

// Unmarshal fills a *[]byte.
func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// Name is that of no codec in particular.
func (bytesCodec) Name() string { return "" }
