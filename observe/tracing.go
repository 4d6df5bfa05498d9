package observe

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/credentials"

	"github.com/grapnel-gateway/grapnel"
)

// A Tracing is a [grapnel.Tracer] that sends spans to an OpenTelemetry collector,
// in the background and bounded: spans that find the queue full are dropped. What
// is not sampled has no spans, but tells others so. Attributes are named by the
// semantic conventions of OpenTelemetry; those of the gateway's own begin with
// grapnel.
type Tracing struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	wire     propagation.TraceContext
}

// The bounds of the export: of one call to the collector, and of what is still
// to be sent when the gateway ends.
const (
	exportTimeout = 10 * time.Second
	flushTimeout  = 5 * time.Second
)

// NewTracing starts tracing; nil means that it is not configured. The collector
// need not be up: what goes wrong there is logged.
func NewTracing(c grapnel.Tracing, version string, log *slog.Logger) (*Tracing, error) {
	if c.Endpoint == "" {
		return nil, nil
	}
	security := otlptracegrpc.WithTLSCredentials(credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12}))
	if c.Insecure {
		security = otlptracegrpc.WithInsecure()
	}
	ctx := context.Background()
	exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(c.Endpoint), otlptracegrpc.WithTimeout(exportTimeout), security)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	who := resource.NewSchemaless(attribute.String("service.name", c.Service), attribute.String("service.version", version))
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(&loggedExporter{SpanExporter: exporter, log: log}),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(float64(c.Sample)/100))),
		sdk.WithResource(who),
	)
	return &Tracing{provider: provider, tracer: provider.Tracer("github.com/grapnel-gateway/grapnel")}, nil
}

// Close sends what is left, for as long as [flushTimeout] at most.
func (t *Tracing) Close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	t.provider.Shutdown(ctx) // what it fails at the exporter has logged
}

// A loggedExporter logs that spans do not reach the collector, once until they do
// again.
type loggedExporter struct {
	sdk.SpanExporter
	log     *slog.Logger
	failing atomic.Bool
}

// ExportSpans sends spans; those that cannot be sent are lost.
func (e *loggedExporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if was := e.failing.Swap(err != nil); err != nil && !was {
		e.log.Warn("traces do not reach the collector", "spans", len(spans), "error", err)
	} else if err == nil && was {
		e.log.Info("traces reach the collector again")
	}
	return nil // or it would be told to the whole process
}

// Exchange begins the span of an exchange [grapnel.Tracer].
func (t *Tracing) Exchange(x *grapnel.Exchange) func(status int) {
	r := x.Request
	parent := t.wire.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(parent, methodOf(r.Method), trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(x.Start))
	x.Request = r.WithContext(ctx)
	if !span.IsRecording() {
		return func(int) {}
	}
	asked := requested(x)
	return func(status int) {
		span.SetName(spanName(r.Method, x.API.ListenPath))
		span.SetAttributes(asked...)
		span.SetAttributes(answered(x, status)...)
		fault(span, status, http.StatusInternalServerError, nil)
		span.End()
	}
}

// Hook begins the span of a hook call [grapnel.Tracer].
func (t *Tracing) Hook(ctx context.Context, x *grapnel.Exchange, _ grapnel.Hook) (context.Context, func(grapnel.Call)) {
	if !sampled(ctx) {
		return t.carry(ctx), func(grapnel.Call) {}
	}
	ctx, span := t.tracer.Start(ctx, "hook", trace.WithSpanKind(trace.SpanKindClient))
	return t.carry(ctx), func(c grapnel.Call) {
		span.SetName(c.Stage.String() + " " + c.Plugin + "." + c.Hook)
		span.SetAttributes(called(x, c)...)
		unanswered(span, outcomeOf(&c))
		span.End()
	}
}

// carry has the metadata of calls to plugin servers name the context's span.
func (t *Tracing) carry(ctx context.Context) context.Context {
	pairs := make(metadata, 0, 4)
	t.wire.Inject(ctx, &pairs)
	return grapnel.WithMetadata(ctx, pairs...)
}

func sampled(ctx context.Context) bool { return trace.SpanContextFromContext(ctx).IsSampled() }

// Upstream puts a span around the handler that asks the upstream, until the
// header of its reply [grapnel.Tracer].
func (t *Tracing) Upstream(next grapnel.Handler) grapnel.Handler {
	return func(x *grapnel.Exchange) (*http.Response, error) {
		r := x.Request
		if !sampled(r.Context()) {
			t.wire.Inject(r.Context(), propagation.HeaderCarrier(r.Header))
			return next(x)
		}
		ctx, span := t.tracer.Start(r.Context(), methodOf(r.Method), trace.WithSpanKind(trace.SpanKindClient))
		t.wire.Inject(ctx, propagation.HeaderCarrier(r.Header))
		resp, err := next(x)
		span.SetAttributes(sent(x)...)
		if err != nil {
			fault(span, 0, 0, err)
		} else {
			span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
			fault(span, resp.StatusCode, http.StatusBadRequest, nil)
		}
		span.End()
		return resp, err
	}
}
