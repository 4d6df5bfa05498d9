package tyk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/config"
)

// A set-up can say things that the original has no words for, under the key
// grapnel, which it ignores. The values are written as in the native
// configuration.

// confExtension is "grapnel" of tyk.conf.
type confExtension struct {
	Plugins map[string]*grapnel.PluginServer `yaml:"plugins"` // beside the default one
}

// middlewareExtension is "grapnel" of custom_middleware.
type middlewareExtension struct {
	Plugin string           `yaml:"plugin"`         // the server that the API's hooks ask
	Budget grapnel.Duration `yaml:"plugins_budget"` // of the API
}

// extension reads the value of a key grapnel; none is nothing.
func extension(raw json.RawMessage, into any) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var text bytes.Buffer
	if err := json.Compact(&text, raw); err != nil {
		return err
	}
	return config.Decode(text.Bytes(), into)
}

// plugins are the plugin servers of the set-up.
func (l *loading) plugins() (map[string]*grapnel.PluginServer, error) {
	var more confExtension
	if err := extension(l.conf.Grapnel, &more); err != nil {
		return nil, fmt.Errorf("grapnel: %s", oneLine(err))
	}
	all := l.conf.plugins()
	for name, s := range more.Plugins {
		if all == nil {
			all = map[string]*grapnel.PluginServer{}
		}
		all[name] = s
	}
	return all, nil
}

// extensions translate what a definition says to this gateway alone.
type extensions struct{ *translation }

// api reads what the definition says of the API to this gateway alone.
func (t extensions) api(a *grapnel.API) {
	t.asks = t.plugin
	var more middlewareExtension
	if err := extension(t.d.CustomMiddleware.Grapnel, &more); err != nil {
		t.refuse("custom_middleware.grapnel", "%s", oneLine(err))
	}
	if more.Plugin != "" {
		t.asks = more.Plugin
	}
	a.PluginsBudget = more.Budget
}

// hook makes a hook, with what the definition says of it to this gateway alone.
func (t extensions) hook(at string, h hook, stage grapnel.Stage) grapnel.Hook {
	out := grapnel.Hook{Plugin: t.asks, Timeout: grapnel.Inherit, Stage: stage}
	at += ".grapnel"
	if err := extension(h.Grapnel, &out); err != nil {
		t.refuse(at, "%s", oneLine(err))
	}
	if out.Name != "" || out.RawBodyOnly {
		t.refuse(at, "hook and raw_body_only stand beside it, as name and raw_body_only")
	}
	out.Name, out.RawBodyOnly = h.Name, h.RawBodyOnly
	return out
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
