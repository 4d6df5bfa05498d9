package sdk

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// patience bounds every wait; nothing that works comes near it.
const patience = 20 * time.Second

// serve starts a server with the options and returns a connection to it, and
// what its Serve returns.
func serve(t *testing.T, ctx context.Context, options ...Option) (*grpc.ClientConn, <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(ctx)
	ended, closed := make(chan error, 1), make(chan struct{})
	go func() {
		ended <- New(options...).Serve(ctx, l)
		close(closed)
	}()
	conn := dial(t, l.Addr().String())
	t.Cleanup(func() { conn.Close(); stop(); <-closed })
	return conn, ended
}

func dial(t *testing.T, target string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func dispatch(t *testing.T, conn *grpc.ClientConn, o *coprocess.Object) (*coprocess.Object, error) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return coprocess.NewDispatcherClient(conn).Dispatch(ctx, o, grpc.WaitForReady(true))
}

// TestUnknownHook: what nobody has registered comes back as it went, with the
// fields and enum values that this build does not know.
func TestUnknownHook(t *testing.T) {
	conn, _ := serve(t, t.Context(), Hook("Other", func(x *Exchange) error { return errors.New("not meant") }))
	sent := &coprocess.Object{HookType: 99, HookName: "Strange", Request: &coprocess.MiniRequestObject{Url: "/"}}
	for _, m := range []proto.Message{sent, sent.Request} {
		m.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, 1999, protowire.BytesType), "later"))
	}
	if got, err := dispatch(t, conn, sent); err != nil || !proto.Equal(got, sent) {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestFailures: an error or a panic fails the one call, with INTERNAL unless
// the handler says otherwise.
func TestFailures(t *testing.T) {
	conn, _ := serve(t, t.Context(),
		Hook("Panic", func(x *Exchange) error { var m map[string]int; m["x"]++; return nil }),
		Hook("Error", func(x *Exchange) error { return errors.New("no luck") }),
		Hook("Status", func(x *Exchange) error { return status.Error(codes.Unavailable, "later") }),
		Hook("Config", func(x *Exchange) error { return x.Config(&struct{}{}) }),
		OnEvent(func(context.Context, string) error { panic("event") }),
	)
	for _, c := range []struct {
		hook    string
		code    codes.Code
		message string
	}{
		{"Panic", codes.Internal, "nil map"},
		{"Error", codes.Internal, "no luck"},
		{"Status", codes.Unavailable, "later"},
		{"Config", codes.Internal, "config_data"},
		{"Fine", codes.OK, ""},
	} {
		_, err := dispatch(t, conn, &coprocess.Object{HookName: c.hook, HookType: coprocess.HookType_Response})
		if status.Code(err) != c.code || !strings.Contains(status.Convert(err).Message(), c.message) {
			t.Errorf("%s: %v", c.hook, err)
		}
	}
	if _, err := coprocess.NewDispatcherClient(conn).DispatchEvent(t.Context(), &coprocess.Event{}); status.Code(err) != codes.Internal {
		t.Errorf("event: %v", err)
	}
}

func TestEvent(t *testing.T) {
	got := make(chan string, 1)
	with, _ := serve(t, t.Context(), OnEvent(func(_ context.Context, payload string) error { got <- payload; return nil }))
	without, _ := serve(t, t.Context())
	for _, conn := range []*grpc.ClientConn{with, without} {
		if _, err := coprocess.NewDispatcherClient(conn).DispatchEvent(t.Context(), &coprocess.Event{Payload: `{"é":1}`}); err != nil {
			t.Error(err)
		}
	}
	if p := <-got; p != `{"é":1}` {
		t.Errorf("payload is %q", p)
	}
}

func TestMaxMessage(t *testing.T) {
	usual, _ := serve(t, t.Context())
	small, _ := serve(t, t.Context(), MaxMessage(1000))
	o := &coprocess.Object{Request: &coprocess.MiniRequestObject{RawBody: make([]byte, 5_000_000)}}
	if _, err := coprocess.NewDispatcherClient(usual).Dispatch(t.Context(), o, grpc.MaxCallRecvMsgSize(6_000_000)); err != nil {
		t.Errorf("5 MB: %v", err)
	}
	if _, err := dispatch(t, small, o); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("more than MaxMessage: %v", err)
	}
}

func TestTwoHooksOfOneName(t *testing.T) {
	nothing := func(*Exchange) error { return nil }
	_, ended := serve(t, t.Context(), Hook("A", nothing), Hook("B", nothing), Hook("A", nothing))
	if err := <-ended; err == nil || !strings.Contains(err.Error(), `"A"`) {
		t.Errorf("the server ended with %v", err)
	}
}

// TestShutdown: once the context ends, the server is unhealthy to nobody new,
// and the call under way gets its answer.
func TestShutdown(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	begun, finish := make(chan struct{}), make(chan struct{})
	conn, ended := serve(t, ctx, Hook("Slow", func(x *Exchange) error {
		close(begun)
		<-finish
		x.SetHeader("X-Done", "yes")
		return nil
	}))
	reply, err := grpc_health_v1.NewHealthClient(conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{}, grpc.WaitForReady(true))
	if err != nil || reply.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Fatalf("health: %v, %v", reply, err)
	}
	answered := make(chan error, 1)
	go func() {
		o, err := dispatch(t, conn, &coprocess.Object{HookName: "Slow"})
		if o.GetRequest().GetSetHeaders()["X-Done"] != "yes" {
			err = errors.Join(err, errors.New("not answered"))
		}
		answered <- err
	}()
	<-begun
	stop()
	for target := conn.Target(); ; { // until nobody new is let in
		c, err := net.Dial("tcp", target)
		if err != nil {
			break
		}
		c.Close()
	}
	select {
	case err := <-ended:
		t.Errorf("it ended (%v) before the call did", err)
	default:
	}
	close(finish)
	if err := <-answered; err != nil {
		t.Errorf("the call under way: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// TestEndedBefore: a server whose context has ended serves nobody.
func TestEndedBefore(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, ended := serve(t, ctx)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestMainFunction: Serve takes its address from the environment, over what a
// killed server has left there, and ends with nil on a signal.
func TestMainFunction(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close()
	for _, c := range []struct{ socket, listen, target string }{
		{socket, "", "unix://" + socket},
		{"", "127.0.0.1:0", ""},
	} {
		t.Setenv("GRAPNEL_PLUGIN_SOCKET", c.socket)
		t.Setenv("PLUGIN_LISTEN", c.listen)
		l, err := listen()
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		if c.target == "" {
			continue
		}
		ended := make(chan error, 1)
		go func() { ended <- Serve() }()
		conn := dial(t, c.target)
		if _, err := dispatch(t, conn, &coprocess.Object{}); err != nil {
			t.Error(err)
		}
		conn.Close()
		syscall.Kill(syscall.Getpid(), syscall.SIGTERM)
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	}
	t.Setenv("PLUGIN_LISTEN", "nowhere:99999")
	if err := Serve(); err == nil {
		t.Error("it serves at an address that is none")
	}
}
