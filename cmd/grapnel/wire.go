package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/admin"
	"github.com/grapnel-gateway/grapnel/keys"
	"github.com/grapnel-gateway/grapnel/oauth"
	"github.com/grapnel-gateway/grapnel/observe"
	"github.com/grapnel-gateway/grapnel/plugin/coprocess"
	"github.com/grapnel-gateway/grapnel/plugin/fleet"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/direct"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/standard"
	"github.com/grapnel-gateway/grapnel/server"
	"github.com/grapnel-gateway/grapnel/store"
)

// parts are what a gateway is made of. wire.go is the one place that knows
// which protocols, stores and configuration formats there are, and how they fit.
type parts struct {
	store     grapnel.Store
	cache     *store.SessionCache
	keys      *keys.Ring
	oauth     *oauth.Server
	server    *server.Server
	catalog   grapnel.Catalog
	processes processes
	metrics   *observe.Metrics       // nil while they are off
	tracing   *observe.Tracing       // likewise
	admin     http.Handler           // the control API on its own listener
	loaded    atomic.Pointer[loaded] // what is in force
}

// wire builds a gateway. On error nothing is left of it.
func wire(ctx context.Context, l *loaded, log *slog.Logger, control admin.Control) (_ *parts, err error) {
	c := l.config
	p := &parts{processes: processes{env: os.Environ(), log: log, dial: dialer(log)}}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.store, err = store.Open(storeOf(c), store.Options{Log: log, NodeSecret: c.NodeSecret, AllowInsecure: c.AllowInsecure}); err != nil {
		return nil, err
	}
	p.catalog = p.store
	if l.catalog != nil {
		p.catalog = l.catalog
	}
	sessions, err := p.sessions(c)
	if err != nil {
		return nil, err
	}
	if p.keys, err = keys.New(sessions, c.Keys, keys.NewPolicies()); err != nil {
		return nil, err
	}
	whole, policies, err := l.whole(ctx, p.catalog, log)
	if errors.Is(err, grapnel.ErrUnavailable) {
		log.Error("what the control API has published is not known; what the files say is served until it is", "error", err)
		whole, policies, err = l.whole(ctx, nil, log)
	}
	if err != nil {
		return nil, err
	}
	p.keys.SetPolicies(policies)
	operator := admin.NewGate(c.Admin.Secret)
	p.oauth = oauth.New(oauth.Options{
		Records: p.store, Keys: p.keys,
		Operator: func(client netip.Addr, secret string) error { return operator.Admit(client.String(), secret) },
	})
	options := server.Options{Open: p.processes.open, Keys: p.keys, Counters: p.store, Records: p.store, OAuth: p.oauth, Log: log}
	if err = p.watch(c, &options, log); err != nil {
		return nil, err
	}
	if p.server, err = server.New(whole, options); err != nil {
		return nil, err
	}
	p.loaded.Store(l)
	p.publish(c, log, control)
	return p, nil
}

// sessions are those of the store, behind a cache where reading one takes more
// than a look into memory.
func (p *parts) sessions(c *grapnel.Config) (_ grapnel.Sessions, err error) {
	if storeOf(c) == inMemory {
		return p.store, nil
	}
	p.cache, err = store.Cache(p.store, p.store, time.Duration(c.Keys.CacheFor), time.Duration(c.Keys.Grace))
	return p.cache, err
}

// reload puts a configuration into force, whole or not at all: without the store
// nothing is known to be whole.
func (p *parts) reload(ctx context.Context, l *loaded, log *slog.Logger) error {
	whole, policies, err := l.whole(ctx, p.catalog, log)
	if err != nil {
		return err
	}
	if err := p.server.Reload(whole); err != nil {
		return err
	}
	p.keys.SetPolicies(policies)
	p.loaded.Store(l)
	return nil
}

