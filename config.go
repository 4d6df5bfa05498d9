package grapnel

import (
	"net/netip"
	"time"
)

// A Config is everything that an operator says about a gateway. The packages
// below config/ read it from files; it is the same whatever they were.
type Config struct {
	// Server is what needs a restart to change.
	Server `yaml:",inline"`
	// Plugins are the plugin servers by name.
	Plugins map[string]*PluginServer `yaml:"plugins"`
	// APIs are the published services.
	APIs []*API `yaml:"apis"`
}

// A Server is the configuration of the process: where it listens, and what
// holds for all APIs.
type Server struct {
	// Listen is the address that clients use, as in ":8080".
	Listen string `yaml:"listen"`
	// TLS makes the listener speak TLS; without certificates it does not.
	TLS TLS `yaml:"tls"`
	// Admin is the control API.
	Admin Admin `yaml:"admin"`
	// Limits bound what clients may send.
	Limits Limits `yaml:"limits"`
	// Timeouts bound what everyone may wait.
	Timeouts Timeouts `yaml:"timeouts"`
	// TrustedProxies are the networks whose X-Forwarded-* is believed. The
	// headers of everyone else are replaced.
	TrustedProxies []netip.Prefix `yaml:"trusted_proxies"`
	// ErrorTemplates is a folder with templates of error replies
	// (error_403.json, error.json, error.xml …); empty means the built-in
	// ones [S-50].
	ErrorTemplates string `yaml:"error_templates"`
	// Log is about the gateway's own log.
	Log Log `yaml:"log"`
}

// SetDefaults gives the server what its configuration need not say.
func (s *Server) SetDefaults() {
	s.Listen = ":8080"
	s.Admin.Listen = "127.0.0.1:9696"
	s.Limits = Limits{Header: 64 << 10, Body: 64 << 20}
	s.Timeouts = Timeouts{
		ReadHeader: Duration(10 * time.Second),
		Idle:       Duration(2 * time.Minute),
		Upstream:   Duration(30 * time.Second),
		Drain:      Duration(30 * time.Second),
	}
	s.Log = Log{Level: "info", Access: true}
}

// TLS is the configuration of a TLS listener.
type TLS struct {
	// Certificates are tried by the server name that the client asks for;
	// the first one serves clients that ask for none. Files are read again
	// when they change.
	Certificates []Certificate `yaml:"certificates"`
	// MinVersion is the oldest version accepted: "1.2" (default) or "1.3".
	MinVersion string `yaml:"min_version"`
}

// A Certificate is a certificate chain and its key, as PEM files.
type Certificate struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Admin is the configuration of the control API.
type Admin struct {
	// Listen is its own address; empty switches the listener off.
	Listen string `yaml:"listen"`
	// Secret is what callers must present in X-Tyk-Authorization. Without
	// one, the control API answers nothing but /hello.
	Secret string `yaml:"secret"`
	// Prefix, when not empty, puts the control API under this path of the
	// main listener instead, where the original has it.
	Prefix string `yaml:"-"`
	// Health is the path of the health report on the main listener.
	Health string `yaml:"-"`
}

// Limits bound what clients may send.
type Limits struct {
	// Header bounds the request line and header fields together.
	Header Size `yaml:"header"`
	// Body bounds a request's body, and a reply that a hook reads; 0 is no
	// limit. An API may say otherwise.
	Body Size `yaml:"body"`
}

// Timeouts bound what everyone may wait; 0 is no bound.
type Timeouts struct {
	ReadHeader Duration `yaml:"read_header"` // for a request's header
	Read       Duration `yaml:"read"`        // for a whole request
	Write      Duration `yaml:"write"`       // from header to the end of the reply
	Idle       Duration `yaml:"idle"`        // between requests of a connection
	Upstream   Duration `yaml:"upstream"`    // for the header of an upstream's reply
	Drain      Duration `yaml:"drain"`       // for requests under way at shutdown
}

// Log is the configuration of the gateway's own log.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // text or json; empty is text on a terminal, json else
	Access bool   `yaml:"access"` // a line for every exchange
}
