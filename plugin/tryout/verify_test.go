package tryout_test

import (
	"bufio"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
	"github.com/grapnel-gateway/grapnel/plugin/tryout"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// A server is a plugin server that a test writes.
type server struct {
	wire.UnimplementedDispatcherServer
	dispatch func(context.Context, *wire.Object) (*wire.Object, error)
	event    error
}

func (s *server) Dispatch(ctx context.Context, o *wire.Object) (*wire.Object, error) {
	return s.dispatch(ctx, o)
}

func (s *server) DispatchEvent(context.Context, *wire.Event) (*wire.EventReply, error) {
	return &wire.EventReply{}, s.event
}

func echo(_ context.Context, o *wire.Object) (*wire.Object, error) { return o, nil }

// edited is a server that echoes what it has changed.
func edited(edit func(*wire.Object)) *server {
	return &server{dispatch: func(_ context.Context, o *wire.Object) (*wire.Object, error) { edit(o); return o, nil }}
}

// serve returns the address of a server with grpc's own limits. Without a
// plugin it implements nothing.
func serve(t *testing.T, plugin *server, options ...grpc.ServerOption) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(options...)
	if plugin != nil {
		wire.RegisterDispatcherServer(s, plugin)
	}
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(l) }()
	t.Cleanup(func() { s.Stop(); <-done })
	return l.Addr().String()
}

func verify(t *testing.T, address string, e tryout.Exam) map[string]tryout.Check {
	t.Helper()
	found := map[string]tryout.Check{}
	for _, c := range dial(t, address).Verify(t.Context(), e).Checks {
		found[c.Name] = c
	}
	return found
}

// TestVerifyGood: a server that does as the contract says passes everything.
func TestVerifyGood(t *testing.T) {
	scripted := plugintest.Serve(t)
	checks := verify(t, scripted.Target, tryout.Exam{Hooks: []tryout.Question{
		{Hook: "set X-A=1", Stage: grapnel.Pre}, {Hook: "hang", Stage: grapnel.Post}, {Hook: "rnil", Stage: grapnel.Response},
	}, Patience: 2 * time.Second})
	for name, c := range checks {
		want := tryout.Pass
		switch name {
		case "health service":
			want = tryout.Info
		case "hook hang/post", "hook rnil/response":
			want = tryout.Fail
		}
		if c.Grade != want {
			t.Errorf("%s: %s, %s", name, c.Grade, c.Detail)
		}
	}
	if len(checks) != 14 || checks["hook set X-A=1/pre"].Detail != "sets header X-A: 1" {
		t.Errorf("%d checks: %v", len(checks), checks)
	}
	if events := scripted.Events(); len(events) != 1 || !json.Valid([]byte(events[0])) {
		t.Errorf("events %q", events)
	}
}

// TestVerifyBad: each fault is found, by the check that is named after it.
func TestVerifyBad(t *testing.T) {
	boom := status.Error(codes.Internal, "boom")
	failing := func(fails func(*wire.Object) bool) *server {
		return &server{dispatch: func(_ context.Context, o *wire.Object) (*wire.Object, error) {
			if fails(o) {
				return nil, boom
			}
			return o, nil
		}}
	}
	var stuck sync.Mutex
	for _, c := range []struct {
		check  string
		grade  tryout.Grade
		server *server
	}{
		{"reachable", tryout.Fail, nil},
		{"unknown hook", tryout.Warn, failing(func(*wire.Object) bool { return true })},
		{"unknown hook", tryout.Fail, edited(func(o *wire.Object) { o.Request = &wire.MiniRequestObject{} })},
		{"unknown hook", tryout.Fail, edited(func(o *wire.Object) { o.GetRequest().GetReturnOverrides().ResponseCode = 200 })},
		{"unknown hook", tryout.Pass, edited(func(o *wire.Object) { o.Request.ReturnOverrides, o.Request.Headers = nil, nil })},
		{"missing parts", tryout.Fail, failing(func(o *wire.Object) bool { return o.Request == nil })},
		{"missing parts", tryout.Info, failing(func(*wire.Object) bool { return true })},
		{"added fields", tryout.Pass, &server{dispatch: echo}},
		{"added fields", tryout.Warn, edited(func(o *wire.Object) { o.Facts, o.GetRequest().MultivalueParams = nil, nil })},
		{"added fields", tryout.Fail, edited(func(o *wire.Object) { o.Facts = &wire.Facts{Claims: "mine"} })},
		{"unknown fields", tryout.Warn, edited(func(o *wire.Object) { o.GetRequest().ProtoReflect().SetUnknown(nil) })},
		{"unknown enum value", tryout.Warn, edited(func(o *wire.Object) { o.HookType %= 6 })},
		{"unknown enum value", tryout.Fail, failing(func(o *wire.Object) bool { return o.HookType == 99 })},
		{"1 MiB body", tryout.Fail, edited(func(o *wire.Object) { o.Request.RawBody = o.Request.RawBody[:min(1000, len(o.Request.RawBody))] })},
		{"200 parallel calls", tryout.Fail, &server{dispatch: func(_ context.Context, o *wire.Object) (*wire.Object, error) {
			if !stuck.TryLock() {
				return nil, status.Error(codes.ResourceExhausted, "one at a time")
			}
			defer stuck.Unlock()
			time.Sleep(time.Millisecond)
			return o, nil
		}}},
		{"event", tryout.Fail, &server{dispatch: echo, event: status.Error(codes.Unavailable, "")}},
		{"event", tryout.Warn, &server{dispatch: echo, event: status.Error(codes.Unimplemented, "")}},
		{"event", tryout.Warn, &server{dispatch: echo, event: boom}},
	} {
		t.Run(c.check+" "+string(c.grade), func(t *testing.T) {
			if c.server != nil {
				protect(c.server)
			}
			got := verify(t, serve(t, c.server), tryout.Exam{Patience: 10 * time.Second})[c.check]
			if got.Grade != c.grade || got.Detail == "" {
				t.Errorf("%s: %s", got.Grade, got.Detail)
			}
		})
	}
}

