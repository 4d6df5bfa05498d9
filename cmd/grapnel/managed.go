package main

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/process"
)

// patience is how long a plugin server that the gateway starts may take to serve
// before the gateway goes on without it.
const patience = 20 * time.Second

// wardenCommand keeps a plugin server that a gateway runs.
type wardenCommand struct {
	Command []string `arg:"" passthrough:""`
}

// Run runs the command until standard input ends.
func (c wardenCommand) Run(p *program) error {
	os.Exit(process.Warden(c.Command, os.Stdin, p.stderr))
	return nil
}

// processes are the plugin servers that the gateway runs.
type processes struct {
	env  []string
	log  *slog.Logger
	dial func(grapnel.PluginServer) (grapnel.Plugin, error)
	gone sync.WaitGroup // those that are being stopped
}

// open connects to a plugin server, which it starts before if that is its part.
func (m *processes) open(s grapnel.PluginServer) (grapnel.Plugin, error) {
	if len(s.Exec) == 0 {
		return m.dial(s)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := process.Start(process.Options{
		Name: s.Name, Command: s.Exec, Warden: []string{self, "warden"}, Environ: m.environ(), Patience: patience, Log: m.log,
	})
	if err != nil {
		return nil, fmt.Errorf("exec: %s %w", s.Exec[0], err)
	}
	s.Exec, s.Target = nil, "unix://"+p.Socket()
	opened, err := m.dial(s)
	if err != nil {
		p.Stop()
		return nil, err
	}
	return &managed{Plugin: opened, process: p, gone: &m.gone}, nil
}

// environ is what plugin servers see of the environment: not what configures the
// gateway, its secrets among it.
func (m *processes) environ() []string {
	return slices.DeleteFunc(slices.Clone(m.env), func(variable string) bool {
		return strings.HasPrefix(variable, "GRAPNEL_") || strings.HasPrefix(variable, "TYK_GW_")
	})
}

// A managed plugin is one whose server the gateway runs.
type managed struct {
	grapnel.Plugin
	process *process.Process
	gone    *sync.WaitGroup
}

// State adds how often the server was started again.
func (m *managed) State() grapnel.PluginState {
	s := m.Plugin.State()
	s.Restarts = m.process.Restarts()
	return s
}

// Close ends the connection and, without waiting for it, the server: exchanges
// are not to wait for a slow end.
func (m *managed) Close() error {
	err := m.Plugin.Close()
	m.gone.Go(m.process.Stop)
	return err
}
