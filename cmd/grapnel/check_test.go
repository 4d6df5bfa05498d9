package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A check tells what nobody should say by accident. It starts no plugin server and
// calls none.
func TestCheck(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	started := filepath.Join(t.TempDir(), "started")
	file := file(t, `
plugins:
  managed: { exec: [touch, "`+started+`"] }
  other: { target: "`+l.Addr().String()+`" }
apis:
- id: a
  listen_path: /a/
  target: http://127.0.0.1:1
  auth: [{ plugin: managed, hook: h, on_error: ignore, let_anyone_in_while_the_plugin_is_down: true }]
  hooks: { post: [{ plugin: other, hook: h }] }
`)
	var out, log bytes.Buffer
	p := &program{ctx: t.Context(), stdout: &out, stderr: &log}
	if code := p.run([]string{"check", "--config", file}); code != 0 {
		t.Fatalf("exit code %d: %s", code, &log)
	}
	if text := out.String(); !strings.Contains(text, "is open to everyone") || !strings.Contains(text, "ok: 1 APIs, 2 plugin servers") {
		t.Errorf("it says %s", text)
	}
	if _, err := os.Stat(started); err == nil {
		t.Error("a plugin server was started")
	}
	own, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	first, err := l.Accept() // they come in the order in which they were made
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if first.RemoteAddr().String() != own.LocalAddr().String() {
		t.Error("a plugin server was called")
	}
}
