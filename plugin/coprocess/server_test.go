package coprocess

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/fleet"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// A plugin is a real plugin server on a real socket. It echoes each Object after
// one edit, which the test may replace between calls.
type plugin struct {
	wire.UnimplementedDispatcherServer
	address string

	mu    sync.Mutex
	edit  func(context.Context, *wire.Object) (*wire.Object, error)
	seen  *wire.Object
	event string
}

func start(t testing.TB) *plugin {
	t.Helper()
	return startAt(t, "tcp", "127.0.0.1:0")
}

func startAt(t testing.TB, network, address string) *plugin {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	p := &plugin{address: l.Addr().String()}
	p.echo()
	s := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	wire.RegisterDispatcherServer(s, p)
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(l) }()
	t.Cleanup(func() { s.Stop(); <-done })
	return p
}

func (p *plugin) Dispatch(ctx context.Context, o *wire.Object) (*wire.Object, error) {
	p.mu.Lock()
	p.seen = proto.CloneOf(o)
	edit := p.edit
	p.mu.Unlock()
	return edit(ctx, o)
}

func (p *plugin) DispatchEvent(_ context.Context, e *wire.Event) (*wire.EventReply, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.event = e.Payload
	return &wire.EventReply{}, nil
}

// answers makes the plugin answer as f does.
func (p *plugin) answers(f func(context.Context, *wire.Object) (*wire.Object, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.edit = f
}

// edits makes the plugin echo what it gets after f; nil is a plain echo.
func (p *plugin) edits(f func(*wire.Object)) {
	p.answers(func(_ context.Context, o *wire.Object) (*wire.Object, error) {
		if f != nil {
			f(o)
		}
		return o, nil
	})
}

func (p *plugin) echo() { p.edits(nil) }

// object is what the plugin got last.
func (p *plugin) object() *wire.Object {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

func (p *plugin) payload() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.event
}

// client connects to the plugin.
func (p *plugin) client(t testing.TB, compat grapnel.Compat) *Client {
	t.Helper()
	return dial(t, grapnel.PluginServer{Target: p.address, Compat: compat})
}

func dial(t testing.TB, s grapnel.PluginServer) *Client {
	t.Helper()
	c, err := connect(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// connect makes a client as the gateway does.
func connect(s grapnel.PluginServer) (*Client, error) {
	f, err := fleet.New(s, carry, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return New(s, f), nil
}

// bind binds a hook named after its stage.
func bind(t testing.TB, c *Client, api *grapnel.API, stage grapnel.Stage) *binding {
	t.Helper()
	b, err := c.Bind(api, grapnel.Hook{Name: stage.String() + "Hook", Stage: stage})
	if err != nil {
		t.Fatal(err)
	}
	return b.(*binding)
}

func testAPI() *grapnel.API {
	return &grapnel.API{ID: "api-1", Name: "test", OrgID: "org-1", Listen: grapnel.Listen{ListenPath: "/t/"}}
}

// exchange makes the exchange of a request as a client writes it: the request
// line, header lines, and a body whose length is announced.
func exchange(t testing.TB, line, body string, headers ...string) *grapnel.Exchange {
	t.Helper()
	raw := line + " HTTP/1.1\r\nHost: gateway.test\r\n"
	for _, h := range headers {
		raw += h + "\r\n"
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw + "\r\n")))
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	if r.Body = http.NoBody; body != "" {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
	return &grapnel.Exchange{
		ID: "x-1", Request: r, API: testAPI(), Prefix: "/t/",
		Client: netip.MustParseAddr("192.0.2.1"), Start: time.Now(), Log: slog.New(slog.DiscardHandler),
	}
}

// within bounds a call by far more than it needs.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// pass asks a binding about an exchange that it must let pass.
func pass(t testing.TB, b *binding, x *grapnel.Exchange) {
	t.Helper()
	resp, err := b.Request(within(t), x)
	if err != nil || resp != nil {
		t.Fatalf("Request = %v, %v; want nil, nil", resp, err)
	}
}

// bodyOf is the request's body as the upstream would read it.
func bodyOf(t testing.TB, x *grapnel.Exchange) string {
	t.Helper()
	b, err := io.ReadAll(x.Request.Body)
	if err != nil {
		t.Fatal(err)
	}
	x.Request.Body = io.NopCloser(bytes.NewReader(b))
	return string(b)
}

// A state is all of an exchange that hooks may change.
type state struct {
	Method, URL, Host, Body string
	Length                  int64
	Header                  http.Header
	Rewrite, RewriteMethod  string
	Session                 *grapnel.Session
}

func snapshot(t testing.TB, x *grapnel.Exchange) state {
	t.Helper()
	if _, err := x.Body(); err != nil {
		t.Fatal(err)
	}
	s := state{
		Method: x.Request.Method, URL: x.Request.URL.String(), Host: x.Request.Host, Body: bodyOf(t, x),
		Length: x.Request.ContentLength, Header: x.Request.Header.Clone(),
		RewriteMethod: x.RewriteMethod, Session: x.Session,
	}
	if x.Rewrite != nil {
		s.Rewrite = x.Rewrite.String()
	}
	return s
}

// wantFault checks that a call failed by the plugin's fault, and says where.
func wantFault(t testing.TB, resp *http.Response, err error, where string) {
	t.Helper()
	if resp != nil || err == nil || !strings.Contains(err.Error(), where) {
		t.Errorf("got %v, %v; want an error with %q", resp, err, where)
	}
	if _, answered := errors.AsType[*grapnel.Error](err); answered {
		t.Errorf("%v is for the client", err)
	}
}
