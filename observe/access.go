package observe

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// Access writes the access log's line about an exchange that is over: who asked
// for what, what the answer was, how long it took, and how long each hook did.
// Times are milliseconds. The query is left out, since it may hold secrets.
func Access(x *grapnel.Exchange, status int, bytes int64) {
	attrs := make([]slog.Attr, 0, 10)
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
	if len(x.Calls) > 0 {
		hooks := make([]slog.Attr, 0, len(x.Calls))
		for _, c := range x.Calls {
			name := c.Stage.String() + "." + c.Plugin + "." + c.Hook
			hooks = append(hooks, slog.Float64(name, milliseconds(c.Took)))
		}
		attrs = append(attrs, slog.GroupAttrs("hooks", hooks...))
	}
	x.Log.LogAttrs(context.Background(), slog.LevelInfo, "request", attrs...)
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
