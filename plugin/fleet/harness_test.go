package fleet_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/fleet"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/direct"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/standard"
)

// No test leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long tests wait for what must happen.
const patience = 30 * time.Second

// A replica is a real server that answers every call with its name.
type replica struct {
	name, address string
	server        *grpc.Server
	calls         atomic.Int64
	under         atomic.Int64
	answer        atomic.Pointer[func(context.Context) error] // called first; nil succeeds
}

func (r *replica) does(f func(context.Context) error) { r.answer.Store(&f) }

func (r *replica) say(ctx context.Context) (*wrapperspb.StringValue, error) {
	r.calls.Add(1)
	r.under.Add(1)
	defer r.under.Add(-1)
	if f := r.answer.Load(); f != nil {
		if err := (*f)(ctx); err != nil {
			return nil, err
		}
	}
	return wrapperspb.String(r.name), nil
}

// serve starts a replica; more puts services beside its own.
func serve(t testing.TB, name, address string, more ...func(*grpc.Server)) *replica {
	t.Helper()
	return serveWith(t, name, listen(t, address), nil, more...)
}

func serveWith(t testing.TB, name string, l net.Listener, o []grpc.ServerOption, more ...func(*grpc.Server)) *replica {
	t.Helper()
	r := &replica{name: name, address: l.Addr().String(), server: grpc.NewServer(o...)}
	r.server.RegisterService(&grpc.ServiceDesc{ServiceName: "test.Echo", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
		MethodName: "Say",
		Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			if err := decode(&wrapperspb.StringValue{}); err != nil {
				return nil, err
			}
			return r.say(ctx)
		},
	}}}, nil)
	for _, f := range more {
		f(r.server)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		r.server.Serve(l)
	}()
	t.Cleanup(func() { r.server.Stop(); <-served })
	return r
}

// listen takes an address that may have been left this moment.
func listen(t testing.TB, address string) (l net.Listener) {
	t.Helper()
	eventually(t, "the address is free", func() (free bool) {
		var err error
		l, err = net.Listen("tcp", address)
		return err == nil
	})
	return l
}

// many starts replicas a, b, c …
func many(t testing.TB, n int) (all []*replica, targets []string) {
	t.Helper()
	for i := range n {
		r := serve(t, string(rune('a'+i)), "127.0.0.1:0")
		all, targets = append(all, r), append(targets, r.address)
	}
	return all, targets
}

// settings are the defaults, but for what disturbs most tests: health checks and
// slow starts.
func settings(targets ...string) grapnel.PluginServer {
	var s grapnel.PluginServer
	s.SetDefaults()
	s.Name, s.Targets = "p", targets
	s.Health.Interval, s.Balance.SlowStart = 0, 0
	return s
}

func open(t testing.TB, s grapnel.PluginServer) *fleet.Fleet {
	t.Helper()
	return openWith(t, s, dial, slog.New(slog.DiscardHandler))
}

func openWith(t testing.TB, s grapnel.PluginServer, dial fleet.Dial, log *slog.Logger) *fleet.Fleet {
	t.Helper()
	f, err := fleet.New(s, dial, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func dial(o rpc.Options) (rpc.Conn, error) { return direct.New(o) }

// overBoth runs a test over each of the two that carry calls.
func overBoth(t *testing.T, test func(t *testing.T, open func(grapnel.PluginServer) *fleet.Fleet)) {
	for name, dial := range map[string]fleet.Dial{
		"direct":   dial,
		"standard": func(o rpc.Options) (rpc.Conn, error) { return standard.New(o) },
	} {
		t.Run(name, func(t *testing.T) {
			test(t, func(s grapnel.PluginServer) *fleet.Fleet {
				return openWith(t, s, dial, slog.New(slog.DiscardHandler))
			})
		})
	}
}

// say makes a call and returns the name of who answered.
func say(ctx context.Context, c rpc.Conn, edit ...func(*rpc.Call)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	call := &rpc.Call{Method: "/test.Echo/Say", Message: mem.BufferSlice{mem.SliceBuffer(nil)}}
	for _, f := range edit {
		f(call)
	}
	data, err := c.Invoke(ctx, call)
	if err != nil {
		return "", err
	}
	defer data.Free()
	var v wrapperspb.StringValue
	if err := proto.Unmarshal(data.ReadOnlyData(), &v); err != nil {
		return "", err
	}
	return v.Value, nil
}

func key(k uint64) func(*rpc.Call)  { return func(c *rpc.Call) { c.Key = k } }
func retries(n int) func(*rpc.Call) { return func(c *rpc.Call) { c.Retries = n } }
func idempotent(c *rpc.Call)        { c.Idempotent = true }
func within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// spread makes n calls that must not fail, and counts who answered.
func spread(t testing.TB, c rpc.Conn, n int) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for range n {
		name, err := say(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		seen[name]++
	}
	return seen
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// endpoint is the report of one endpoint.
func endpoint(t testing.TB, f *fleet.Fleet, address string) grapnel.EndpointState {
	t.Helper()
	for _, e := range f.Snapshot().Endpoints {
		if e.Address == address {
			return e
		}
	}
	t.Fatalf("no endpoint %s in %+v", address, f.Snapshot())
	return grapnel.EndpointState{}
}

// header is what a call carried under a name.
func header(ctx context.Context, name string) string {
	md, _ := metadata.FromIncomingContext(ctx)
	if v := md.Get(name); len(v) > 0 {
		return v[0]
	}
	return ""
}

// noted is what a replica saw last.
type noted struct{ text atomic.Pointer[string] }

func (n *noted) set(text string) { n.text.Store(&text) }

func (n *noted) get() string {
	if p := n.text.Load(); p != nil {
		return *p
	}
	return ""
}

// A journal is a log to look into.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) has(part string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Contains(j.text.String(), part)
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }
