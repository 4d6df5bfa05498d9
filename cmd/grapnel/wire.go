package main

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/admin"
	"github.com/grapnel-gateway/grapnel/plugin/coprocess"
	"github.com/grapnel-gateway/grapnel/server"
)

// newServer builds the gateway: it is the one place that knows which protocols
// there are and how the parts fit.
func newServer(c *grapnel.Config, log *slog.Logger, reload admin.Control) (*server.Server, http.Handler, error) {
	s, err := server.New(c, server.Options{Open: openPlugin, Log: log})
	if err != nil {
		return nil, nil, err
	}
	health := admin.Health(admin.Vitals{Version: version, Plugins: s.Plugins, Store: "store", Ping: func(context.Context) error { return nil }})
	control := admin.Handler(admin.Options{Secret: c.Admin.Secret, Control: reload, Log: log})
	if c.Admin.Health != "" {
		s.Handle(c.Admin.Health, health)
	}
	if c.Admin.Prefix != "" {
		s.Handle(c.Admin.Prefix, http.StripPrefix(strings.TrimSuffix(c.Admin.Prefix, "/"), control))
	}
	own := http.NewServeMux()
	own.Handle("/hello", health)
	own.Handle("/tyk/", http.StripPrefix("/tyk", control))
	return s, own, nil
}

// openPlugin connects to a plugin server. All of them speak coprocess.
func openPlugin(s grapnel.PluginServer) (grapnel.Plugin, error) { return coprocess.New(s) }
