package observe

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/grapnel-gateway/grapnel"
)

// An unreliable collector takes spans or does not.
type unreliable struct {
	sdk.SpanExporter
	err error
}

// ExportSpans does as it was told.
func (u *unreliable) ExportSpans(context.Context, []sdk.ReadOnlySpan) error { return u.err }

// A collector that is down is told of once, and when it is back; the failure goes
// no further.
func TestCollectorDown(t *testing.T) {
	log := &strings.Builder{}
	to := &unreliable{}
	e := &loggedExporter{SpanExporter: to, log: slog.New(slog.NewTextHandler(log, nil))}
	for _, err := range []error{nil, errors.New("down"), errors.New("down"), nil, nil} {
		to.err = err
		if err := e.ExportSpans(t.Context(), nil); err != nil {
			t.Error(err)
		}
	}
	if text := log.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, "error=down") || !strings.Contains(text, "again") {
		t.Errorf("log %s", text)
	}
}

// Without an endpoint there is no tracing, and nothing to end.
func TestTracingOff(t *testing.T) {
	off, err := NewTracing(grapnel.Tracing{Sample: 5, Service: "x"}, "", slog.New(slog.DiscardHandler))
	if off != nil || err != nil {
		t.Errorf("%v, %v", off, err)
	}
	off.Close()
}

// Clients cannot make up names of spans, nor plugins of servers.
func TestSpanNames(t *testing.T) {
	for got, want := range map[string]string{
		spanName("GET", "/a/"): "GET /a/", spanName("GET", ""): "GET", spanName("BREW", "/a/"): "_OTHER /a/", methodOf("get"): "_OTHER",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for address, want := range map[string]struct {
		host string
		port int
	}{"10.0.0.1:5555": {"10.0.0.1", 5555}, "[::1]:80": {"::1", 80}, "unix:///run/p.sock": {"unix:///run/p.sock", 0}, "host": {"host", 0}, "host:http": {"host:http", 0}} {
		if host, port := hostPort(address); host != want.host || port != want.port {
			t.Errorf("%s: %s %d", address, host, port)
		}
	}
}

// BenchmarkTracing measures what the tracing of one exchange with one hook costs,
// sampled and not.
func BenchmarkTracing(b *testing.B) {
	for name, ratio := range map[string]float64{"unsampled": 0, "sampled": 1} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			provider := sdk.NewTracerProvider(sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(ratio))))
			t := &Tracing{provider: provider, tracer: provider.Tracer("")}
			x := &grapnel.Exchange{Request: httptest.NewRequest("GET", "/a/x", nil), API: &grapnel.API{ID: "a"}, Start: time.Now()}
			request := x.Request
			for b.Loop() {
				x.Request = request
				end := t.Exchange(x)
				_, ended := t.Hook(x.Request.Context(), x, grapnel.Hook{})
				ended(grapnel.Call{Stage: grapnel.Pre, Plugin: "p", Hook: "h", Outcome: grapnel.OutcomePassed, Endpoint: "10.0.0.1:5555"})
				end(200)
			}
		})
	}
}
