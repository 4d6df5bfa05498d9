// Package observe_test looks at a running gateway with the eyes of an operator:
// its traces, its access log and its list of plugin servers.
package observe_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
	"github.com/grapnel-gateway/grapnel/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// A traceCollector takes spans as an OpenTelemetry collector does.
type traceCollector struct {
	collector.UnimplementedTraceServiceServer
	mu       sync.Mutex
	spans    []*otlp.Span
	resource map[string]string
}

// Export keeps the spans.
func (c *traceCollector) Export(_ context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range r.ResourceSpans {
		c.resource = texts(resource.Resource.Attributes)
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

// named returns the one span of this name.
func (c *traceCollector) named(t *testing.T, name string) *otlp.Span {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*otlp.Span
	var names []string
	for _, s := range c.spans {
		names = append(names, s.Name)
		if s.Name == name {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d spans are called %q: %q", len(found), name, names)
	}
	return found[0]
}

// texts are attributes as they print.
func texts(attributes []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, a := range attributes {
		out[a.Key] = strings.Trim(fmt.Sprint(a.Value.GetStringValue(), " ", a.Value.GetIntValue()), " ")
		if a.Value.GetStringValue() != "" {
			out[a.Key] = a.Value.GetStringValue()
		}
	}
	return out
}

// A plugin passes every request, and remembers with what metadata it was asked.
type plugin struct {
	coprocess.UnimplementedDispatcherServer
	mu    sync.Mutex
	asked map[string]metadata.MD // by hook and the last part of the path
}

// Dispatch answers with the question.
func (p *plugin) Dispatch(ctx context.Context, o *coprocess.Object) (*coprocess.Object, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	at, _, _ := strings.Cut(o.Request.Url, "?")
	p.asked[o.HookName+" "+path.Base(at)] = md
	return o, nil
}

// traceparent is the one that the hook was asked with.
func (p *plugin) traceparent(hook, item string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.asked[hook+" "+item].Get("traceparent"), " and ")
}

// serve serves gRPC on a free port.
func serve(t *testing.T, register func(*grpc.Server)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	register(s)
	go s.Serve(l) // ends when the server is stopped
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

// A site is a gateway with everything around it.
type site struct {
	gateway   *program.Gateway
	admin     string
	collector *traceCollector
	plugin    *plugin
	plugins   string // where the plugin listens
	mu        sync.Mutex
	upstream  map[string]http.Header // what arrived, by the last part of the path
}

const configuration = `
listen: %q
admin: { listen: %q, secret: the-secret }
store: "memory:"
log: { format: json }
tracing: { endpoint: %q, insecure: true, sample: %s, service: shop-gateway }
plugins:
  p: { target: %q, timeout: 20s }
  down: { target: "127.0.0.1:1", timeout: 1s }
apis:
  - id: orders
    listen_path: /orders/
    target: %s/base
    hooks: { pre: [{ plugin: p, hook: First }], response: [{ plugin: p, hook: Last }] }
  - { id: broken, listen_path: /broken/, target: %s, hooks: { post: [{ plugin: down, hook: Any }] } }
`

// newSite starts one, with a share of traces and what else there is to configure.
func newSite(t *testing.T, sample, more string) *site {
	t.Helper()
	s := &site{collector: &traceCollector{}, plugin: &plugin{asked: map[string]metadata.MD{}}, upstream: map[string]http.Header{}, admin: program.FreeAddr(t)}
	up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.upstream[path.Base(r.URL.Path)] = r.Header
	}))
	t.Cleanup(up.Close)
	collects := serve(t, func(g *grpc.Server) { collector.RegisterTraceServiceServer(g, s.collector) })
	s.plugins = serve(t, func(g *grpc.Server) { coprocess.RegisterDispatcherServer(g, s.plugin) })
	addr, file := program.FreeAddr(t), filepath.Join(t.TempDir(), "grapnel.yaml")
	text := fmt.Appendf(nil, configuration+more, addr, s.admin, collects, sample, s.plugins, up.URL, up.URL)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s.gateway = program.Start(t, addr, "run", "--config", file)
	return s
}

func (s *site) get(t *testing.T, target string, status int, header ...string) {
	t.Helper()
	r, err := http.NewRequest("GET", "http://"+s.gateway.Addr+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != status {
		t.Fatalf("%s: %d", target, resp.StatusCode)
	}
}

func (s *site) arrived(item string) http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.upstream[item]
}

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	caller  = "b7ad6b7169203331"
)

