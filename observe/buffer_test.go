package observe_test

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/observe"
)

// A page is a writer that tells what was written to it, and in how many pieces.
type page struct {
	mu     sync.Mutex
	text   bytes.Buffer
	pieces int
	wrote  chan struct{}
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pieces++
	select {
	case p.wrote <- struct{}{}:
	default:
	}
	return p.text.Write(b)
}

// TestBuffer: lines come together and in order, none later than a moment, and a
// warning takes all before it along.
func TestBuffer(t *testing.T) {
	p := &page{wrote: make(chan struct{}, 1)}
	b := observe.NewBuffer(p)
	log, err := observe.NewLogger(b, grapnel.Log{Format: "text"})
	if err != nil {
		t.Fatal(err)
	}
	log = log.With("api", "a")
	log.Info("one")
	log.Info("two")
	log.Warn("three")
	p.mu.Lock()
	text := p.text.String()
	p.mu.Unlock()
	one, two, three := strings.Index(text, "one"), strings.Index(text, "two"), strings.Index(text, "three")
	if one < 0 || two < one || three < two {
		t.Errorf("a warning left %q", text)
	}
	for len(p.wrote) > 0 {
		<-p.wrote
	}
	log.Info("four")
	<-p.wrote // by itself
	log.Info("five")
	b.Flush()
	p.mu.Lock()
	defer p.mu.Unlock()
	if text := p.text.String(); !strings.Contains(text, "four") || !strings.Contains(text, "five") {
		t.Errorf("%q", text)
	}
	if n := strings.Count(p.text.String(), "\n"); n != 5 {
		t.Errorf("%d lines of 5", n)
	}
}

// BenchmarkLine is a line with and without the buffer, without the system call.
func BenchmarkLine(b *testing.B) {
	log, err := observe.NewLogger(observe.NewBuffer(io.Discard), grapnel.Log{Format: "json"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		log.Info("request", "status", 200)
	}
}
