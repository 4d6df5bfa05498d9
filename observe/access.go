package observe

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/grapnel-gateway/grapnel"
)

// Access writes the access log's line about an exchange that is over: who asked
// for what, what the answer was, how long it took, and how long each hook did;
// for the hooks whose plugin server failed, what came of it and where; and the
// trace, when it is sampled. Times are milliseconds. The query is left out, since
// it may hold secrets.
func Access(x *grapnel.Exchange, status int, bytes int64) {
	attrs := make([]slog.Attr, 0, 12)
	attrs = append(attrs,
		slog.String("request_id", x.ID),
		slog.String("client", x.Client.String()),
		slog.String("method", x.Request.Method),
		slog.String("host", x.Request.Host),
		slog.String("path", requestPath(x)),
		slog.Int("status", status),
		slog.Int64("bytes", bytes),
		slog.Float64("ms", milliseconds(time.Since(x.Start))),
	)
	if span := trace.SpanContextFromContext(x.Request.Context()); span.IsSampled() {
		attrs = append(attrs, slog.String("trace_id", span.TraceID().String()))
	}
	if len(x.Calls) > 0 {
		attrs = append(attrs, hookTimes(x.Calls)...)
	}
	x.Log.LogAttrs(context.Background(), slog.LevelInfo, "request", attrs...)
}

// hookTimes are the milliseconds of the hooks, and what came of those that
// failed.
func hookTimes(calls []grapnel.Call) []slog.Attr {
	times := make([]slog.Attr, 0, len(calls))
	var failures []slog.Attr
	for i := range calls {
		c := &calls[i]
		name := c.Stage.String() + "." + c.Plugin + "." + c.Hook
		times = append(times, slog.Float64(name, milliseconds(c.Took)))
		if o := outcomeOf(c); failed(o) || o == grapnel.OutcomeSkipped {
			failures = append(failures, slog.GroupAttrs(name, slog.String("outcome", string(o)), slog.String("endpoint", c.Endpoint), slog.Int("retries", c.Retries)))
		}
	}
	out := []slog.Attr{slog.GroupAttrs("hooks", times...)}
	if failures != nil {
		out = append(out, slog.GroupAttrs("failures", failures...))
	}
	return out
}

// requestPath is the path as the client asked for it, whatever hooks made of
// it since.
func requestPath(x *grapnel.Exchange) string {
	path, _, _ := strings.Cut(x.Request.RequestURI, "?")
	return path
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
