package main

import (
	"encoding/xml"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"text/template"
	"time"
)

const report = `Running 5s test @ http://127.0.0.1:40151/bench
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.41ms    1.02ms  21.50ms   76.36%
    Req/Sec    13.57k   810.93    15.69k    68.00%
  Latency Distribution
     50%  950.00us
     75%    2.89ms
     90%    3.68ms
     99%    1.25s
  67499 requests in 5.00s, 12.88MB read
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 90
Requests/sec:  13499.21
Transfer/sec:      2.58MB
`

func TestParseLoad(t *testing.T) {
	l, err := parseLoad(report)
	if err != nil {
		t.Fatal(err)
	}
	want := load{requests: 67499, perSecond: 13499.21, p50: 950 * time.Microsecond, p99: 1250 * time.Millisecond, failed: 100}
	if l != want {
		t.Errorf("read as %+v, not %+v", l, want)
	}
	calm := regexp.MustCompile(`(?m)^  (Socket|Non).*\n`).ReplaceAllString(report, "")
	if l, err := parseLoad(calm); err != nil || l.failed != 0 {
		t.Errorf("without failures: %d failed, %v", l.failed, err)
	}
	for _, missing := range []string{"requests in", "Requests/sec", "50%  ", "99% "} {
		if l, err := parseLoad(strings.ReplaceAll(report, missing, "")); err == nil {
			t.Errorf("without %q: read as %+v", missing, l)
		}
	}
}

func TestParseStat(t *testing.T) {
	const tail = " S 1 4 4 0 -1 4194304 9 0 0 0 150 25 7 8 20 0 5 0 300 9999 88"
	for _, name := range []string{"grapnel", "a) b (c", ""} {
		got, err := parseStat("4711 (" + name + ")" + tail)
		if err != nil || got != 1750*time.Millisecond {
			t.Errorf("a program named %q: %v, %v", name, got, err)
		}
	}
	for _, bad := range []string{"", "4711 (grapnel) S 1 2 3", "4711 (grapnel)" + strings.Replace(tail, "150", "x", 1)} {
		if got, err := parseStat(bad); err == nil {
			t.Errorf("%q: read as %v", bad, got)
		}
	}
}

func TestParsePeak(t *testing.T) {
	got, err := parseStatus("Name:\tVmHWM:\nVmPeak:\t  900 kB\nVmHWM:\t   20480 kB\nVmRSS:\t 100 kB\n", "VmHWM")
	if err != nil || got != 20<<20 {
		t.Errorf("read as %d, %v", got, err)
	}
	if got, err := parseStatus("Name:\tgrapnel\n", "VmHWM"); err == nil {
		t.Errorf("a status without VmHWM was read as %d", got)
	}
}

// TestThisProcess: what the parsers read of a real process makes sense.
func TestThisProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Log("there is no /proc here: the gauge runs on Linux only")
		return
	}
	p := &process{pid: os.Getpid()}
	before, err := p.cpu()
	if err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); ; {
		now, err := p.cpu()
		if err != nil {
			t.Fatal(err)
		}
		if now > before {
			break
		}
		if time.Since(start) > 20*time.Second {
			t.Fatalf("the processor time stays at %v while this loop runs", before)
		}
	}
	if peak, err := p.peakMemory(); err != nil || peak < 1<<20 || peak > 1<<40 {
		t.Errorf("peak memory is %d, %v", peak, err)
	}
}

func TestSummarise(t *testing.T) {
	samples := []sample{
		{load: load{perSecond: 300, p50: 3, p99: 30, failed: 1}, cpu: 90 * time.Microsecond, peak: 5},
		{load: load{perSecond: 100, p50: 1, p99: 10}, cpu: 110 * time.Microsecond, peak: 7},
		{load: load{perSecond: 200, p50: 2, p99: 20, failed: 1}, cpu: 100 * time.Microsecond, peak: 6},
	}
	want := row{
		name: "x", perSecond: 200, perSecondSpread: 50, cpu: 100 * time.Microsecond, cpuSpread: 10,
		p50: 2, p99: 20, peak: 7, failed: 2,
	}
	if r := summarise("x", samples); r != want {
		t.Errorf("three rounds became %+v, not %+v", r, want)
	}
	if r := summarise("x", samples[:2]); r.perSecond != 200 || r.p50 != 2 {
		t.Errorf("the middle of two rounds is %v and %v", r.perSecond, r.p50)
	}
}

func TestChoose(t *testing.T) {
	noNginx := func(program string) bool { return program != "nginx" }
	chosen, programs := choose(targets(), regexp.MustCompile("Pre|nginx|SPOE"), noNginx)
	var names []string
	for _, c := range chosen {
		names = append(names, c.name)
	}
	if got := strings.Join(names, "; "); got != "grapnel, one Pre hook; grapnel, Pre and Post; haproxy, SPOE" {
		t.Errorf("chosen were %s", got)
	}
	if programs["nginx"] || !programs["grapnel"] || !programs["haproxy"] {
		t.Errorf("programs that take part: %v", programs)
	}
}

// TestConfigurations: every file that a target needs is there and can be
// filled in.
func TestConfigurations(t *testing.T) {
	for _, target := range targets() {
		for _, name := range target.files() {
			tmpl, err := template.ParseFS(conf, "conf/"+name)
			if err == nil {
				err = tmpl.Execute(io.Discard, variables{Asks: target.asks, API: target.api})
			}
			if err != nil {
				t.Errorf("%s: %v", target.name, err)
			}
		}
	}
}

func TestSettings(t *testing.T) {
	s, err := parse([]string{"-d", "2", "-r", "3", "-c", "4", "-only", "Pre$"})
	if err != nil || s.duration != 2*time.Second || s.rounds != 3 || s.connections != 4 || !s.only.MatchString("one Pre") {
		t.Errorf("read as %+v, %v", s, err)
	}
	for _, bad := range [][]string{{"-d", "0"}, {"-r", "0"}, {"-c", "0"}, {"-only", "("}, {"more"}} {
		if s, err := parse(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, s)
		}
	}
}

func TestGrowing(t *testing.T) {
	var flat, grows []health
	for i := range int64(30) {
		flat = append(flat, health{memory: 100<<20 + i%2<<20, goroutines: 80, descriptors: 70})
		grows = append(grows, health{memory: 100 << 20, goroutines: 80 + 10*i, descriptors: 70})
	}
	if err := growing(flat); err != nil {
		t.Error(err)
	}
	if err := growing(grows); err == nil || !strings.Contains(err.Error(), "goroutines") || strings.Contains(err.Error(), "memory") {
		t.Errorf("growing goroutines: %v", err)
	}
}

// TestPlot: a plot is well-formed, and its points are in it.
func TestPlot(t *testing.T) {
	svg := series{title: "a", x: "b", y: "c", logX: true, lines: []string{""}, points: []point{{10, []float64{1}}, {10_000, []float64{2.5}}}}.svg()
	decoder, circles := xml.NewDecoder(strings.NewReader(svg)), 0
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "circle" {
			circles++
		}
	}
	if circles != 2 || !strings.Contains(svg, ">10k<") {
		t.Errorf("%d points in\n%s", circles, svg)
	}
}
