package main

import (
	"cmp"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/admin"
	"github.com/grapnel-gateway/grapnel/observe"
	"github.com/grapnel-gateway/grapnel/server"
)

// watch makes what a gateway is watched by, as far as it is configured, and has
// the server use it.
func (p *parts) watch(c *grapnel.Config, o *server.Options, log *slog.Logger) (err error) {
	if c.Metrics.Enabled {
		p.metrics = observe.NewMetrics(version)
		o.Metrics = p.metrics
	}
	if p.tracing, err = observe.NewTracing(c.Tracing, version, log); p.tracing != nil {
		o.Tracer = p.tracing // a nil one would not be a nil Tracer
	}
	return err
}

// publishMetrics has the metrics look at the gateway's parts, and returns the page
// with them; nil while they are off.
func (p *parts) publishMetrics(c *grapnel.Config) http.Handler {
	if p.metrics == nil {
		return nil
	}
	p.metrics.Watch(observe.Sources{Plugins: p.server.Plugins, Store: storeName(storeOf(c)), Ping: p.store.Ping, Events: p.server.Events})
	page := p.metrics.Handler()
	if c.Metrics.Path != "" {
		p.server.Handle(c.Metrics.Path, page)
	}
	return page
}

// plugins tells how the plugin servers stand and what their calls came to.
func (p *parts) plugins() []admin.PluginStatus {
	states, figures := p.server.Plugins(), p.metrics.Figures()
	configured := p.loaded.Load().config.Plugins
	var out []admin.PluginStatus
	for _, name := range slices.Sorted(maps.Keys(states)) {
		s := admin.PluginStatus{Name: name, PluginState: states[name], Figures: figures[name][""]}
		if c := configured[name]; c != nil {
			s.Versions = c.Versions
		}
		for _, e := range states[name].Endpoints {
			s.Replicas = append(s.Replicas, admin.ReplicaStatus{EndpointState: e, Figures: figures[name][e.Address]})
		}
		slices.SortFunc(s.Replicas, func(a, b admin.ReplicaStatus) int { return cmp.Compare(a.Address, b.Address) })
		out = append(out, s)
	}
	return out
}
