package server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
)

// Protocols that are not one body after another pass through hooks of every stage
// as they happen, where those are sent no bodies [L-27]: WebSocket, gRPC, events.

const (
	headersOnly = "send: {body: none}"
	wholeBody   = "send: {body: full}"
)

// hooked starts a gateway that asks a hook in every stage, with and without TLS of
// its own, and this hook about replies.
func hooked(t *testing.T, secure bool, target, send, response string) (*running, *plugintest.Server) {
	t.Helper()
	plugin, front := plugintest.Serve(t), ""
	if secure {
		cert, key := certificate(t)
		front = fmt.Sprintf("tls: {certificates: [{cert: %q, key: %q}]}", cert, key)
	}
	return start(t, configuration(t, `
%[1]s
plugins: { p: { target: %[2]q, timeout: 20s } }
apis:
  - id: a
    listen_path: /
    target: %[3]q
    insecure_skip_verify: true
    max_body: 64KiB
    auth: [{ plugin: p, hook: auth tok, %[4]s }]
    hooks:
      pre: [{ plugin: p, hook: set X-Pre=1, %[4]s }]
      post_key_auth: [{ plugin: p, hook: set X-Key=1, %[4]s }]
      post: [{ plugin: p, hook: set X-Post=1, %[4]s }]
      response: [{ plugin: p, hook: %[5]q, %[4]s }]
`, front, plugin.Target, target, send, response), t.Output()), plugin
}

// stages are the three headers that the hooks before the upstream set.
func stages(get func(string) string) string { return get("X-Pre") + get("X-Key") + get("X-Post") }

// aboutReplies are the calls of the Response hook.
func aboutReplies(p *plugintest.Server) []plugintest.Call {
	return slices.DeleteFunc(p.Calls(""), func(c plugintest.Call) bool { return c.Object.HookType.String() != "Response" })
}

// everyWay runs a test with and without TLS on either side of the gateway.
func everyWay(t *testing.T, test func(t *testing.T, front, back bool)) {
	name := map[bool]string{false: "clear", true: "TLS"}
	for _, front := range []bool{false, true} {
		for _, back := range []bool{false, true} {
			t.Run(name[front]+" to "+name[back], func(t *testing.T) { test(t, front, back) })
		}
	}
}

// serveGRPC serves health and reflection, each reply with a header, of which
// there is another one than the client is to see, and a trailer. It refuses what
// has not passed the hooks.
func serveGRPC(t *testing.T, secure bool) (target string, h *health.Server) {
	t.Helper()
	marked := func(ctx context.Context) error {
		md, _ := metadata.FromIncomingContext(ctx)
		if got := stages(func(name string) string { return strings.Join(md.Get(name), ",") }); got != "111" {
			return status.Errorf(codes.Internal, "the hooks have left %q", got)
		}
		return errors.Join(
			grpc.SetHeader(ctx, metadata.Pairs("x-up", "before", "x-kept", "kept")),
			grpc.SetTrailer(ctx, metadata.Pairs("x-sum", "7")))
	}
	options := []grpc.ServerOption{
		grpc.UnaryInterceptor(func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if err := marked(ctx); err != nil {
				return nil, err
			}
			return next(ctx, in)
		}),
		grpc.StreamInterceptor(func(s any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			if err := marked(stream.Context()); err != nil {
				return err
			}
			return next(s, stream)
		}),
	}
	scheme := "h2c://"
	if secure {
		cert, key := certificate(t)
		c, err := credentials.NewServerTLSFromFile(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		options, scheme = append(options, grpc.Creds(c)), "https://"
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, h := grpc.NewServer(options...), health.NewServer()
	grpc_health_v1.RegisterHealthServer(s, h)
	reflection.Register(s)
	go s.Serve(l)
	t.Cleanup(s.Stop)
	return scheme + l.Addr().String(), h
}

// dialGRPC connects to a gateway, with the credential that it asks for.
func dialGRPC(t *testing.T, g *running) (*grpc.ClientConn, context.Context) {
	t.Helper()
	_, address, _ := strings.Cut(g.url, "://")
	c := insecure.NewCredentials()
	if strings.HasPrefix(g.url, "https") {
		c = credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(c))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, metadata.AppendToOutgoingContext(t.Context(), "authorization", "tok")
}

// wantMetadata checks what the client of a call got beside the messages.
func wantMetadata(t *testing.T, header, trailer metadata.MD) {
	t.Helper()
	for _, c := range []struct {
		of         metadata.MD
		name, want string
	}{{header, "x-up", "after"}, {header, "x-hooked", "yes"}, {header, "x-kept", "kept"}, {trailer, "x-sum", "7"}} {
		if got := strings.Join(c.of.Get(c.name), ","); got != c.want {
			t.Errorf("%s is %q, want %q", c.name, got, c.want)
		}
	}
}

const touchReply = "rh X-Up=after;rh X-Hooked=yes"

func TestGRPCThroughHooks(t *testing.T) {
	everyWay(t, func(t *testing.T, front, back bool) {
		target, h := serveGRPC(t, back)
		g, _ := hooked(t, front, target, headersOnly, touchReply)
		conn, ctx := dialGRPC(t, g)
		t.Run("unary", func(t *testing.T) { unary(t, ctx, conn) })
		t.Run("from the server", func(t *testing.T) {
			stream, err := grpc_health_v1.NewHealthClient(conn).Watch(ctx, &grpc_health_v1.HealthCheckRequest{Service: "s"})
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []grpc_health_v1.HealthCheckResponse_ServingStatus{3, 1, 2, 1} { // the first is of a service that is not known
				if want != 3 {
					h.SetServingStatus("s", want)
				}
				if resp, err := stream.Recv(); err != nil || resp.Status != want {
					t.Fatalf("got %v, %v; want %v", resp, err, want)
				}
			}
		})
		t.Run("both ways", func(t *testing.T) {
			stream, err := grpc_reflection_v1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if err := listServices(stream); err != nil {
					t.Fatal(err)
				}
			}
			if err := stream.CloseSend(); err != nil {
				t.Fatal(err)
			}
			if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
				t.Errorf("the end: %v", err)
			}
			header, err := stream.Header()
			if err != nil {
				t.Fatal(err)
			}
			wantMetadata(t, header, stream.Trailer())
		})
	})
}

