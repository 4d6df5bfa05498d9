package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A study is one of the series, and how it is measured.
type study struct {
	series
	measure func(*bench, *series) error
}

// growth measures how costs grow with the work, and writes what it finds to
// GROWTH.md and one plot for each series, in dir.
func (b *bench) growth(dir string, progress io.Writer) error {
	var found []series
	for _, st := range studies() {
		if b.only != nil && !b.only.MatchString(st.name) {
			continue
		}
		s := st.series
		if err := st.measure(b, &s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintln(progress, s.page())
		found = append(found, s)
	}
	if b.only != nil {
		return nil
	}
	for _, s := range found {
		if err := os.WriteFile(filepath.Join(dir, s.file()), []byte(s.svg()), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "GROWTH.md"), []byte(growthPage(found, b.duration)), 0o644)
}

func growthPage(found []series, each time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# How costs grow\n\nWritten by `make bench`. Each figure is the median of three measurements, %.0f s together, on the machine below, which runs everything: the shape counts, not the third digit. "+
		"CPU is the gateway's process alone; [README.md](README.md) says how it is measured.\n\n- machine: %s\n- date: %s\n", each.Seconds(), machine(), time.Now().Format(time.DateOnly))
	for _, s := range found {
		b.WriteString("\n" + s.page())
	}
	return b.String()
}