// A trace that the client began goes on: the exchange is its child, the hooks and
// the upstream are children of the exchange, and each of them is told of its own
// span. Whatever is left is sent before the gateway ends.
func TestTrace(t *testing.T) {
	s := newSite(t, "0%", "") // the client's word goes before it
	s.get(t, "/orders/7?token=secret", 200, "traceparent", "00-"+traceID+"-"+caller+"-01", "tracestate", "vendor=1")
	line := s.gateway.AwaitLog(t, `"msg":"request"`, "/orders/7")
	s.gateway.Stop(t)

	exchange := s.collector.named(t, "GET /orders/")
	first, last, up := s.collector.named(t, "pre p.First"), s.collector.named(t, "response p.Last"), s.collector.named(t, "GET")
	if hex.EncodeToString(exchange.TraceId) != traceID || hex.EncodeToString(exchange.ParentSpanId) != caller || exchange.Kind != otlp.Span_SPAN_KIND_SERVER {
		t.Errorf("the exchange: %v", exchange)
	}
	for _, child := range []*otlp.Span{first, last, up} {
		if string(child.ParentSpanId) != string(exchange.SpanId) || child.Kind != otlp.Span_SPAN_KIND_CLIENT {
			t.Errorf("no child of the exchange: %v", child)
		}
	}
	for span, got := range map[*otlp.Span]string{
		first: s.plugin.traceparent("First", "7"), up: s.arrived("7").Get("Traceparent"),
	} {
		if want := "00-" + traceID + "-" + hex.EncodeToString(span.SpanId) + "-01"; got != want {
			t.Errorf("%s was told %q, want %q", span.Name, got, want)
		}
	}
	if got := s.arrived("7").Get("Tracestate"); got != "vendor=1" {
		t.Errorf("tracestate %q", got)
	}
	for span, want := range map[*otlp.Span]map[string]string{
		exchange: {"http.request.method": "GET", "http.route": "/orders/", "url.path": "/orders/7", "http.response.status_code": "200", "grapnel.api": "orders", "client.address": "127.0.0.1"},
		first:    {"rpc.system.name": "grpc", "grapnel.plugin": "p", "grapnel.hook": "First", "grapnel.stage": "pre", "grapnel.outcome": "passed"},
		up:       {"http.request.method": "GET", "http.response.status_code": "200", "server.address": "127.0.0.1"},
	} {
		got := texts(span.Attributes)
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%s of %s is %q, want %q", key, span.Name, got[key], value)
			}
		}
	}
	if all := fmt.Sprint(s.collector.spans); strings.Contains(all, "secret") {
		t.Error("a span shows the query")
	}
	if diff := cmp.Diff("shop-gateway", s.collector.resource["service.name"]); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(line, `"trace_id":"`+traceID+`"`) {
		t.Errorf("the access log does not name the trace: %s", line)
	}
}

// What is not sampled has no spans, but plugins and upstreams are told that it is
// not, so that they do not begin traces of their own.
func TestUnsampled(t *testing.T) {
	s := newSite(t, "0%", "")
	s.get(t, "/orders/1", 200, "traceparent", "00-"+traceID+"-"+caller+"-00")
	s.get(t, "/orders/2", 200)
	line := s.gateway.AwaitLog(t, `"msg":"request"`, "/orders/2")
	s.gateway.Stop(t)
	for _, got := range []string{
		s.plugin.traceparent("First", "1"), s.arrived("1").Get("Traceparent"),
		s.plugin.traceparent("First", "2"), s.arrived("2").Get("Traceparent"),
	} {
		if len(got) != 55 || !strings.HasSuffix(got, "-00") {
			t.Errorf("told %q", got)
		}
	}
	if got := s.plugin.traceparent("First", "1"); !strings.HasPrefix(got, "00-"+traceID) {
		t.Errorf("the plugin was told of another trace: %q", got)
	}
	if len(s.collector.spans) != 0 || strings.Contains(line, "trace_id") {
		t.Errorf("%d spans, log %s", len(s.collector.spans), line)
	}
}

// What fails is marked in the trace, and told of in the access log.
func TestFailedHook(t *testing.T) {
	s := newSite(t, "100%", "")
	s.get(t, "/broken/1", 500)
	line := s.gateway.AwaitLog(t, `"msg":"request"`, "/broken/1")
	s.gateway.Stop(t)
	exchange, hook := s.collector.named(t, "GET /broken/"), s.collector.named(t, "post down.Any")
	for _, span := range []*otlp.Span{exchange, hook} {
		if span.Status.GetCode() != otlp.Status_STATUS_CODE_ERROR {
			t.Errorf("%s: status %v", span.Name, span.Status)
		}
	}
	if got := texts(hook.Attributes)["error.type"]; got != "failed" {
		t.Errorf("error.type %q", got)
	}
	var told struct {
		Trace    string                              `json:"trace_id"`
		Failures map[string]struct{ Outcome string } `json:"failures"`
	}
	if err := json.Unmarshal([]byte(line), &told); err != nil {
		t.Fatal(err)
	}
	if told.Trace != hex.EncodeToString(exchange.TraceId) || told.Failures["post.down.Any"].Outcome != "failed" {
		t.Errorf("log %s", line)
	}
}
