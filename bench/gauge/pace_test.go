package main

import (
	"strings"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	p := pace{rate: 7000, rows: []pacedRow{
		summarisePace(noHook, []load{{p50: 100 * time.Microsecond, p99: 300 * time.Microsecond, failed: 1}, {p50: 300 * time.Microsecond, p99: 500 * time.Microsecond, failed: 1}}),
		summarisePace(onePre, []load{{p50: 320 * time.Microsecond, p99: time.Millisecond, late: 7 * time.Microsecond}}),
	}}
	want := pacedRow{name: noHook, p50: 200 * time.Microsecond, p99: 400 * time.Microsecond, p50Spread: 50, p99Spread: 25, failed: 2}
	if p.rows[0] != want {
		t.Errorf("two rounds became %+v, not %+v", p.rows[0], want)
	}
	if got := p.added(); got != "One Pre hook adds 120 µs at p50 and 600 µs at p99." {
		t.Error(got)
	}
	page := p.page()
	for _, part := range []string{"7000 requests a second", "| grapnel, no hook | 0.200 ±50 % | 0.40 ±25 % | 0.000 | 0.0 | 2 |", p.added()} {
		if !strings.Contains(page, part) {
			t.Errorf("%q is not in\n%s", part, page)
		}
	}
	p.rows = p.rows[:1]
	if got := p.added(); got != "" {
		t.Errorf("without the other row: %s", got)
	}
}

func TestParsePeer(t *testing.T) {
	got, err := parsePeer("tyk, one hook=http://127.0.0.1:8080/bench/,4711")
	if err != nil || got.name != "tyk, one hook" || got.peer != (peer{"http://127.0.0.1:8080/bench/", 4711}) || !got.paced {
		t.Errorf("read as %+v, %v", got, err)
	}
	for _, bad := range []string{"", "tyk", "tyk=http://127.0.0.1:8080/", "=http://127.0.0.1:8080/,1", "tyk=https://127.0.0.1:8080/,1", "tyk=http://h/,1", "tyk=http://h:1/,0"} {
		if got, err := parsePeer(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, got)
		}
	}
	s, err := parse([]string{"-peer", "a=http://h:1/,1", "-peer", "b=http://h:2/,2", "-upstream", "127.0.0.1:9000"})
	if err != nil || len(s.peers) != 2 || s.fixed.Upstream != "127.0.0.1:9000" {
		t.Errorf("%+v, %v", s, err)
	}
	if chosen, programs := choose(s.peers, nil, func(string) bool { return false }); len(chosen) != 2 || programs[""] {
		t.Errorf("%d are chosen, programs %v", len(chosen), programs)
	}
	g := gateway{url: s.peers[0].peer.url}
	if g.addr() != "h:1" || g.path() != "/" {
		t.Errorf("asked for %q at %q", g.path(), g.addr())
	}
}

// TestPage: what is aside is in the table and not in the plot.
func TestPage(t *testing.T) {
	s := series{name: "n", title: "T", x: "x", y: "µs", logX: true, logY: true, lines: []string{"a", "b"}, aside: []string{"failed"}, note: "Note.",
		points: []point{{1, []float64{1.234, 40, 0}}, {1000, []float64{123.4, 4000, 7}}}}
	page := s.page()
	for _, part := range []string{"## T\n\nNote.\n\n![T](growth-n.svg)", "| x | a, µs | b, µs | failed |\n|---:|---:|---:|---:|\n", "| 1 | 1.23 | 40 | 0 |\n| 1000 | 123 | 4000 | 7 |\n"} {
		if !strings.Contains(page, part) {
			t.Errorf("%q is not in\n%s", part, page)
		}
	}
	if svg := s.svg(); strings.Count(svg, "<circle") != 4 || strings.Count(svg, "<polyline") != 2 || strings.Contains(svg, "NaN") || !strings.Contains(svg, ">10k<") {
		t.Error(svg)
	}
}