// page is what GROWTH.md says of a series.
func (s series) page() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\n![%s](%s)\n\n", s.title, s.note, s.title, s.file())
	heads := append([]string{s.x}, s.heads()...)
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(heads, " | "), strings.Repeat("---:|", len(heads)))
	for _, p := range s.points {
		fmt.Fprintf(&b, "| %s |", short(p.x))
		for _, y := range p.y {
			fmt.Fprintf(&b, " %s |", figure(y))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// heads are the columns of the table behind x.
func (s series) heads() []string {
	if len(s.lines) == 1 {
		return append([]string{s.y}, s.aside...)
	}
	heads := make([]string, len(s.lines))
	for i, line := range s.lines {
		heads[i] = line + ", " + s.y
	}
	return append(heads, s.aside...)
}

// figure writes a number of the table with three digits, or more where they are
// before the point.
func figure(v float64) string {
	digits := 0
	for limit := 100.0; v != math.Trunc(v) && v < limit && digits < 3; limit /= 10 {
		digits++
	}
	return fmt.Sprintf("%.*f", digits, v)
}

// across measures the lines one after the other, each on a gateway of its own that
// serves all points.
func (b *bench) across(s *series, xs []float64, targets []target, f func(x float64) fire) error {
	s.points = make([]point, len(xs))
	for _, t := range targets {
		t.program = "grapnel"
		g, err := b.open(t)
		if err != nil {
			return err
		}
		for i, x := range xs {
			y, err := b.cost(g, f(x))
			if err != nil {
				return err
			}
			s.points[i].x, s.points[i].y = x, append(s.points[i].y, y)
		}
		g.stop()
	}
	return nil
}

// alone measures a point on a gateway of its own.
func (b *bench) alone(s *series, x float64, t target, f fire) error {
	t.program = "grapnel"
	g, err := b.open(t)
	if err != nil {
		return err
	}
	defer g.stop()
	y, err := b.cost(g, f)
	s.points = append(s.points, point{x, []float64{y}})
	return err
}

// cost is the CPU time of one request of a load, in microseconds: the median of
// three measurements.
func (b *bench) cost(g *gateway, f fire) (float64, error) {
	const times = 3
	f.addr, f.lasts = g.addr(), b.duration/times
	if f.connections == 0 {
		f.connections = b.connections
	}
	if _, err := f.run(b.ctx); err != nil { // warms up
		return 0, fmt.Errorf("%w; %w", err, g.complain("was asked"))
	}
	var found []float64
	for range times {
		before, err := g.cpu()
		if err != nil {
			return 0, err
		}
		l, err := f.run(b.ctx)
		if err != nil {
			return 0, fmt.Errorf("%w; %w", err, g.complain("was asked"))
		}
		after, err := g.cpu()
		if err != nil {
			return 0, err
		}
		if l.requests == 0 || l.failed > 0 {
			return 0, g.complain(fmt.Sprintf("failed %d of %d requests", l.failed, l.requests))
		}
		found = append(found, float64((after-before).Microseconds())/float64(l.requests))
	}
	middle, _ := median(found, func(v float64) float64 { return v })
	return middle, nil
}

const (
	cpuPerRequest = "CPU µs/request"
	pre           = "hooks: { pre: [{ plugin: bench, hook: Mark }] }"
)

// studies are the series, in the order of GROWTH.md.
func studies() []study {
	one := []string{""}
	return []study{
		{series{name: "hooks", title: "Pre hooks", x: "hooks", y: cpuPerRequest, lines: one,
			note: "A GET without a body; every hook asks the plugin server anew."}, byHooks},
		{series{name: "headers", title: "Request headers", x: "bytes of headers", y: cpuPerRequest, lines: []string{"no hook", "one Pre hook"},
			note: "A GET whose headers have so many bytes, about 50 each; a Pre hook gets them all and sends them back."}, byHeaders},
		{series{name: "body", title: "Bodies", x: "KB of body", y: cpuPerRequest, logX: true, logY: true, lines: []string{"no hook", "hook without the body", "hook with the body once", "hook with the body"},
			note: "A POST over 4 connections. Without a hook, or with a Pre hook that has `send: { body: none }`, the body streams to the upstream. Else it goes to the plugin server, comes back and goes upstream: once with `raw_body_only`, as bytes, or else twice, as bytes and as text."}, byBody},
		{series{name: "apis", title: "APIs", x: "APIs", y: cpuPerRequest, logX: true, lines: one,
			note: "A GET without hooks for one of so many APIs."}, byAPIs},
		{series{name: "keys", title: "Stored keys", x: "keys", y: cpuPerRequest, logX: true,
			note: "GETs with one after the other of 1000 tokens, however many are stored; and with one after the other of all, which is the worst case of a cache: with 1,000,000 of them most sessions are read from the store."}, byKeys},
		{series{name: "rights", title: "Access rights", x: "rights", y: cpuPerRequest, logX: true,
			lines: []string{"no hook", "hook without the session", "hook with its metadata", "hook with the session"},
			note:  "A GET with a stored token whose session has rights for so many APIs, and a PostKeyAuth hook with `send: { session: none }`, `metadata`, or without a word, which is all but secrets."}, byRights},
		{series{name: "idle", title: "Idle connections", x: "connections", y: "MiB resident", lines: one,
			note: "Connections that have had one reply each and wait."}, byIdle},
		{series{name: "loading", title: "Loading definitions", x: "definitions", y: "s", logX: true, lines: []string{"to start", "to reload under load"},
			aside: []string{"requests", "failed", "p99 before, ms", "p99 meanwhile, ms"}}, byLoading},
	}
}

func byHooks(b *bench, s *series) error {
	for n := range 5 {
		hooks := strings.TrimSuffix(strings.Repeat("{ plugin: bench, hook: Mark }, ", n), ", ")
		t := target{api: "hooks: { pre: [" + hooks + "] }"}
		if n > 0 {
			t.proof = "X-Seen"
		}
		if err := b.alone(s, float64(n), t, fire{request: plain("/bench", nil)}); err != nil {
			return err
		}
	}
	return nil
}

func byHeaders(b *bench, s *series) error {
	return b.across(s, []float64{200, 500, 1000, 2000, 4000, 8000}, []target{{}, {api: pre, proof: "X-Seen"}}, func(x float64) fire {
		return fire{request: headed("/bench", int(x))}
	})
}

func byBody(b *bench, s *series) error {
	targets := []target{
		{bodies: true},
		{bodies: true, proof: "X-Seen", api: "hooks: { pre: [{ plugin: bench, hook: Mark, send: { body: none } }] }"},
		{bodies: true, proof: "X-Seen", api: "hooks: { pre: [{ plugin: bench, hook: Mark, raw_body_only: true }] }"},
		{bodies: true, proof: "X-Seen", api: pre},
	}
	return b.across(s, []float64{1, 10, 100, 1000, 10_000}, targets, func(x float64) fire {
		return fire{connections: 4, request: plain("/bench", bytes.Repeat([]byte("x"), int(x)<<10))}
	})
}

func byAPIs(b *bench, s *series) error {
	for _, n := range []int{10, 100, 1000, 10_000} {
		if err := b.alone(s, float64(n), target{more: n - 1}, fire{request: plain("/bench", nil)}); err != nil {
			return err
		}
	}
	return nil
}