// unary makes a call that succeeds, and one that fails by trailers alone.
func unary(t *testing.T, ctx context.Context, conn *grpc.ClientConn) {
	t.Helper()
	h := grpc_health_v1.NewHealthClient(conn)
	var header, trailer metadata.MD
	resp, err := h.Check(ctx, &grpc_health_v1.HealthCheckRequest{}, grpc.Header(&header), grpc.Trailer(&trailer))
	if err != nil || resp.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Fatalf("got %v, %v", resp, err)
	}
	wantMetadata(t, header, trailer)
	_, err = h.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "nobody"})
	if status.Code(err) != codes.NotFound {
		t.Errorf("got %v", err)
	}
	_, err = h.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if status.Code(err) != codes.PermissionDenied { // what clients make of a 403
		t.Errorf("without a credential: %v", err)
	}
}

func listServices(stream grpc_reflection_v1.ServerReflection_ServerReflectionInfoClient) error {
	ask := &grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{}}
	if err := stream.Send(ask); err != nil {
		return err
	}
	resp, err := stream.Recv()
	if err == nil && len(resp.GetListServicesResponse().GetService()) == 0 {
		return fmt.Errorf("got %v", resp)
	}
	return err
}

// A call with one message each way passes through hooks that are sent whole bodies,
// too.
func TestGRPCThroughHooksThatReadBodies(t *testing.T) {
	target, _ := serveGRPC(t, false)
	g, plugin := hooked(t, false, target, wholeBody, touchReply)
	conn, ctx := dialGRPC(t, g)
	unary(t, ctx, conn)
	about := aboutReplies(plugin)
	if len(about) == 0 || len(about[0].Object.Response.RawBody) == 0 {
		t.Errorf("the Response hook was asked %d times", len(about))
	}
}

// events is an upstream that sends each event when it is told to, and ends after
// the third.
func events(next <-chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		http.NewResponseController(w).Flush()
		for n := range 3 {
			<-next
			fmt.Fprintf(w, "data: %d %s\n", n, stages(r.Header.Get))
			http.NewResponseController(w).Flush()
		}
	}
}

func TestEventsThroughHooks(t *testing.T) {
	next := make(chan struct{})
	up := upstream(t, events(next))
	g, _ := hooked(t, false, up.URL, headersOnly, touchReply)
	for _, set := range []func(*http.Protocols){http1, h2c} {
		r := request(t, t.Context(), http.MethodGet, g.url, nil)
		r.Header.Set("Authorization", "tok")
		resp := do(t, client(t, set), r)
		if resp.Header.Get("X-Hooked") != "yes" {
			t.Fatalf("header %v", resp.Header)
		}
		lines := bufio.NewReader(resp.Body)
		for n := range 3 {
			next <- struct{}{}
			expect(t, lines, fmt.Sprintf("data: %d 111\n", n))
		}
		expectEnd(t, lines)
	}
}

// A Response hook that is sent whole bodies gets a stream when that has ended. One
// without an end is given up at the API's limit.
func TestStreamsThroughHooksThatReadBodies(t *testing.T) {
	next, left := make(chan struct{}, 3), make(chan struct{})
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ends" {
			events(next)(w, r)
			return
		}
		defer close(left)
		for err := error(nil); err == nil; {
			fmt.Fprintln(w, "data: again")
			err = http.NewResponseController(w).Flush()
		}
	})
	g, plugin := hooked(t, false, up.URL, wholeBody, touchReply)
	ask := func(path string) (*http.Response, string) {
		r := request(t, t.Context(), http.MethodGet, g.url+path, nil)
		r.Header.Set("Authorization", "tok")
		resp := do(t, client(t, http1), r)
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(body)
	}
	for range cap(next) {
		next <- struct{}{}
	}
	resp, body := ask("/ends")
	if want := "data: 0 111\ndata: 1 111\ndata: 2 111\n"; resp.StatusCode != 200 || resp.Header.Get("X-Hooked") != "yes" || body != want {
		t.Errorf("got %d %q, header %v", resp.StatusCode, body, resp.Header)
	}
	if resp, _ := ask("/never"); resp.StatusCode != http.StatusBadGateway {
		t.Errorf("got %d", resp.StatusCode)
	}
	<-left
	if n := len(aboutReplies(plugin)); n != 1 {
		t.Errorf("the Response hook was asked %d times", n)
	}
}
