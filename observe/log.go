// Package observe is how the gateway is watched: its log, its access log, the
// webhooks that tell of events, figures for Prometheus and traces for
// OpenTelemetry.
package observe

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/grapnel-gateway/grapnel"
)

// NewLogger makes the gateway's logger: text on a terminal, JSON else, unless
// the configuration says which. In front of a [Buffer], warnings and errors are
// written at once.
func NewLogger(w io.Writer, c grapnel.Log) (*slog.Logger, error) {
	options := &slog.HandlerOptions{}
	if c.Level != "" {
		var level slog.Level
		if err := level.UnmarshalText([]byte(c.Level)); err != nil {
			return nil, fmt.Errorf("log.level: %q is none of debug, info, warn, error", c.Level)
		}
		options.Level = level
	}
	buffer, buffered := w.(*Buffer)
	var h slog.Handler
	switch {
	case c.Format == "text", c.Format == "" && (terminal(w) || buffered && terminal(buffer.to)):
		h = slog.NewTextHandler(w, options)
	case c.Format == "json", c.Format == "":
		h = slog.NewJSONHandler(w, options)
	default:
		return nil, fmt.Errorf("log.format: %q is neither text nor json", c.Format)
	}
	if buffered {
		h = prompt{h, buffer}
	}
	return slog.New(h), nil
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
