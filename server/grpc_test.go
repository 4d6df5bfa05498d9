package server_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
)

// grpcThroughGateway starts a gRPC server that knows health and reflection, and
// a client that reaches it through a gateway.
func grpcThroughGateway(t *testing.T) *grpc.ClientConn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	reflection.Register(s)
	go s.Serve(l)
	t.Cleanup(s.Stop)
	g := proxy(t, "h2c://"+l.Addr().String())
	conn, err := grpc.NewClient(strings.TrimPrefix(g.url, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestGRPCUnary(t *testing.T) {
	h := grpc_health_v1.NewHealthClient(grpcThroughGateway(t))
	resp, err := h.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil || resp.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("got %v, %v", resp, err)
	}
	_, err = h.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "nobody"})
	if status.Code(err) != codes.NotFound { // it comes as trailers alone
		t.Errorf("got %v", err)
	}
}

func TestGRPCStreams(t *testing.T) {
	conn := grpcThroughGateway(t)
	t.Run("both ways", func(t *testing.T) {
		stream, err := grpc_reflection_v1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			ask := &grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{}}
			if err := stream.Send(ask); err != nil {
				t.Fatal(err)
			}
			resp, err := stream.Recv()
			if err != nil || len(resp.GetListServicesResponse().GetService()) == 0 {
				t.Fatalf("got %v, %v", resp, err)
			}
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
			t.Errorf("the end: %v", err)
		}
	})
	t.Run("from the server", func(t *testing.T) {
		stream, err := grpc_health_v1.NewHealthClient(conn).Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := stream.Recv(); err != nil || resp.Status != grpc_health_v1.HealthCheckResponse_SERVING {
			t.Errorf("got %v, %v", resp, err)
		}
	})
}
