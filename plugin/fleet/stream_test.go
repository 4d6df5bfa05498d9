package fleet_test

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/fleet"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/direct"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/standard"
)

// repeats answers each message of a stream by itself, unless the call has no token.
func repeats(s *grpc.Server) {
	s.RegisterService(&grpc.ServiceDesc{ServiceName: "test.Streams", HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{{
		StreamName: "Repeat", ClientStreams: true, ServerStreams: true,
		Handler: func(_ any, s grpc.ServerStream) error {
			if header(s.Context(), "token") == "" {
				return status.Error(codes.Unauthenticated, "no token")
			}
			for {
				m := &wrapperspb.StringValue{}
				if err := s.RecvMsg(m); err == io.EOF {
					return nil
				} else if err != nil {
					return err
				}
				if err := s.SendMsg(m); err != nil {
					return err
				}
			}
		},
	}}}, nil)
}

// streaming opens a fleet whose connections carry streams beside their calls.
func streaming(t *testing.T, s grapnel.PluginServer) *fleet.Fleet {
	return openWith(t, s, func(o rpc.Options) (rpc.Conn, error) {
		c, err := direct.New(o)
		if err != nil {
			return nil, err
		}
		return standard.WithStreams(c, o), nil
	}, slog.New(slog.DiscardHandler))
}

// A stream goes on to an endpoint that can be reached, carries messages both ways,
// and counts as a call under way until its context ends.
func TestStream(t *testing.T) {
	gone := serve(t, "gone", "127.0.0.1:0", repeats)
	gone.server.Stop()
	up := serve(t, "up", "127.0.0.1:0", repeats)
	s := settings(gone.address, up.address)
	s.Balance.Method, s.Limits.InFlight = "first", 1
	f := streaming(t, s)
	ctx, cancel := context.WithCancel(within(patience))
	defer cancel()
	call := &rpc.Call{Method: "/test.Streams/Repeat", Metadata: []string{"token", "x"}}
	stream, err := f.Stream(ctx, call)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"one", "two"} {
		m, err := proto.Marshal(wrapperspb.String(word))
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(mem.BufferSlice{mem.SliceBuffer(m)}); err != nil {
			t.Fatal(err)
		}
		got, err := stream.Receive()
		if err != nil || string(got.ReadOnlyData()) != string(m) {
			t.Fatalf("got %v, %v", got, err)
		}
		got.Free()
	}
	if e := endpoint(t, f, up.address); call.Endpoint != up.address || e.InFlight != 1 || e.Calls != 1 {
		t.Errorf("%s was asked: %+v", call.Endpoint, e)
	}
	if _, err := f.Stream(within(patience), call); !rpc.Unsent(err) {
		t.Errorf("over the limit: %v", err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Receive(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	cancel()
	eventually(t, "the stream is over", func() bool { return endpoint(t, f, up.address).InFlight == 0 })
	ctx, cancel = context.WithCancel(within(patience))
	defer cancel()
	stream, err = f.Stream(ctx, &rpc.Call{Method: call.Method})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Receive(); status.Code(err) != codes.Unauthenticated {
		t.Errorf("without a token: %v", err)
	}
}

// Connections that carry calls only say so.
func TestStreamOverCallsOnly(t *testing.T) {
	up := serve(t, "up", "127.0.0.1:0", repeats)
	if _, err := open(t, settings(up.address)).Stream(within(patience), &rpc.Call{Method: "/test.Streams/Repeat"}); !rpc.Unsent(err) {
		t.Errorf("got %v", err)
	}
}
