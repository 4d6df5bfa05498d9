package main

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/config"
	"github.com/grapnel-gateway/grapnel/config/tyk"
	"github.com/grapnel-gateway/grapnel/keys"
)

// source is where a configuration comes from. It is shared by the commands that
// read one.
type source struct {
	Config  string `help:"Native configuration file." type:"path" placeholder:"FILE" xor:"source"`
	TykConf string `help:"tyk.conf of a Tyk set-up, with TYK_GW_* environment." type:"path" placeholder:"FILE" xor:"source"`
}

// loaded is a configuration and what there is to say about it.
type loaded struct {
	config  *grapnel.Config
	notices []tyk.Notice
	watch   []string // files and folders it was made from
	// catalog is where the control API publishes; nil is the store.
	catalog grapnel.Catalog
}

// whole is the configuration with what the control API has published, and the
// policies that belong to it.
func (l *loaded) whole(catalog grapnel.Catalog) (*grapnel.Config, *keys.Policies, error) {
	policies, err := config.Policies(l.config.PolicyPath)
	if err != nil {
		return nil, nil, err
	}
	return l.config, keys.NewPolicies(slices.Collect(maps.Values(policies))...), nil
}

// validate says why an API definition cannot be served.
func (l *loaded) validate([]byte) error { return nil }

// load reads the configuration. It may be called again, for a reload.
func (s source) load(env []string) (*loaded, error) {
	if s.TykConf != "" {
		return s.loadTyk(env)
	}
	path := cmp.Or(s.Config, "grapnel.yaml")
	c, err := config.Load(path, lookup(env))
	if err != nil {
		return nil, err
	}
	watch := []string{path}
	if c.ErrorTemplates != "" {
		watch = append(watch, c.ErrorTemplates)
	}
	return &loaded{config: c, watch: watch}, nil
}

func (s source) loadTyk(env []string) (*loaded, error) {
	set := tyk.Source{Path: s.TykConf, Environ: env}
	c, notices, err := set.Load()
	if err != nil {
		return nil, err
	}
	files, err := set.Files()
	if err != nil {
		return nil, err
	}
	if c.ErrorTemplates != "" {
		files = append(files, c.ErrorTemplates)
	}
	return &loaded{config: c, notices: notices, watch: files}, nil
}

// report writes the notices of a configuration to the log.
func report(log *slog.Logger, l *loaded) {
	for _, n := range l.notices {
		log.Log(context.Background(), n.Level, n.Message, "file", n.File, "key", n.Path, "places", n.Count)
	}
}

// lookup finds a variable in an environment; the last entry of a name counts.
func lookup(env []string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := len(env) - 1; i >= 0; i-- {
			if v, ok := strings.CutPrefix(env[i], name+"="); ok {
				return v, true
			}
		}
		return "", false
	}
}
