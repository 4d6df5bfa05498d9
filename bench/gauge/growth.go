package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// growth measures how costs grow with the work, and writes what it finds to
// GROWTH.md and one plot for each series, in dir.
func (b *bench) growth(dir string, progress io.Writer) error {
	var found []series
	for _, kind := range []struct {
		name    string
		measure func() (series, error)
	}{
		{"hooks", b.byHooks}, {"body", b.byBody}, {"apis", b.byAPIs}, {"keys", b.byKeys},
		{"rights", b.byRights}, {"rate", b.byRate}, {"idle", b.byIdle}, {"loading", b.byLoading},
	} {
		if b.only != nil && !b.only.MatchString(kind.name) {
			continue
		}
		s, err := kind.measure()
		if err != nil {
			return err
		}
		fmt.Fprintf(progress, "%s: %v\n%s\n", s.title, s.points, s.note)
		found = append(found, s)
	}
	if b.only != nil {
		return nil
	}
	for _, s := range found {
		if err := os.WriteFile(filepath.Join(dir, "growth-"+s.name+".svg"), []byte(s.svg()), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "GROWTH.md"), []byte(growthPage(found, b.duration)), 0o644)
}

func growthPage(found []series, each time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# How costs grow\n\nWritten by `make bench`. Times are of one run on the machine below, which does other things too: the shape counts, not the third digit. "+
		"CPU is the gateway's process alone.\n\n- machine: %s\n- date: %s\n- each point: %.0f s\n", machine(), time.Now().Format(time.DateOnly), each.Seconds())
	for _, s := range found {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n![%s](growth-%s.svg)\n\n| %s | %s |\n|---:|---:|\n", s.title, s.note, s.title, s.name, s.x, s.y)
		for _, p := range s.points {
			fmt.Fprintf(&b, "| %s | %.4g |\n", short(p.x), p.y)
		}
	}
	return b.String()
}

const cpuPerRequest = "CPU µs/request"

// cost is the CPU time of one request of a load, in microseconds.
func (b *bench) cost(g *gateway, f fire) (float64, error) {
	f.addr, f.connections, f.lasts = g.addr(), cmpOr(f.connections, b.connections), b.duration
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
	return float64((after - before).Nanoseconds()) / 1e3 / float64(l.requests), nil
}

func cmpOr(a, b int) int {
	if a != 0 {
		return a
	}
	return b
}

func (g *gateway) addr() string {
	return strings.TrimSuffix(strings.TrimPrefix(g.url, "http://"), "/bench")
}

// stopped ends a gateway that is not needed any more.
func (g *gateway) stopped() {
	if p, err := os.FindProcess(g.pid); err == nil {
		p.Signal(syscall.SIGKILL)
	}
	<-g.end
}

// point opens a gateway for one point, measures and stops it.
func (b *bench) point(x float64, t target, f fire) (point, error) {
	t.program = "grapnel"
	g, err := b.open(t)
	if err != nil {
		return point{}, err
	}
	defer g.stopped()
	y, err := b.cost(g, f)
	return point{x, y}, err
}

func (b *bench) byHooks() (series, error) {
	s := series{name: "hooks", title: "Pre hooks", x: "hooks", y: cpuPerRequest, note: "A GET without a body; every hook asks the plugin server anew."}
	for n := range 4 {
		hooks := strings.TrimSuffix(strings.Repeat("{ plugin: bench, hook: Mark }, ", n), ", ")
		p, err := b.point(float64(n), target{api: "hooks: { pre: [" + hooks + "] }"}, fire{request: plain("/bench", nil)})
		if err != nil {
			return s, err
		}
		s.points = append(s.points, p)
	}
	return s, nil
}

