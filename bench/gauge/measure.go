package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A gateway is a target that runs.
type gateway struct {
	target
	*process
	url      string
	control  string // the address of the control API
	storeURL string
	dir      string // of its files
}

// addr is where the gateway listens, and path what is asked for there.
func (g *gateway) addr() string { addr, _ := g.parts(); return addr }
func (g *gateway) path() string { _, path := g.parts(); return path }

func (g *gateway) parts() (addr, path string) {
	addr, path, _ = strings.Cut(strings.TrimPrefix(g.url, "http://"), "/")
	return addr, "/" + path
}

// stop ends a gateway that is not needed any more.
func (g *gateway) stop() {
	syscall.Kill(g.pid, syscall.SIGKILL)
	<-g.end
}

// warmUp is how long each gateway is under load before anything is measured:
// connections are open then, and memory has its size.
const warmUp = time.Second

// measure starts the targets' gateways and measures each of them once in every
// round, so that what disturbs the machine disturbs all of them.
func (b *bench) measure(chosen []target, progress io.Writer) (rows []row, p pace, err error) {
	var gateways []*gateway
	for _, t := range chosen {
		g, err := b.open(t)
		if err != nil {
			return nil, p, fmt.Errorf("%s: %w", t.name, err)
		}
		gateways = append(gateways, g)
	}
	samples := make([][]sample, len(gateways))
	for round := range b.rounds {
		fmt.Fprintf(progress, "round %d of %d\n", round+1, b.rounds)
		for i, g := range gateways {
			s, err := b.sample(g)
			if err != nil {
				return nil, p, fmt.Errorf("%s: %w", g.target.name, err)
			}
			samples[i] = append(samples[i], s)
		}
	}
	for i, g := range gateways {
		rows = append(rows, summarise(g.target.name, samples[i]))
	}
	if b.profile != "" {
		return rows, p, b.takeProfile(gateways[0])
	}
	upstream := &gateway{target: target{name: "the upstream itself"}, process: b.upstream, url: "http://" + b.Upstream + "/bench"}
	p, err = b.pace(plan(upstream, gateways, rows), progress)
	return rows, p, err
}

// open starts a target's gateway, sees that it does what its name says, and
// warms it up.
func (b *bench) open(t target) (*gateway, error) {
	g, err := b.begin(t)
	if err != nil {
		return nil, err
	}
	if t.session != "" {
		if err := b.keep(g, t.session, 1, func(int) string { return benchToken }); err != nil {
			return nil, err
		}
	}
	if err := g.check(); err != nil {
		return nil, g.complain(err.Error())
	}
	_, err = drive(b.ctx, g.url, t.header(), b.connections, warmUp)
	return g, err
}

// begin starts a target's gateway, if it does not run already.
func (b *bench) begin(t target) (*gateway, error) {
	if t.peer.pid != 0 {
		return &gateway{target: t, process: &process{name: t.name, pid: t.peer.pid}, url: t.peer.url}, nil
	}
	dir, err := os.MkdirTemp(b.dir, t.program)
	if err != nil {
		return nil, err
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	control := ""
	if t.session != "" {
		if control, err = freeAddress(); err != nil {
			return nil, err
		}
	}
	store, err := b.store(t, dir)
	if err != nil {
		return nil, err
	}
	v := variables{addresses: b.addresses, Dir: dir, Listen: addr, API: t.api, Asks: t.asks, Bodies: t.bodies, Seed: t.seed, Store: store, Metrics: t.metrics, Control: control, Secret: controlSecret, More: make([]struct{}, t.more)}
	for _, name := range t.files() {
		if err := configure(dir, name, v); err != nil {
			return nil, err
		}
	}
	g := &gateway{target: t, dir: dir, url: "http://" + addr + "/bench", control: control, storeURL: store}
	g.process, err = b.start(dir, addr, b.command(t, dir)...)
	return g, err
}

// command runs a target's program with the configuration in dir.
func (b *bench) command(t target, dir string) []string {
	file := filepath.Join(dir, t.files()[0])
	switch t.program {
	case "nginx":
		return []string{"nginx", "-e", "stderr", "-c", file}
	case "haproxy":
		return []string{"haproxy", "-db", "-f", file}
	}
	return []string{b.program("grapnel"), "run", "--config", file}
}

// check sends one request as the load will, and for a target that wants a
// token one without.
func (g *gateway) check() error {
	if g.target.seed != "" {
		if status, _, err := get("http://"+g.addr()+"/seed/", g.header()); err != nil || status != http.StatusOK {
			return fmt.Errorf("no session was stored: status %d, %v", status, err)
		}
	}
	status, header, err := get(g.url, g.header())
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("answers with status %d", status)
	}
	if g.proof != "" && header.Get(g.proof) != "yes" {
		return fmt.Errorf("answers without %s: nobody was asked", g.proof)
	}
	if !g.token {
		return nil
	}
	status, _, err = get(g.url, nil)
	if err == nil && status < 400 {
		err = fmt.Errorf("answers a stranger with status %d", status)
	}
	return err
}

func get(url string, header http.Header) (status int, reply http.Header, err error) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	return resp.StatusCode, resp.Header, resp.Body.Close()
}

// sample measures a gateway once.
func (b *bench) sample(g *gateway) (sample, error) {
	before, err := g.cpu()
	if err != nil {
		return sample{}, g.complain("has ended")
	}
	l, err := drive(b.ctx, g.url, g.header(), b.connections, b.duration)
	if err != nil {
		return sample{}, err
	}
	after, err := g.cpu()
	if err != nil {
		return sample{}, g.complain("has ended")
	}
	if l.requests == 0 {
		return sample{}, g.complain("answers no requests")
	}
	peak, err := g.peakMemory()
	return sample{load: l, cpu: (after - before) / time.Duration(l.requests), peak: peak}, err
}

// takeProfile puts a gateway under load once more and writes its CPU profile.
func (b *bench) takeProfile(g *gateway) error {
	f, err := os.Create(b.profile)
	if err != nil {
		return err
	}
	defer f.Close()
	loaded := make(chan error, 1)
	go func() {
		_, err := drive(b.ctx, g.url, g.header(), b.connections, b.duration+time.Second)
		loaded <- err
	}()
	resp, err := http.Get("http://" + b.profiler + "/debug/pprof/profile?seconds=" + strconv.Itoa(int(b.duration.Seconds())))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(f, resp.Body); err != nil {
		return err
	}
	return <-loaded
}
