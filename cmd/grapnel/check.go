package main

import (
	"fmt"
	"log/slog"
)

type checkCommand struct{ source }

// Run loads the configuration as run would, builds the gateway without serving
// it, and tells what it found.
func (c checkCommand) Run(p *program) error {
	l, err := c.load(p.env)
	if err != nil {
		return err
	}
	l.config.Store = "memory:" // what is checked must leave no trace
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