func (b *bench) byBody() (series, error) {
	s := series{name: "body", title: "Bodies with a Pre hook", x: "KB of body", y: cpuPerRequest, logX: true,
		note: "A POST whose body goes to the plugin server, comes back and goes upstream; 4 connections."}
	for _, kb := range []int{1, 10, 100, 1000, 3000} {
		p, err := b.point(float64(kb), target{api: "hooks: { pre: [{ plugin: bench, hook: Mark }] }"},
			fire{connections: 4, request: plain("/bench", bytes.Repeat([]byte("x"), kb<<10))})
		if err != nil {
			return s, err
		}
		s.points = append(s.points, p)
	}
	return s, nil
}

func (b *bench) byAPIs() (series, error) {
	s := series{name: "apis", title: "APIs", x: "APIs", y: cpuPerRequest, logX: true, note: "A GET without hooks for one of so many APIs."}
	for _, n := range []int{10, 100, 1000, 10_000} {
		p, err := b.point(float64(n), target{more: n - 1}, fire{request: plain("/bench", nil)})
		if err != nil {
			return s, err
		}
		s.points = append(s.points, p)
	}
	return s, nil
}

// byKeys seeds the keys by way of an auth hook, which stores a session for every
// token that it accepts.
func (b *bench) byKeys() (series, error) {
	s := series{name: "keys", title: "Stored keys", x: "keys", y: cpuPerRequest, logX: true, note: "A GET with one of so many tokens, whose session is in memory."}
	g, err := b.open(target{program: "grapnel", api: storedToken, seed: "Accept", token: true})
	if err != nil {
		return s, err
	}
	defer g.stopped()
	sizes := []int{10, 1000, 10_000, 100_000, 1_000_000}
	if b.duration < 5*time.Second {
		sizes = sizes[:3] // to store a million takes minutes
	}
	have := 0
	for _, n := range sizes {
		seed := fire{addr: g.addr(), connections: b.connections, count: n - have, request: func(b []byte, i int) []byte {
			return fmt.Appendf(b, "GET /seed/ HTTP/1.1\r\nHost: bench\r\nAuthorization: caller-%d\r\n\r\n", have+i)
		}}
		if l, err := seed.run(b.ctx); err != nil || l.failed > 0 {
			return s, fmt.Errorf("%d keys were not stored, %w", l.failed, err)
		}
		have = n
		y, err := b.cost(g, fire{request: holding("/bench", n)})
		if err != nil {
			return s, err
		}
		s.points = append(s.points, point{float64(n), y})
	}
	return s, nil
}

func (b *bench) byRights() (series, error) {
	s := series{name: "rights", title: "Access rights", x: "rights", y: cpuPerRequest, logX: true,
		note: "A GET with a stored token whose session has rights for so many APIs, and one Post hook, which gets the session."}
	for _, n := range []int{10, 100, 1000} {
		p, err := b.point(float64(n), target{api: storedToken + "\n    hooks: { post: [{ plugin: bench, hook: Mark }] }", token: true, seed: fmt.Sprintf("AcceptRights%d", n)},
			fire{request: holdingOne("/bench")})
		if err != nil {
			return s, err
		}
		s.points = append(s.points, p)
	}
	return s, nil
}

func holdingOne(path string) func([]byte, int) []byte {
	return func(b []byte, _ int) []byte {
		return fmt.Appendf(b, "GET %s HTTP/1.1\r\nHost: bench\r\nAuthorization: bench\r\n\r\n", path)
	}
}

// byRate finds how many requests one hook lets through at most, and sends 70 % of
// that at a fixed rate without a hook and with it.
func (b *bench) byRate() (series, error) {
	s := series{name: "rate", title: "At a fixed rate", x: "hooks", y: "µs at p50",
		note: "GETs at 70 % of what a gateway with one hook serves at most, sent when they are due whether or not the earlier ones were answered."}
	hooked := target{program: "grapnel", api: "hooks: { pre: [{ plugin: bench, hook: Mark }] }"}
	rate := 0.0
	for _, t := range []target{hooked, {program: "grapnel"}, hooked} {
		g, err := b.open(t)
		if err != nil {
			return s, err
		}
		l, err := fire{addr: g.addr(), connections: 2 * b.connections, lasts: b.duration, rate: rate, request: plain("/bench", nil)}.run(b.ctx)
		g.stopped()
		if err != nil {
			return s, err
		}
		if rate == 0 {
			rate = 0.7 * l.perSecond
			continue
		}
		s.points = append(s.points, point{float64(len(s.points)), float64(l.p50.Microseconds())})
		s.note += fmt.Sprintf(" With %d: %.0f/s, p50 %v, p99 %v.", len(s.points)-1, l.perSecond, l.p50.Round(time.Microsecond), l.p99.Round(time.Microsecond))
	}
	return s, nil
}