// publish puts the control API and the health report where the configuration
// wants them.
func (p *parts) publish(c *grapnel.Config, log *slog.Logger, control admin.Control) {
	vitals := admin.Vitals{Version: version, Plugins: p.server.Plugins, Store: storeName(storeOf(c)), Ping: p.store.Ping}
	health, ready, metrics := admin.Health(vitals), admin.Ready(vitals), p.publishMetrics(c)
	handler := admin.Handler(admin.Options{
		Secret: c.Admin.Secret, Control: control,
		Keys: p.keys, Rules: c.Keys, Counters: p.store, Catalog: p.catalog, Signals: p.store,
		Policy:   func(id string) (*grapnel.Policy, bool) { return p.keys.Policies().Policy(id) },
		Validate: func(definition []byte) error { return p.loaded.Load().validate(definition) },
		API:      p.server.API,
		APIs:     p.server.APIs,
		OAuth:    p.oauth,
		Records:  p.store,
		Plugins:  p.plugins,
		Event:    p.server.Tell,
		Log:      log,
	})
	if c.Admin.Health != "" {
		p.server.Handle(c.Admin.Health, health)
		p.server.Handle("/ready", ready)
	}
	if c.Admin.Prefix != "" {
		p.server.Handle(c.Admin.Prefix, http.StripPrefix(strings.TrimSuffix(c.Admin.Prefix, "/"), handler))
	}
	tyk := http.StripPrefix("/tyk", handler)
	// Not a ServeMux: it would redirect keys that hold // or .. elsewhere.
	p.admin = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/hello":
			health.ServeHTTP(w, r)
		case path == "/ready":
			ready.ServeHTTP(w, r)
		case path == "/metrics" && metrics != nil:
			metrics.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/grapnel/"): // what the original has not
			handler.ServeHTTP(w, r)
		default:
			tyk.ServeHTTP(w, r) // which knows what is not found
		}
	})
}

// close ends what was begun, in the order in which things lean on each other.
func (p *parts) close() {
	if p.server != nil {
		p.server.Close()
	}
	p.processes.gone.Wait() // no plugin server outlives the gateway
	p.tracing.Close()
	if p.cache != nil {
		p.cache.Close()
	}
	if p.store != nil {
		p.store.Close()
	}
}

// follow reloads when another gateway says so.
func (p *parts) follow(ctx context.Context, log *slog.Logger, reload func()) {
	err := p.store.Subscribe(ctx, func(s grapnel.Signal) {
		if s.Kind == grapnel.SignalReload || s.Kind == grapnel.SignalLost {
			reload()
		}
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		log.Error("other gateways are not heard", "error", err)
	}
}

// dialer connects to plugin servers. All of them speak coprocess, over the
// gateway's own client of unary calls or the stock one, which alone has streams.
func dialer(log *slog.Logger) func(grapnel.PluginServer) (grapnel.Plugin, error) {
	return func(s grapnel.PluginServer) (grapnel.Plugin, error) {
		carrier := func(o rpc.Options) (rpc.Conn, error) {
			c, err := direct.New(o)
			if err != nil {
				return nil, err
			}
			return standard.WithStreams(c, o), nil
		}
		if s.Client == "grpc" {
			carrier = func(o rpc.Options) (rpc.Conn, error) { return standard.New(o) }
		}
		f, err := fleet.New(s, carrier, log)
		if err != nil {
			return nil, err
		}
		return coprocess.New(s, f), nil
	}
}

// inMemory is the store that is gone with the process.
const inMemory = "memory:"

// storeOf is the store of a configuration. One that names none and keeps nothing
// leaves no file behind.
func storeOf(c *grapnel.Config) string {
	if c.Store != "" {
		return c.Store
	}
	keeps := func(a *grapnel.API) bool { return len(a.Auth) > 0 || a.Limits.RateLimit.Rate > 0 }
	if c.Admin.Secret != "" || slices.ContainsFunc(c.APIs, keeps) {
		return "grapnel.db"
	}
	return inMemory
}

// storeName is what health reports call the store; never its address.
func storeName(url string) string {
	switch {
	case strings.HasPrefix(url, "redis"):
		return "redis"
	case url == "memory:":
		return "memory"
	}
	return "file"
}
