package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
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
	// validate says why an API definition cannot be served.
	validate func(definition []byte) error
}

// whole is the configuration with what the control API has published, nothing
// where the catalog is nil, and the policies that belong to it.
func (l *loaded) whole(ctx context.Context, catalog grapnel.Catalog, log *slog.Logger) (*grapnel.Config, *keys.Policies, error) {
	policies, err := config.Policies(l.config.PolicyPath)
	if err != nil {
		return nil, nil, err
	}
	c := *l.config
	if l.catalog == nil && catalog != nil {
		if policies, err = l.published(ctx, catalog, log, &c, policies); err != nil {
			return nil, nil, err
		}
	}
	return &c, keys.NewPolicies(slices.Collect(maps.Values(policies))...), nil
}

// published adds the documents of the store to the configuration, and returns
// its policies with those of the files, which win.
func (l *loaded) published(ctx context.Context, catalog grapnel.Catalog, log *slog.Logger, c *grapnel.Config, files map[string]*grapnel.Policy) (map[string]*grapnel.Policy, error) {
	definitions, err := catalog.Documents(ctx, "apis")
	if err != nil {
		return nil, err
	}
	apis, notices := tyk.Definitions(definitions, c)
	c.APIs = append(slices.Clone(c.APIs), apis...)
	for _, n := range notices {
		log.Log(ctx, n.Level, n.Message, "file", n.File, "key", n.Path)
	}
	documents, err := catalog.Documents(ctx, "policies")
	if err != nil {
		return nil, err
	}
	policies := map[string]*grapnel.Policy{}
	for id, text := range documents {
		p := &grapnel.Policy{}
		if err := json.Unmarshal(text, p); err != nil {
			return nil, fmt.Errorf("policies: %s: %w", id, err)
		}
		p.ID = id
		policies[id] = p
	}
	maps.Copy(policies, files)
	return policies, nil
}

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
	if c.PolicyPath != "" {
		watch = append(watch, c.PolicyPath)
	}
	validate := func(definition []byte) error {
		_, _, err := tyk.Definition(definition, c)
		return err
	}
	return &loaded{config: c, notices: warnings(path, c), watch: watch, validate: validate}, nil
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
	if c.PolicyPath != "" {
		files = append(files, c.PolicyPath)
	}
	folders, err := set.Folders()
	if err != nil {
		return nil, err
	}
	validate := func(definition []byte) error {
		_, _, err := set.Definition(definition)
		return err
	}
	return &loaded{config: c, notices: append(notices, warnings(s.TykConf, c)...), watch: files, catalog: folders, validate: validate}, nil
}

// warnings are what nobody should configure by accident.
func warnings(file string, c *grapnel.Config) []tyk.Notice {
	var out []tyk.Notice
	for _, w := range config.Warnings(c) {
		out = append(out, tyk.Notice{File: file, Path: w.Path, Level: slog.LevelWarn, Message: w.Message, Count: 1})
	}
	return out
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
