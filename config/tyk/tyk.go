// Package tyk reads a Tyk set-up — tyk.conf, the TYK_GW_* environment and the
// Classic API definitions of app_path — into a [grapnel.Config] that behaves
// as the original does (sections 5.1, 6 and 7 of the specification).
//
// It fails closed [L-32]. A definition that asks for something this gateway
// does not have is served only if leaving that out can harm nobody: a missing
// cache is noticed, a missing check of the caller refuses the definition.
// Every key that has no effect is listed once.
//
// A gateway with a configuration of its own reads the same definitions when they
// are published through the control API; see [Definitions].
//
// Reading order: conf.go and definition.go mirror the files, server.go and
// api.go translate them, refuse.go says what is not served, and keys.go finds
// what has no effect.
package tyk

import (
	"errors"
	"fmt"
	"slices"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/config"
)

// PluginName is what hooks call the one plugin server of a Tyk set-up.
const PluginName = "default"

// A Source is a Tyk set-up as the process finds it. Reading it again gives its
// state of that moment, which is how a reload works.
type Source struct {
	// Path is tyk.conf. Empty searches ./tyk.conf and /etc/tyk/tyk.conf, and
	// takes the defaults when there is neither [G-1, G-5].
	Path string
	// Environ holds "NAME=value" pairs, as os.Environ returns them [G-3].
	Environ []string
	// Strict turns a definition that is not served into an error of Load.
	// Without it the others are served, as the original does [P-1].
	Strict bool
}

// Load reads the set-up of a [Source] that is not strict.
func Load(path string, environ []string) (*grapnel.Config, []Notice, error) {
	return Source{Path: path, Environ: environ}.Load()
}

// Load reads the set-up and reports what of it has no effect, and which
// definitions are not served. The notices are complete even on error, unless
// tyk.conf itself cannot be used.
func (s Source) Load() (*grapnel.Config, []Notice, error) {
	l, err := s.open()
	if err != nil {
		return nil, nil, err
	}
	c, err := l.config()
	if err != nil {
		return nil, l.notices.list, fmt.Errorf("%s: %w", l.name(), err)
	}
	if s.Strict {
		if err := l.notices.refused(); err != nil {
			return nil, l.notices.list, err
		}
	}
	return c, l.notices.list, nil
}

// config translates what was read.
func (l *loading) config() (*grapnel.Config, error) {
	server, err := l.server()
	if err != nil {
		return nil, err
	}
	c := &grapnel.Config{Server: server}
	if c.Plugins, err = l.plugins(); err != nil {
		return nil, err
	}
	c.PolicyPath, _, err = storage{l}.policies()
	if err != nil {
		return nil, err
	}
	if err := config.Finish(c); err != nil {
		return nil, err
	}
	l.report()
	if c.APIs, err = l.apis(c); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(c.APIs, wantsCertificates) {
		c.TLS.ClientCertificates = "request"
	}
	return c, config.Finish(c)
}

// wantsCertificates reports whether the API looks at its clients' certificates.
func wantsCertificates(a *grapnel.API) bool {
	return slices.ContainsFunc(a.Auth, func(m grapnel.AuthMethod) bool { return m.Certificate != nil || m.Token != nil && m.Token.Certificate })
}

// Files returns where the set-up is read from, for whoever watches it for
// changes: tyk.conf, the folder of definitions, and the file or folder of
// policies, as far as they are there.
func (s Source) Files() ([]string, error) {
	l, err := s.open()
	if err != nil {
		return nil, err
	}
	dir, err := l.definitions()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.name(), err)
	}
	policies, _, err := storage{l}.policies()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.name(), err)
	}
	return slices.DeleteFunc([]string{l.file, dir, policies}, func(path string) bool { return path == "" }), nil
}

// A loading is one reading of a set-up.
type loading struct {
	env    environment
	file   string // tyk.conf; empty without one
	raw    any    // what it holds, for the search of keys without effect
	conf   conf
	plugin string // the server that hooks ask; empty without one
	// published says that definitions come through the control API: what
	// they name on this machine is not theirs.
	published bool
	notices   notices
}

// name is what messages call the configuration.
func (l *loading) name() string {
	if l.file == "" {
		return "environment"
	}
	return l.file
}

// report notices what of tyk.conf has no effect.
func (l *loading) report() {
	if l.file != "" {
		newKeyFinder(conf{}, confKeys).report(&l.notices, l.file, l.raw)
	}
}

// refused joins the notices of definitions that are not served.
func (n *notices) refused() error {
	var errs []error
	for _, v := range n.list {
		if v.refusal() {
			errs = append(errs, errors.New(v.String()))
		}
	}
	return errors.Join(errs...)
}
