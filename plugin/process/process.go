// Package process runs plugin servers that belong to the gateway: it starts
// them, waits until they serve, passes on what they print, starts them again when
// they die, and leaves none behind, however the gateway itself ends.
package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// SocketVariable is the environment variable that tells a plugin server the path
// of the unix socket to serve on.
const SocketVariable = "GRAPNEL_PLUGIN_SOCKET"

// Options say what is run.
type Options struct {
	// Name is the plugin server's name, for the log.
	Name string
	// Command is the program and its arguments.
	Command []string
	// Warden is the command that runs [Warden] with what follows it.
	Warden []string
	// Environ is the environment, without the socket's variable.
	Environ []string
	// Patience is how long Start waits for the server to serve.
	Patience time.Duration
	// Log gets what happens, and what the server prints.
	Log *slog.Logger
}

// The pauses before a server that died is started again: the first, and the
// longest. One that ran for steady begins with the first again.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 30 * time.Second
	steady     = 30 * time.Second
)

// A Process is a plugin server that the gateway runs.
type Process struct {
	options  Options
	log      *slog.Logger
	dir      string // only the gateway's user gets in
	restarts atomic.Int64
	stop     context.CancelFunc
	done     chan struct{}
}

// Start starts the server and waits until it serves. One that ends before is an
// error with the last line it printed; one that takes longer than the patience is
// not, for it may yet come.
func Start(o Options) (*Process, error) {
	dir, err := os.MkdirTemp("", "grapnel-plugin-")
	if err != nil {
		return nil, fmt.Errorf("a folder for the plugin's socket: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &Process{options: o, log: o.Log.With(slog.String("plugin", o.Name)), dir: dir, stop: stop, done: make(chan struct{})}
	first, started := make(chan error), make(chan struct{})
	go p.keep(ctx, first, started)
	if err := p.await(first); err != nil {
		p.Stop()
		return nil, err
	}
	close(started)
	return p, nil
}

// Socket is the path of the unix socket that the server serves on.
func (p *Process) Socket() string { return filepath.Join(p.dir, "plugin.sock") }

// Restarts counts how often the server died and was started again.
func (p *Process) Restarts() int { return int(p.restarts.Load()) }

// Stop ends the server: it is asked to, with SIGTERM, and made to after a while.
// It returns when nothing is left of it.
func (p *Process) Stop() {
	p.stop()
	<-p.done
}

// await waits until the server serves, or its first run has ended.
func (p *Process) await(first <-chan error) error {
	patience := time.NewTimer(p.options.Patience)
	defer patience.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case err := <-first:
			return fmt.Errorf("ended before it served: %w", err)
		case <-patience.C:
			p.log.Warn("the plugin server does not serve yet", "waited", p.options.Patience.String())
			return nil
		case <-look.C:
			if c, err := net.Dial("unix", p.Socket()); err == nil {
				c.Close()
				return nil
			}
		}
	}
}

// keep runs the server over and over, until the context ends, or once if it ends
// before it has started.
func (p *Process) keep(ctx context.Context, first chan<- error, started <-chan struct{}) {
	defer close(p.done)
	defer os.RemoveAll(p.dir)
	pause := firstPause
	for {
		begun := time.Now()
		err := p.run(ctx)
		if ctx.Err() != nil {
			return
		}
		select {
		case first <- err:
			return
		case <-started:
		}
		if time.Since(begun) > steady {
			pause = firstPause
		}
		p.log.Error("the plugin server ended and is started again", "error", err, "in", pause.String())
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
		p.restarts.Add(1)
	}
}

// run runs the server once, under its warden, until it has ended or the context
// has. The warden watches the other end of its standard input, which this
// process alone holds: the system closes it whatever kills the gateway.
func (p *Process) run(ctx context.Context) error {
	if err := os.Remove(p.Socket()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	out := &lines{log: p.log}
	defer out.flush()
	cmd := exec.Command(p.options.Warden[0], append(p.options.Warden[1:len(p.options.Warden):len(p.options.Warden)], p.options.Command...)...)
	cmd.Env = append(p.options.Environ[:len(p.options.Environ):len(p.options.Environ)], SocketVariable+"="+p.Socket())
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal's ^C is for the gateway
	cmd.WaitDelay = time.Second                           // for output that someone else holds open
	leash, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	release := context.AfterFunc(ctx, func() { leash.Close() })
	defer release()
	err = cmd.Wait()
	if err == nil {
		err = errors.New("exit status 0")
	}
	if last := out.last(); last != "" {
		err = fmt.Errorf("%w: %s", err, last)
	}
	return err
}
