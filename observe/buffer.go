package observe

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// The bounds of what a [Buffer] holds back.
const (
	heldBytes = 32 << 10
	heldFor   = 100 * time.Millisecond
)

// A Buffer holds log lines back for a tenth of a second at most, so that a busy
// gateway writes many of them at once. Whoever ends the process flushes it. It is
// for use by several goroutines.
type Buffer struct {
	to io.Writer

	mu    sync.Mutex
	held  []byte
	timer *time.Timer // runs while anything is held
}

// NewBuffer makes a buffer in front of a writer.
func NewBuffer(to io.Writer) *Buffer { return &Buffer{to: to} }

// Write holds lines back. It reports no errors: nobody could log them.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := len(b.held) == 0
	b.held = append(b.held, p...)
	switch {
	case len(b.held) >= heldBytes:
		b.flush()
	case !first:
	case b.timer == nil:
		b.timer = time.AfterFunc(heldFor, b.Flush)
	default:
		b.timer.Reset(heldFor)
	}
	return len(p), nil
}

// Flush writes what is held.
func (b *Buffer) Flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flush()
}

func (b *Buffer) flush() {
	if len(b.held) > 0 {
		b.to.Write(b.held)
		b.held = b.held[:0]
	}
}

// prompt is a handler whose warnings are not held back, nor what came before them.
type prompt struct {
	slog.Handler
	buffer *Buffer
}

// Handle implements [slog.Handler].
func (p prompt) Handle(ctx context.Context, r slog.Record) error {
	err := p.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		p.buffer.Flush()
	}
	return err
}

// WithAttrs implements [slog.Handler].
func (p prompt) WithAttrs(attrs []slog.Attr) slog.Handler {
	return prompt{p.Handler.WithAttrs(attrs), p.buffer}
}

// WithGroup implements [slog.Handler].
func (p prompt) WithGroup(name string) slog.Handler {
	return prompt{p.Handler.WithGroup(name), p.buffer}
}
