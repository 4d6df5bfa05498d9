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
	// Plugins are the plugin servers, by the names that hooks call them.
	Plugins map[string]*PluginServer `yaml:"plugins"`
	// APIs are the published services; there has to be one at least.
	APIs []*API `yaml:"apis"`
	// PolicyPath is where policies are read from: a JSON file that holds
	// them by id, or a folder with one in each .json file [S-10].
	PolicyPath string `yaml:"policies"`
	// Policies are the policies by id.
	Policies map[string]*Policy `yaml:"-"`
}

// A Server is the configuration of the process: where it listens, and what
// holds for all APIs.
type Server struct {
	// Listen is the address that clients use, as in ":8080".
	Listen string `yaml:"listen"`
	// TLS makes the listener speak TLS; without certificates it does not.
	TLS TLS `yaml:"tls"`
	// HTTP1 says who serves HTTP/1.1 without TLS: direct is the gateway's own
	// server, which leaves what is unusual to the standard library's; standard
	// leaves everything to that.
	HTTP1 HTTPServer `yaml:"http1"`
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
	// Store keeps sessions, counters and what the control API publishes:
	// a file name, memory:, or a Redis for many gateways: redis://,
	// rediss://, redis+sentinel://, redis+cluster://. Without one, it is the
	// file grapnel.db where there is something to keep (an API knows its
	// callers or has a rate, or the control API has a secret).
	Store string `yaml:"store"`
	// Keys say how credentials are stored and found.
	Keys KeyRules `yaml:"keys"`
	// Log says what the gateway logs, and how.
	Log Log `yaml:"log"`
	// Metrics are the figures that the gateway keeps for Prometheus.
	Metrics Metrics `yaml:"metrics"`
	// Tracing sends spans to an OpenTelemetry collector.
	Tracing Tracing `yaml:"tracing"`
	// NodeSecret signs the news that go to the original's gateways on the same
	// Redis; theirs must be signed with it, unless AllowInsecure [Z-20].
	NodeSecret    string `yaml:"-"`
	AllowInsecure bool   `yaml:"-"`
	// Compat says whose set-up this is; what the original does differently
	// outside of plugins is done its way for its set-ups.
	Compat Compat `yaml:"-"`
}

// SetDefaults gives the server what its configuration need not say.
func (s *Server) SetDefaults() {
	s.Listen = ":8080"
	s.HTTP1 = ServerDirect
	s.TLS.MinVersion = "1.2"
	s.TLS.ClientCertificates = "none"
	s.Admin = Admin{Listen: "127.0.0.1:9696", Health: "/hello"}
	s.Limits = Limits{Header: 64 << 10, Body: 64 << 20}
	s.Timeouts = Timeouts{
		ReadHeader: Duration(10 * time.Second),
		Idle:       Duration(2 * time.Minute),
		Upstream:   Duration(30 * time.Second),
		Drain:      Duration(30 * time.Second),
	}
	s.Keys.SetDefaults()
	s.Log = Log{Level: "info", Access: true}
	s.Metrics = Metrics{Enabled: true}
	s.Tracing = Tracing{Sample: 5, Service: "grapnel"}
	s.Compat = CompatNative
}

// An HTTPServer is an implementation of an HTTP server.
type HTTPServer string

// The servers there are.
const (
	// ServerDirect keeps an exchange on one goroutine.
	ServerDirect HTTPServer = "direct"
	// ServerStandard is the standard library's server.
	ServerStandard HTTPServer = "standard"
)

// TLS is the configuration of a TLS listener.
type TLS struct {
	// Certificates are tried by the server name that the client asks for;
	// the first one serves clients that ask for none. Files are read again
	// when they change.
	Certificates []Certificate `yaml:"certificates"`
	// MinVersion is the oldest version accepted: "1.2" or "1.3".
	MinVersion string `yaml:"min_version"`
	// ClientCertificates says whether clients are asked for a certificate:
	// none, request, or require, which turns away those without one.
	ClientCertificates string `yaml:"client_certificates"`
	// ClientCA is a PEM file with the authorities that client certificates
	// must come from; without one, and without client_allowed, the APIs decide
	// which they let in. It is read again when it changes.
	ClientCA string `yaml:"client_ca"`
	// ClientCRL are files with the revocation lists of these authorities, PEM
	// or DER; each authority must have one. They are read again when they
	// change. A list that is out of date lets in none of its authority's
	// certificates.
	ClientCRL []string `yaml:"client_crl"`
	// ClientAllowed lists the only certificates that clients may show; without
	// client_ca they may be such as have signed themselves. One must satisfy
	// both, where there are both.
	ClientAllowed *CertificateList `yaml:"client_allowed"`
}

// A CertificateList names certificates one by one.
type CertificateList struct {
	// Fingerprints are the SHA-256 digests of certificates, in hexadecimal.
	Fingerprints []string `yaml:"fingerprints"`
	// Files are PEM files with certificates. They are read again when they
	// change.
	Files []string `yaml:"files"`
}

// A Certificate is a certificate chain and its key, as PEM files.
type Certificate struct {
	Cert string `yaml:"cert"` // the file with the chain, the server's own certificate first
	Key  string `yaml:"key"`  // the file with the private key
}

// Admin is the configuration of the control API.
type Admin struct {
	// Listen is its own address; empty switches the listener off.
	Listen string `yaml:"listen"`
	// Secret is what callers must present in X-Tyk-Authorization. Without
	// one, the control API answers nothing but /hello, and must listen on
	// a loopback address.
	Secret string `yaml:"secret"`
	// Prefix, when not empty, puts the control API under this path of the
	// main listener instead, where the original has it.
	Prefix string `yaml:"-"`
	// Health is the path of the health report on the main listener; empty
	// leaves it to the control API alone.
	Health string `yaml:"health"`
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
	Level  string `yaml:"level"`  // the least that is logged: debug, info, warn or error
	Format string `yaml:"format"` // the form of a line: text or json; empty is text on a terminal, json else
	Access bool   `yaml:"access"` // whether every exchange gets a line
}

// Metrics is the configuration of the figures for Prometheus. They are served at
// /metrics of the control API's listener, to everyone who can reach it: they name
// APIs, plugin servers and the addresses of these.
type Metrics struct {
	// Enabled says whether figures are kept at all.
	Enabled bool `yaml:"enabled"`
	// Path puts them on the main listener too; empty does not.
	Path string `yaml:"path"`
}

// Tracing is the configuration of OpenTelemetry traces: a span for each request
// that is sampled, and below it one for each hook call and for the upstream. The
// W3C headers traceparent and tracestate join them to the spans of others.
type Tracing struct {
	// Endpoint is the host:port of a collector that takes OTLP over gRPC;
	// empty switches tracing off.
	Endpoint string `yaml:"endpoint"`
	// Insecure sends spans in clear, without TLS.
	Insecure bool `yaml:"insecure"`
	// Sample is the share of the requests that are traced. For a request that
	// says by its traceparent whether it is, that holds.
	Sample Percent `yaml:"sample"`
	// Service is the gateway's name in traces.
	Service string `yaml:"service"`
}
