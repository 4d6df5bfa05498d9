package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"text/template"
)

//go:embed conf
var conf embed.FS

// A bench is everything that takes part, in one folder of temporary files.
type bench struct {
	ctx  context.Context
	stop context.CancelFunc
	dir  string
	settings

	addresses
	profiler string // the address at which a gateway serves profiles
	upstream *process
	running  []*process
}

// addresses are where the gateways find what they talk to.
type addresses struct {
	Upstream, Reader, Plugin, AgentSPOP, AgentHTTP string
}

// newBench builds the programs and starts all but the gateways.
func newBench(ctx context.Context, root string, s settings) (*bench, error) {
	dir, err := os.MkdirTemp("", "grapnel-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{dir: dir, settings: s, addresses: s.fixed}
	b.ctx, b.stop = context.WithCancel(ctx)
	if err := b.prepare(root); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bench) prepare(root string) error {
	for _, a := range []*string{&b.Upstream, &b.Reader, &b.Plugin, &b.AgentSPOP, &b.AgentHTTP, &b.profiler} {
		if *a != "" {
			continue
		}
		var err error
		if *a, err = freeAddress(); err != nil {
			return err
		}
	}
	if err := b.build(root); err != nil {
		return err
	}
	upstream := []string{b.program("upstream"), "-listen", b.Upstream}
	if installed("nginx") {
		if err := configure(b.dir, "upstream.conf", variables{Dir: b.dir, Listen: b.Upstream}); err != nil {
			return err
		}
		upstream = []string{"nginx", "-e", "stderr", "-c", filepath.Join(b.dir, "upstream.conf")}
	}
	var err error
	if b.upstream, err = b.start(b.dir, b.Upstream, upstream...); err != nil {
		return err
	}
	for _, p := range []struct {
		addr    string
		command []string
	}{
		{b.Reader, []string{b.program("upstream"), "-listen", b.Reader}},
		{b.Plugin, []string{b.program("plugin"), "-listen", b.Plugin}},
		{b.AgentSPOP, []string{b.program("agent"), "-spop", b.AgentSPOP, "-http", b.AgentHTTP}},
	} {
		if _, err := b.start(b.dir, p.addr, p.command...); err != nil {
			return err
		}
	}
	return nil
}

// build compiles the gateway, for a profile with a few lines laid over it, and
// the programs around it.
func (b *bench) build(root string) error {
	args := []string{"build", "-o", b.dir}
	if b.profile != "" {
		overlay, err := b.overlay(root)
		if err != nil {
			return err
		}
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(b.ctx, "go", append(args, "./cmd/grapnel", "./bench/plugin", "./bench/agent", "./bench/upstream")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// overlay writes what cmd/grapnel is built with for a profile.
func (b *bench) overlay(root string) (file string, err error) {
	const name = "profile.go.txt"
	if err := configure(b.dir, name, variables{Listen: b.profiler}); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(root, "cmd", "grapnel", "profile.go"): filepath.Join(b.dir, name),
	}})
	if err != nil {
		return "", err
	}
	file = filepath.Join(b.dir, "overlay.json")
	return file, os.WriteFile(file, text, 0o600)
}

// store starts what a target's store needs, and returns its URL.
func (b *bench) store(t target, dir string) (string, error) {
	switch t.store {
	case "file":
		return filepath.Join(dir, "grapnel.db"), nil
	case "redis":
		addr, err := freeAddress()
		if err != nil {
			return "", err
		}
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return "", err
		}
		_, err = b.start(dir, addr, redis, "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", dir)
		return "redis://" + addr + "/0", err
	}
	return "memory:", nil
}

// program is the file of a program that was built.
func (b *bench) program(name string) string { return filepath.Join(b.dir, name) }

// start starts a process that ends with the bench; what it writes goes to a
// file in dir.
func (b *bench) start(dir, addr string, command ...string) (*process, error) {
	p, err := start(b.ctx, dir, addr, command...)
	if p != nil {
		b.running = append(b.running, p)
	}
	return p, err
}

// close ends all processes and removes the folder.
func (b *bench) close() {
	b.stop()
	for _, p := range b.running {
		<-p.end
	}
	os.RemoveAll(b.dir)
}

// variables are what the files of conf leave open.
type variables struct {
	addresses
	Dir     string // for the program's own files
	Listen  string
	API     string     // as in target
	Asks    bool       // as in target
	Bodies  bool       // as in target
	Seed    string     // as in target
	Store   string     // the URL of it
	More    []struct{} // as many APIs more
	Metrics bool       // as in target
	Control string     // the address of the control API; empty is none
	Secret  string     // of it
}

// configure writes a file of conf, filled in, to a folder.
func configure(dir, name string, v variables) error {
	t, err := template.ParseFS(conf, "conf/"+name)
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	return t.Execute(f, v)
}

// freeAddress returns an address of this machine at which nothing listens. It is
// below the ports from which systems take those of connections, so that none of the
// many has it when it is needed.
func freeAddress() (string, error) {
	const lowest, end, tries = 10_000, 32_768, 100
	var err error
	for range tries {
		addr := fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(end-lowest))
		var l net.Listener
		if l, err = net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", err
}
