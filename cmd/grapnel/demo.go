package main

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/grapnel-gateway/grapnel/observe"
)

// demoFiles are what the demo serves and what it tells its user. The user's
// text is true for the default address, in whose place it gets the real one.
//
//go:embed demo.yaml demo.txt
var demoFiles embed.FS

type demoCommand struct {
	Listen string `help:"Where the gateway listens." default:":8080" placeholder:"ADDRESS"`
}

// Run serves until the program is told to end: an upstream, a plugin server as
// a process of its own, and the gateway between them.
func (c demoCommand) Run(p *program) error {
	dir, err := os.MkdirTemp("", "grapnel-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	upstream, err := startEcho()
	if err != nil {
		return err
	}
	defer upstream.Close()
	socket := filepath.Join(dir, "plugin.sock")
	stop, err := startSamplePlugin(socket, &labelled{out: p.stderr, label: "plugin"})
	if err != nil {
		return err
	}
	defer stop()

	text, err := demoFiles.ReadFile("demo.yaml")
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "demo.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	g := &gateway{
		source: source{Config: file},
		env:    append(slices.Clone(p.env), "DEMO_LISTEN="+c.Listen, "DEMO_PLUGIN=unix://"+socket, "DEMO_UPSTREAM=http://"+upstream.Addr),
		ready:  func(a net.Addr) { p.explainDemo(a, file) },
	}
	first, err := g.source.load(g.env)
	if err != nil {
		return err
	}
	if g.log, err = observe.NewLogger(&labelled{out: p.stderr, label: "gateway"}, first.config.Log); err != nil {
		return err
	}
	return g.run(p.ctx, first)
}

// explainDemo tells the user what to try on a gateway at this address.
func (p *program) explainDemo(a net.Addr, file string) {
	text, err := demoFiles.ReadFile("demo.txt")
	if err != nil {
		return // it is part of the program
	}
	address := a.String()
	if t, ok := a.(*net.TCPAddr); ok && t.IP.IsUnspecified() {
		address = fmt.Sprintf("localhost:%d", t.Port)
	}
	strings.NewReplacer("localhost:8080", address, "CONFIGURATION", file).WriteString(p.stdout, string(text))
}

// startEcho serves the demo's upstream on a free port of this machine. The
// server's Addr says which.
func startEcho() (*http.Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &http.Server{Addr: l.Addr().String(), Handler: http.HandlerFunc(echo)}
	go s.Serve(l) // until Close
	return s, nil
}

// echo answers with the request as it came, but for the headers that are
// different for every client and every request: what the demo promises is then
// what everyone sees.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the gateway is gone
	}
	var b bytes.Buffer
	fmt.Fprintln(&b, r.Method, r.URL)
	r.Header.WriteSubset(&b, map[string]bool{
		"User-Agent": true, "Content-Length": true, "X-Request-Id": true,
		"X-Forwarded-For": true, "X-Forwarded-Host": true, "X-Forwarded-Proto": true,
	})
	if len(body) > 0 {
		fmt.Fprintf(&b, "\n%s\n", body)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write(bytes.ReplaceAll(b.Bytes(), []byte("\r\n"), []byte("\n")))
}

// labelled writes lines to out, each with a label that says whose it is.
type labelled struct {
	out   io.Writer
	label string
	line  []byte // the beginning of a line
}

// Write passes on the lines that are complete.
func (l *labelled) Write(b []byte) (int, error) {
	l.line = append(l.line, b...)
	for {
		line, rest, ok := bytes.Cut(l.line, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		if _, err := fmt.Fprintf(l.out, "%s | %s\n", l.label, line); err != nil {
			return 0, err
		}
		l.line = append(l.line[:0], rest...)
	}
}
