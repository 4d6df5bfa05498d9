package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"reflect"
	"sync"
	"syscall"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/observe"
)

type runCommand struct {
	source
	quick
	Listen string `help:"Listen here instead of where the configuration says." placeholder:"ADDRESS"`
	Store  string `help:"Keep sessions and counters here instead of where the configuration says: a file, memory: or redis://HOST:PORT/0." placeholder:"STORE"`
}

// Run serves until the program is told to end, and then drains.
func (c runCommand) Run(p *program) error {
	file, remove, err := c.quick.file()
	if err != nil {
		return err
	}
	defer remove()
	c.Config = cmp.Or(file, c.Config)
	first, err := c.load(p.env)
	if err != nil {
		return err
	}
	c.override(first.config)
	out := observe.NewBuffer(p.stderr)
	defer out.Flush()
	log, err := observe.NewLogger(out, first.config.Log)
	if err != nil {
		return err
	}
	collectLess(p.ctx)
	return (&gateway{source: c.source, override: c.override, env: p.env, log: log}).run(p.ctx, first)
}

// override puts what the command line says in the place of what the
// configuration does.
func (c runCommand) override(to *grapnel.Config) {
	to.Listen = cmp.Or(c.Listen, to.Listen)
	to.Store = cmp.Or(c.Store, to.Store)
}

// A gateway is a server with its listeners and its configuration's source.
type gateway struct {
	source   source
	override func(*grapnel.Config) // the command line's word; may be nil
	env      []string
	log      *slog.Logger
	ready    func(net.Addr) // told where clients are served; may be nil

	parts   *parts
	watcher watcher
	reload  sync.Mutex
	started grapnel.Server // the process's own part of the configuration
	store   string         // the one that is open
}

func (g *gateway) run(ctx context.Context, first *loaded) error {
	c := first.config
	g.started, g.store = c.Server, storeOf(c)
	if first.catalog != nil {
		first.catalog = quietCatalog{first.catalog, g.watcher.accept}
	}
	p, err := wire(ctx, first, g.log, g)
	if err != nil {
		return err
	}
	defer p.close()
	g.parts = p
	report(g.log, first)

	l, err := listen(c.Listen)
	if err != nil {
		return err
	}
	if err := g.serveAdmin(ctx, p.admin); err != nil {
		l.Close()
		return err
	}
	g.follow(ctx, first.watch)
	g.log.Info("serving", "address", l.Addr().String(), "apis", len(c.APIs), "plugins", len(c.Plugins), "version", version)
	if g.ready != nil {
		g.ready(l.Addr())
	}
	err = p.server.Serve(ctx, l)
	if err == nil {
		g.log.Info("drained")
	}
	return err
}

// serveAdmin serves the control API on its own listener, where there is one,
// for as long as the context lasts.
func (g *gateway) serveAdmin(ctx context.Context, h http.Handler) error {
	address := g.started.Admin.Listen
	if address == "" {
		return nil
	}
	l, err := listen(address)
	if err != nil {
		return fmt.Errorf("admin: %w", err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(g.log.Handler(), slog.LevelDebug)}
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			g.log.Error("control API ended", "error", err)
		}
	}()
	context.AfterFunc(ctx, func() { srv.Close() })
	g.log.Info("control API", "address", l.Addr().String())
	return nil
}

// follow reloads at SIGHUP and when the configuration's files change.
func (g *gateway) follow(ctx context.Context, paths []string) {
	reload := func() { g.Reload(ctx) } // which has logged what went wrong
	g.parts.follow(ctx, g.log, reload)
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	go func() {
		defer signal.Stop(hup)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hup:
				reload()
			}
		}
	}()
	if len(paths) == 0 {
		return
	}
	if err := g.watcher.start(ctx, paths, g.log, reload); err != nil {
		g.log.Warn("changes of the configuration are not noticed; send SIGHUP", "error", err)
	}
}

func (g *gateway) load() (*loaded, error) {
	l, err := g.source.load(g.env)
	if err == nil && g.override != nil {
		g.override(l.config)
	}
	return l, err
}

// Reload reads the configuration again and serves it, whole or not at all.
func (g *gateway) Reload(ctx context.Context) error {
	g.reload.Lock()
	defer g.reload.Unlock()
	next, err := g.load()
	if err == nil {
		err = g.parts.reload(ctx, next, g.log)
	}
	g.parts.metrics.Reloaded(err)
	if err != nil {
		g.log.Error("reload failed, the previous configuration goes on serving", "error", err)
		return err
	}
	report(g.log, next)
	if !reflect.DeepEqual(next.config.Server, g.started) {
		g.log.Warn("settings outside of apis and plugins changed; they take effect at the next start")
	}
	if now := storeOf(next.config); now != g.store {
		g.log.Warn("the configuration needs another store than the one that is open; it is opened at the next start", "open", storeName(g.store), "needed", storeName(now))
	}
	g.log.Info("reloaded", "apis", len(next.config.APIs), "plugins", len(next.config.Plugins))
	return nil
}

// listen opens an address, with an error that says what to do when it is taken.
func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use by another program; choose another one in the configuration, or with --listen for clients", address)
	}
	return l, err
}
