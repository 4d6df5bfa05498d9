package coprocess

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"google.golang.org/grpc/codes"
	rpcmeta "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

func TestContract(t *testing.T) {
	plugintest.Suite(t, func(t *testing.T, s grapnel.PluginServer) grapnel.Plugin {
		c, err := connect(s)
		if err != nil {
			t.Fatal(err)
		}
		return c
	})
}

// T-71 [A-63, L-13]: target forms.
func TestTargets(t *testing.T) {
	p := start(t)
	_, port, _ := net.SplitHostPort(p.address)
	socket := filepath.Join(t.TempDir(), "s")
	startAt(t, "unix", socket)
	for _, target := range []string{
		"tcp://127.0.0.1:" + port, "127.0.0.1:" + port, "localhost:" + port, "tcp://localhost:" + port,
		"dns:///localhost:" + port, "passthrough:///127.0.0.1:" + port, "unix://" + socket, "unix:" + socket,
	} {
		c := dial(t, grapnel.PluginServer{Target: target})
		if _, err := call(within(t), c, &wire.Object{}); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
	for _, target := range []string{"", "://invalid", "http://h:1", "h", "h:", ":5555", "tcp://", "tcp://h:1/x", "dns:///", "unix://", "exec:x:y"} {
		if _, err := connect(grapnel.PluginServer{Target: target}); err == nil || !strings.Contains(err.Error(), "target") {
			t.Errorf("New(%q): %v", target, err)
		}
	}
}

// T-72: the authority of calls.
func TestAuthority(t *testing.T) {
	p := start(t)
	p.answers(func(ctx context.Context, o *wire.Object) (*wire.Object, error) {
		md, _ := rpcmeta.FromIncomingContext(ctx)
		o.HookName = strings.Join(md[":authority"], ",")
		return o, nil
	})
	for authority, want := range map[string]string{"": p.address, "x.test": "x.test"} {
		o, err := call(within(t), dial(t, grapnel.PluginServer{Target: p.address, Authority: authority}), &wire.Object{})
		if err != nil {
			t.Fatal(err)
		}
		if got := o.HookName; got != want {
			t.Errorf("authority %q: the plugin sees %q, want %q", authority, got, want)
		}
	}
}

// T-67, T-68, T-69: sizes.
func TestMessageSizes(t *testing.T) {
	p := start(t)
	fill := func(n int) {
		p.answers(func(context.Context, *wire.Object) (*wire.Object, error) {
			return &wire.Object{HookName: strings.Repeat("x", n)}, nil
		})
	}
	plain := dial(t, grapnel.PluginServer{Target: p.address})
	wide := dial(t, grapnel.PluginServer{Target: p.address, MaxReceive: 16 << 20})
	narrow := dial(t, grapnel.PluginServer{Target: p.address, MaxSend: 1 << 10})
	tests := []struct {
		name       string
		c          *Client
		send, fill int
		want       codes.Code
	}{
		{"large both ways", wide, 8 << 20, 8 << 20, codes.OK},
		{"T-69 answer over the default", plain, 8, 5 << 20, codes.ResourceExhausted},
		{"answer over the limit", wide, 8, 17 << 20, codes.ResourceExhausted},
		{"message over the limit", narrow, 2 << 10, 8, codes.ResourceExhausted},
		{"message within it", narrow, 8, 8, codes.OK},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fill(test.fill)
			_, err := call(within(t), test.c, &wire.Object{HookName: strings.Repeat("x", test.send)})
			if status.Code(err) != test.want {
				t.Errorf("got %v", err)
			}
		})
	}
}

