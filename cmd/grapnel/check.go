package main

import (
	"fmt"
	"log/slog"

	"github.com/grapnel-gateway/grapnel"
)

type checkCommand struct{ source }

// quiet makes a plugin server one that nobody starts, and that is asked nothing
// before its first call.
func quiet(s *grapnel.PluginServer) {
	if len(s.Exec) > 0 {
		s.Exec, s.Target = nil, "unix:///nowhere"
	}
	s.Health.Interval = 0
}

// Run loads the configuration as run would, builds the gateway without serving
// it, and tells what it found.
func (c checkCommand) Run(p *program) error {
	l, err := c.load(p.env)
	if err != nil {
		return err
	}
	l.config.Store = "memory:" // what is checked must leave no trace
	for _, s := range l.config.Plugins {
		quiet(s)
	}
	built, err := wire(p.ctx, l, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return err
	}
	built.close()
	refused := 0
	for _, n := range l.notices {
		fmt.Fprintln(p.stdout, n)
		if n.Level >= slog.LevelError {
			refused++
		}
	}
	if refused > 0 {
		return fmt.Errorf("%d definitions cannot be served", refused)
	}
	_, err = fmt.Fprintf(p.stdout, "ok: %d APIs, %d plugin servers\n", len(l.config.APIs), len(l.config.Plugins))
	return err
}