// protect makes what panics an error of the call.
func protect(s *server) {
	dispatch := s.dispatch
	s.dispatch = func(ctx context.Context, o *wire.Object) (_ *wire.Object, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = status.Errorf(codes.Internal, "panic: %v", p)
			}
		}()
		return dispatch(ctx, o)
	}
}

// TestVerifyLimit: a server that does not take large messages hears what to do.
func TestVerifyLimit(t *testing.T) {
	got := verify(t, serve(t, &server{dispatch: echo}, grpc.MaxRecvMsgSize(1<<20)), tryout.Exam{})["1 MiB body"]
	if got.Grade != tryout.Fail || !strings.Contains(got.Detail, "raise the server's limit") {
		t.Errorf("%s: %s", got.Grade, got.Detail)
	}
}

// TestVerifyStuck: a server whose workers never come back from callers that gave
// up fails the deadline check.
func TestVerifyStuck(t *testing.T) {
	slots := make(chan struct{}, 8)
	release := make(chan struct{})
	stuck := &server{dispatch: func(_ context.Context, o *wire.Object) (*wire.Object, error) {
		slots <- struct{}{}
		defer func() { <-slots }()
		if o.HookName == "stuck" {
			<-release
		}
		return o, nil
	}}
	address := serve(t, stuck)
	t.Cleanup(func() { close(release) })
	got := verify(t, address, tryout.Exam{Patience: 300 * time.Millisecond, Hooks: []tryout.Question{{Hook: "stuck", Stage: grapnel.Pre}}})["deadline"]
	if got.Grade != tryout.Fail {
		t.Errorf("%s: %s", got.Grade, got.Detail)
	}
}

func TestReports(t *testing.T) {
	report := &tryout.Report{Address: "a:1", Checks: []tryout.Check{
		{"one", tryout.Pass, "fine <&>", 0.5}, {"two", tryout.Fail, `"bad"`, 1}, {"three", tryout.Warn, "so so", 0},
	}}
	b, err := report.JUnit()
	if err != nil {
		t.Fatal(err)
	}
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Cases    []struct {
			Failure *struct {
				Message string `xml:"message,attr"`
			} `xml:"failure"`
			Out string `xml:"system-out"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal(b, &suite); err != nil || suite.Tests != 3 || suite.Failures != 1 {
		t.Fatalf("%v: %s", err, b)
	}
	if c := suite.Cases; c[0].Out != "pass: fine <&>" || c[1].Failure.Message != `"bad"` || c[2].Failure != nil || c[2].Out != "warn: so so" {
		t.Errorf("%s", b)
	}
}

// role is the environment variable that makes the test binary a plugin server.
const role = "TRYOUT_TEST_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(role) == "" {
		os.Exit(m.Run())
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		os.Exit(1)
	}
	s := grpc.NewServer()
	wire.RegisterDispatcherServer(s, &server{dispatch: echo})
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	if os.Getenv(role) == "graceful" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, s.GracefulStop)
	}
	fmt.Println(l.Addr())
	if err := s.Serve(l); err != nil {
		os.Exit(1)
	}
}

// TestVerifyDrain: a server that ends in good order passes, one that just ends
// fails.
func TestVerifyDrain(t *testing.T) {
	for name, want := range map[string]tryout.Grade{"graceful": tryout.Pass, "abrupt": tryout.Fail} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), role+"="+name)
			stdout, err := cmd.StdoutPipe()
			if err = errors.Join(err, cmd.Start()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
			address, err := bufio.NewReader(stdout).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			checks := verify(t, strings.TrimSpace(address), tryout.Exam{PID: cmd.Process.Pid})
			if c := checks["graceful drain"]; c.Grade != want {
				t.Errorf("%s: %s", c.Grade, c.Detail)
			}
			if c := checks["health service"]; c.Detail != "grpc.health.v1 says SERVING" {
				t.Errorf("%s: %s", c.Grade, c.Detail)
			}
		})
	}
}