// L-7: the caller's deadline bounds the call and reaches the plugin; without
// one there is none.
func TestDeadline(t *testing.T) {
	p := start(t)
	c := p.client(t, grapnel.CompatTyk)
	b := bind(t, c, testAPI(), grapnel.Pre)
	p.answers(func(ctx context.Context, o *wire.Object) (*wire.Object, error) {
		if end, ok := ctx.Deadline(); ok {
			o.Request.SetHeaders = map[string]string{"X-Left": time.Until(end).String()}
		}
		return o, nil
	})
	x := exchange(t, "GET /t/a", "")
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	if _, err := b.Request(ctx, x); err != nil {
		t.Fatal(err)
	}
	if left, err := time.ParseDuration(x.Request.Header.Get("X-Left")); err != nil || left < 50*time.Minute || left > time.Hour {
		t.Errorf("the plugin has %q", x.Request.Header.Get("X-Left"))
	}
	x = exchange(t, "GET /t/a", "")
	if _, err := b.Request(context.Background(), x); err != nil || x.Request.Header.Get("X-Left") != "" {
		t.Errorf("error %v; the plugin has %q", err, x.Request.Header.Get("X-Left"))
	}
}

// T-70: a client that leaves cancels the call at the plugin; a deadline
// ends it.
func TestCancel(t *testing.T) {
	p := start(t)
	b := bind(t, p.client(t, grapnel.CompatTyk), testAPI(), grapnel.Pre)
	asked, ended := make(chan struct{}, 1), make(chan struct{}, 1)
	p.answers(func(ctx context.Context, _ *wire.Object) (*wire.Object, error) {
		asked <- struct{}{}
		<-ctx.Done()
		ended <- struct{}{}
		return nil, status.FromContextError(ctx.Err()).Err()
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-asked; cancel() }()
	if _, err := b.Request(ctx, exchange(t, "GET /t/a", "")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-ended
	ctx, cancel = context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := b.Request(ctx, exchange(t, "GET /t/a", "")); err == nil {
		t.Error("no error after the deadline")
	}
	<-ended
}

// T-61…T-65: a server that is not there fails calls at once, and is
// used as soon as it is; its errors are failures.
func TestServerAppears(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	c := dial(t, grapnel.PluginServer{Target: "unix://" + socket})
	if got := c.State().State; got != "idle" {
		t.Errorf("state %q before the first call", got)
	}
	b := bind(t, c, testAPI(), grapnel.Pre)
	resp, err := b.Request(within(t), exchange(t, "GET /t/a", ""))
	if wantFault(t, resp, err, ""); status.Code(err) != codes.Unavailable {
		t.Errorf("got %v", err)
	}
	if got := c.State().State; got != "failing" && got != "connecting" {
		t.Errorf("state %q", got)
	}

	p := startAt(t, "unix", socket)
	up := time.Now()
	for {
		if _, err = b.Request(within(t), exchange(t, "GET /t/a", "")); err == nil {
			break
		}
		if time.Since(up) > 10*rpc.MaxBackoff {
			t.Fatalf("still %v", err)
		}
		time.Sleep(5 * time.Millisecond) // between two attempts
	}
	if got := c.State().State; got != "ready" {
		t.Errorf("state %q", got)
	}
	p.answers(func(context.Context, *wire.Object) (*wire.Object, error) {
		return nil, status.Error(codes.Unauthenticated, "no")
	})
	resp, err = b.Request(within(t), exchange(t, "GET /t/a", ""))
	wantFault(t, resp, err, "no")
	c.Close()
	if got := c.State().State; got != "failing" {
		t.Errorf("state %q after Close", got)
	}
}

// a body that cannot be read keeps its error, and the plugin is not asked.
func TestUnreadableBody(t *testing.T) {
	p := start(t)
	c := p.client(t, grapnel.CompatTyk)
	tooLarge := &grapnel.Error{Status: 413, Code: grapnel.CodeBodyTooLarge}
	for _, stage := range []grapnel.Stage{grapnel.Pre, grapnel.Response} {
		x := exchange(t, "POST /t/a", "")
		x.Request.Body = io.NopCloser(iotest.ErrReader(tooLarge))
		x.Request.ContentLength = -1
		b := bind(t, c, testAPI(), stage)
		var err error
		if stage == grapnel.Response {
			_, err = b.Response(within(t), x, reply(200, nil, ""))
		} else {
			_, err = b.Request(within(t), x)
		}
		if !errors.Is(err, tooLarge) || p.object() != nil {
			t.Errorf("%s: %v, the plugin got %v", stage, err, p.object())
		}
	}
}
