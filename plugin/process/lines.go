package process

import (
	"bytes"
	"log/slog"
	"sync"
)

// maxLine is the length from which a line is logged in pieces.
const maxLine = 8 << 10

// lines logs what is written to it, line by line.
type lines struct {
	log *slog.Logger

	mu   sync.Mutex
	rest []byte
	tail string // the last line that was not empty
}

// Write implements [io.Writer]. It never fails.
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(b)
	for {
		line, rest, found := bytes.Cut(b, []byte("\n"))
		l.rest = append(l.rest, line...)
		if !found && len(l.rest) < maxLine {
			return n, nil
		}
		l.line()
		if b = rest; !found {
			return n, nil
		}
	}
}

func (l *lines) line() {
	if text := string(bytes.TrimRight(l.rest, " \r")); text != "" {
		l.tail = text
		l.log.Info(text, "from", "plugin")
	}
	l.rest = l.rest[:0]
}

// flush logs a last line without an end.
func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line()
}

// last is the last line that was written.
func (l *lines) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if text := bytes.TrimSpace(l.rest); len(text) > 0 {
		return string(text)
	}
	return l.tail
}