func (b *bench) byIdle() (series, error) {
	s := series{name: "idle", title: "Idle connections", x: "connections", y: "MiB resident", note: "Connections that have had one reply each and wait."}
	g, err := b.open(target{program: "grapnel"})
	if err != nil {
		return s, err
	}
	defer g.stopped()
	var open []net.Conn
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	for _, n := range []int{0, 1000, 5000, 9000} { // with the upstream's, below most limits on descriptors
		for len(open) < n {
			c, err := net.Dial("tcp", g.addr())
			if err != nil {
				return s, err
			}
			open = append(open, c)
			if _, err := io.WriteString(c, "GET /bench HTTP/1.1\r\nHost: bench\r\n\r\n"); err != nil {
				return s, err
			}
			if n, err := c.Read(make([]byte, 4<<10)); n == 0 {
				return s, err
			}
		}
		time.Sleep(time.Second)
		bytes, err := g.memory()
		if err != nil {
			return s, err
		}
		s.points = append(s.points, point{float64(n), float64(bytes) / (1 << 20)})
	}
	return s, nil
}

// byLoading starts gateways with so many definitions and has them reload under
// load, which must not fail a request.
func (b *bench) byLoading() (series, error) {
	s := series{name: "loading", title: "Loading definitions", x: "definitions", y: "s to serve", note: "From the start of the process until it serves. Under load, reloading failed no request and took:"}
	for _, n := range []int{10, 1000, 10_000} {
		begin := time.Now()
		g, err := b.begin(target{program: "grapnel", more: n - 1})
		if err != nil {
			return s, err
		}
		s.points = append(s.points, point{float64(n), time.Since(begin).Seconds()})
		took, err := reload(b, g)
		g.stopped()
		if err != nil {
			return s, err
		}
		s.note += fmt.Sprintf(" %d definitions %.1f s.", n, took.Seconds())
	}
	s.note = strings.TrimSuffix(s.note, ".") + "."
	return s, nil
}

// reload publishes one more API under load and returns how long it took to be there.
func reload(b *bench, g *gateway) (time.Duration, error) {
	config := filepath.Join(g.dir, "grapnel.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		return 0, err
	}
	const path = "/fresh/" // belongs to the measured API until the new one is there, whose upstream is not
	text = fmt.Appendf(text, "\n  - { id: fresh, listen_path: %s, target: http://127.0.0.1:1 }\n", path)
	served := make(chan error, 1)
	go func() {
		l, err := fire{addr: g.addr(), connections: b.connections, lasts: b.duration + 10*time.Second, request: plain("/bench", nil)}.run(b.ctx)
		if err == nil && l.failed > 0 {
			err = fmt.Errorf("%d requests failed during a reload", l.failed)
		}
		served <- err
	}()
	begin := time.Now()
	if err := os.WriteFile(config, text, 0o600); err != nil {
		return 0, err
	}
	if err := syscall.Kill(g.pid, syscall.SIGHUP); err != nil {
		return 0, err
	}
	took := time.Duration(0)
	for took == 0 && time.Since(begin) < 30*time.Second {
		if status, _, err := get("http://"+g.addr()+path, nil); err == nil && status != http.StatusOK {
			took = time.Since(begin)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if took == 0 {
		return 0, g.complain("does not reload")
	}
	return took, <-served
}
