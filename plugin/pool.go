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

	mu     sync.Mutex
	shared map[string]*shared // by everything that is configured of a server
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
func (p *Pool) Lease(servers map[string]*grapnel.PluginServer) (*Lease, error) {
	l := &Lease{pool: p, plugins: map[string]grapnel.Plugin{}}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(servers)) {
		s := *servers[name]
		if len(s.Versions) > 0 {
			continue // those that it chooses from come first
		}
		whole, err := json.Marshal(s)
		if err != nil {
			l.release()
			return nil, fmt.Errorf("plugins.%s: %w", name, err)
		}
		key := string(whole)
		if p.shared[key] == nil {
			opened, err := p.open(s)
			if err != nil {
				l.release()
				return nil, fmt.Errorf("plugins.%s: %w", name, err)
			}
			p.shared[key] = &shared{plugin: opened}
		}
		p.shared[key].users++
		l.servers, l.plugins[name] = append(l.servers, key), p.shared[key].plugin
	}
	if err := l.split(servers); err != nil {
		l.release()
		return nil, err
	}
	return l, nil
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
	l.release()
}

func (l *Lease) release() {
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
