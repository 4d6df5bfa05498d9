package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPlan: pairs are side by side at shares of what the one that asks served; the
// upstream comes first, and it and peers have the gateway's rate.
func TestPlan(t *testing.T) {
	var gateways []*gateway
	var rows []row
	for _, t := range append(targets(), target{name: "other", peer: peer{pid: 1}}) {
		gateways = append(gateways, &gateway{target: t})
		rows = append(rows, row{name: t.name, perSecond: 1000 * float64(len(rows))})
	}
	for _, c := range []struct {
		only string
		want []string
	}{
		{"", []string{
			"upstream 700",
			"grapnel, no hook 300", "grapnel, one Pre hook 300", "grapnel, no hook 500", "grapnel, one Pre hook 500", "grapnel, no hook 700", "grapnel, one Pre hook 700",
			"nginx 9100", "nginx, auth_request 9100", "haproxy 10500", "haproxy, SPOE 10500",
			"other 700",
		}},
		{"nginx, auth|SPOE|haproxy|other", []string{"nginx, auth_request 9100", "haproxy 10500", "haproxy, SPOE 10500"}},
		{"stored", nil},
	} {
		var chosen []*gateway
		var served []row
		for i, g := range gateways {
			if regexp.MustCompile(c.only).MatchString(g.target.name) {
				chosen, served = append(chosen, g), append(served, rows[i])
			}
		}
		var got []string
		for _, turn := range plan(&gateway{target: target{name: "upstream"}}, chosen, served) {
			got = append(got, fmt.Sprintf("%s %.0f", turn.target.name, turn.rate))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, not %q", c.only, got, c.want)
		}
	}
}

func TestPace(t *testing.T) {
	without := turn{&gateway{target: target{name: noHook}}, 7000}
	with := turn{&gateway{target: target{name: onePre, without: noHook}}, 7000}
	p := pace{rows: []pacedRow{
		summarisePace(without, []load{{p50: 100 * time.Microsecond, p99: 300 * time.Microsecond, failed: 1}, {p50: 300 * time.Microsecond, p99: 500 * time.Microsecond, failed: 1}}),
		summarisePace(with, []load{{p50: 320 * time.Microsecond, p99: time.Millisecond, late: 7 * time.Microsecond, own: 9 * time.Microsecond}}),
	}}
	want := pacedRow{name: noHook, rate: 7000, p50: 200 * time.Microsecond, p99: 400 * time.Microsecond, p50Spread: 50, p99Spread: 25, failed: 2}
	if p.rows[0] != want {
		t.Errorf("two rounds became %+v, not %+v", p.rows[0], want)
	}
	page := p.page()
	for _, part := range []string{
		"| grapnel, no hook | 7000 | 0.200 ±50 % | 0.40 ±25 % |  |  | 0.000 | 0.0 | 2 |\n",
		"| grapnel, one Pre hook | 7000 | 0.320 ±0 % | 1.00 ±0 % | 120 | 600 | 0.007 | 9.0 | 0 |\n",
	} {
		if !strings.Contains(page, part) {
			t.Errorf("%q is not in\n%s", part, page)
		}
	}
	p.rows = p.rows[1:]
	if page := p.page(); !strings.Contains(page, "1.00 ±0 % |  |  | 0.007") {
		t.Errorf("without the other row:\n%s", page)
	}
}

func TestParsePeer(t *testing.T) {
	got, err := parsePeer("tyk, one hook=http://127.0.0.1:8080/bench/,4711")
	if err != nil || got.name != "tyk, one hook" || got.peer != (peer{"http://127.0.0.1:8080/bench/", 4711}) {
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
