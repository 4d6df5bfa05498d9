package plugin

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/grapnel-gateway/grapnel"
)

// A Pool shares the connections to plugin servers between the configurations
// that a gateway has served and serves: a server whose settings did not change
// keeps its connection across reloads, and the last one to leave closes it.
type Pool struct {
	open func(grapnel.PluginServer) (grapnel.Plugin, error)

	leasing sync.Mutex         // one at a time, for as long as it takes to open servers
	mu      sync.Mutex         // guards what is shared, for a moment
	shared  map[string]*shared // by everything that is configured of a server
}

type shared struct {
	plugin grapnel.Plugin
	users  int
}

// NewPool makes an empty pool. Servers are opened with open, which knows the
// wire protocols.
func NewPool(open func(grapnel.PluginServer) (grapnel.Plugin, error)) *Pool {
	return &Pool{open: open, shared: map[string]*shared{}}
}

// A Lease is the right of one configuration to use its plugin servers.
type Lease struct {
	pool    *Pool
	servers []string
	splits  []grapnel.Plugin // choices between the servers, which are the lease's own
	plugins map[string]grapnel.Plugin
}

// Lease opens the servers that are not open yet. On error it has opened none.
// Others can be released meanwhile.
func (p *Pool) Lease(servers map[string]*grapnel.PluginServer) (*Lease, error) {
	l := &Lease{pool: p, plugins: map[string]grapnel.Plugin{}}
	p.leasing.Lock()
	defer p.leasing.Unlock()
	for _, name := range slices.Sorted(maps.Keys(servers)) {
		if len(servers[name].Versions) > 0 {
			continue // those that it chooses from come first
		}
		if err := l.take(name, *servers[name]); err != nil {
			l.Release()
			return nil, fmt.Errorf("plugins.%s: %w", name, err)
		}
	}
	if err := l.split(servers); err != nil {
		l.Release()
		return nil, err
	}
	return l, nil
}

// take adds a server to the lease, which it opens if nobody else has it.
func (l *Lease) take(name string, s grapnel.PluginServer) error {
	whole, err := json.Marshal(s)
	if err != nil {
		return err
	}
	key := string(whole)
	held := l.pool.hold(key)
	if held == nil {
		opened, err := l.pool.open(s)
		if err != nil {
			return err
		}
		held = l.pool.add(key, opened)
	}
	l.servers, l.plugins[name] = append(l.servers, key), held.plugin
	return nil
}

// hold takes an open server, or returns nil.
func (p *Pool) hold(key string) *shared {
	p.mu.Lock()
	defer p.mu.Unlock()
	held := p.shared[key]
	if held != nil {
		held.users++
	}
	return held
}

func (p *Pool) add(key string, opened grapnel.Plugin) *shared {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shared[key] = &shared{plugin: opened, users: 1}
	return p.shared[key]
}

// split makes the choices between servers.
func (l *Lease) split(servers map[string]*grapnel.PluginServer) error {
	for _, name := range slices.Sorted(maps.Keys(servers)) {
		if len(servers[name].Versions) == 0 {
			continue
		}
		chooses, err := NewVersions(*servers[name], l.Plugin)
		if err != nil {
			return fmt.Errorf("plugins.%s: %w", name, err)
		}
		l.splits, l.plugins[name] = append(l.splits, chooses), chooses
	}
	return nil
}

// Plugin is the [Lookup] of the lease.
func (l *Lease) Plugin(name string) (grapnel.Plugin, bool) {
	p, ok := l.plugins[name]
	return p, ok
}

// States tells how each server of the lease stands, by name.
func (l *Lease) States() map[string]grapnel.PluginState {
	out := make(map[string]grapnel.PluginState, len(l.plugins))
	for name, p := range l.plugins {
		out[name] = p.State()
	}
	return out
}

// Release gives the servers back. It may be called once.
func (l *Lease) Release() {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	for _, s := range l.splits {
		s.Close()
	}
	for _, s := range l.servers {
		held := l.pool.shared[s]
		if held.users--; held.users == 0 {
			delete(l.pool.shared, s)
			held.plugin.Close() // what it fails at cannot matter any more
		}
	}
}
