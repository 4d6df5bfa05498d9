package grapnel

import "time"

// A PluginServer is the configuration of one plugin server and its replicas.
type PluginServer struct {
	// Name is what hooks call the server.
	Name string `yaml:"-"`
	// Target is where it listens: host:port or tcp://host:port, which is one
	// address, dns:///name:port for all addresses of a name, srv:///name for
	// those of an SRV record, unix:///path, unix-abstract:name or
	// passthrough:///address. dns://resolver/name:port asks a name server of
	// its own. Target, targets, exec or versions has to be given.
	Target string `yaml:"target"`
	// Targets are several of them.
	Targets []string `yaml:"targets"`
	// Exec is the command of a server that the gateway starts and stops itself.
	// It must serve on the unix socket that GRAPNEL_PLUGIN_SOCKET names. It has
	// the gateway's folder and environment, but for GRAPNEL_ and TYK_GW_
	// variables.
	Exec []string `yaml:"exec"`
	// Split makes the server a choice between others.
	Split `yaml:",inline"`
	// Timeout bounds each call of a hook that has none of its own, 0 is none.
	Timeout Duration `yaml:"timeout"`
	// Compat is how its plugins are treated: native, or tyk for those that
	// depend on what Tyk loses on the way.
	Compat Compat `yaml:"compat"`
	// MaxReceive is the largest answer accepted.
	MaxReceive Size `yaml:"max_receive"`
	// MaxSend is the largest message sent, 0 is no limit.
	MaxSend Size `yaml:"max_send"`
	// Authority replaces the :authority that calls carry.
	Authority string `yaml:"grpc_authority"`
	// VerbatimHeaders keeps the case of header names that the plugin sets
	//
	VerbatimHeaders bool `yaml:"verbatim_headers"`
	// Client says what carries the calls: direct, the gateway's own client of
	// unary calls, or grpc, the stock one. Without it, direct wherever it can.
	Client string `yaml:"client"`
	// Balance says which replica is asked.
	Balance Balance `yaml:"balance"`
	// Health says when a replica is not asked.
	Health Health `yaml:"health"`
	// TLS secures the connections; without it they are in clear.
	TLS *PluginTLS `yaml:"tls"`
	// TokenFile holds a bearer token that calls carry. It is read again when
	// it changes, and goes over TLS, or does not leave the machine.
	TokenFile string `yaml:"token_file"`
	// Limits bound how many calls are under way.
	Limits PluginLimits `yaml:"limits"`
	// Breaker stops calls to a server that only fails.
	Breaker Breaker `yaml:"breaker"`
	// RetryBudget is how many retries there may be for a hundred calls; three a
	// second may always be. Without a share there is none.
	RetryBudget Percent `yaml:"retry_budget"`
}

// SetDefaults gives the server what its configuration need not say.
func (s *PluginServer) SetDefaults() {
	s.Timeout = Duration(time.Second)
	s.Compat = CompatNative
	s.MaxReceive = 16 << 20
	s.RetryBudget = 20
	s.Balance.SetDefaults()
	s.Health.SetDefaults()
	s.Limits.SetDefaults()
	s.Breaker.SetDefaults()
}

// A Split is a choice between several plugin servers, which are versions of one
// plugin.
type Split struct {
	// Versions are the names of the servers, and the weight of each. Hooks take
	// their timeout from the choice; all else is set on the servers.
	Versions map[string]int `yaml:"versions"`
	// Sticky keeps a caller to one version: session, or the name of a request
	// header. Without it each exchange chooses anew, once for all its hooks.
	Sticky string `yaml:"sticky"`
	// Shadow names a server that is asked too, and whose answers count for
	// nothing but the log and the metric of differences.
	Shadow string `yaml:"shadow"`
}

// Balance says which of several replicas is asked.
type Balance struct {
	// Method names the rule: round_robin, least_request, hash, or first, which is
	// the first address that works, in the order in which they are given.
	Method string `yaml:"method"`
	// Hash says what keeps to one replica: session, or the name of a request
	// header.
	Hash string `yaml:"hash"`
	// SlowStart is how long a replica that is back takes to get its full share.
	SlowStart Duration `yaml:"slow_start"`
	// Connections is how many connections each replica may have at most; they
	// are opened as the load needs them.
	Connections int `yaml:"connections"`
}

// SetDefaults takes the replica with the fewest calls under way.
func (b *Balance) SetDefaults() {
	*b = Balance{Method: "least_request", SlowStart: Duration(5 * time.Second), Connections: 4}
}

// Health says when a replica is not asked.
type Health struct {
	// Interval is the pause between two health checks (grpc.health.v1) of a
	// replica; 0 makes none. A server without that service counts as healthy.
	Interval Duration `yaml:"interval"`
	// Service is the name that is asked about; empty is the server as a whole.
	Service string `yaml:"service"`
	// Failures is how many calls in a row must fail before a replica is
	// ejected; 0 never ejects.
	Failures int `yaml:"failures"`
	// Eject is for how long the first time; each further time is longer by as
	// much, up to ten times of it.
	Eject Duration `yaml:"eject"`
	// MaxEjected is how many of the replicas may be ejected at once; one may
	// always be, unless it is 0.
	MaxEjected Percent `yaml:"max_ejected"`
}

// SetDefaults checks every five seconds, and ejects after five failures.
func (h *Health) SetDefaults() {
	*h = Health{Interval: Duration(5 * time.Second), Failures: 5, Eject: Duration(5 * time.Second), MaxEjected: 50}
}

// PluginTLS secures the connections to a plugin server. Files are read again when
// they change.
type PluginTLS struct {
	// CA is a PEM file with the authorities that the server's certificate must
	// come from; without one, the system's.
	CA string `yaml:"ca"`
	// Cert is a PEM file with the certificate that the gateway proves itself by.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"` // the PEM file with the private key of Cert
	// ServerName is the name that the server's certificate must have; without
	// one, the target's.
	ServerName string `yaml:"server_name"`
	// SPIFFEID is the spiffe:// id that the certificate must have instead of a
	// name; one that ends with /* stands for all below it.
	SPIFFEID string `yaml:"spiffe_id"`
}

// PluginLimits bound how many calls to a plugin server are under way.
type PluginLimits struct {
	// InFlight is how many at most; 0 is no limit.
	InFlight int `yaml:"in_flight"`
	// Queue is how many more may wait for their turn.
	Queue int `yaml:"queue"`
	// Wait is how long one may wait; who would wait longer is refused at once.
	Wait Duration `yaml:"wait"`
}

// SetDefaults allows a thousand calls under way, and a short queue.
func (l *PluginLimits) SetDefaults() {
	*l = PluginLimits{InFlight: 1000, Queue: 100, Wait: Duration(50 * time.Millisecond)}
}

// A Breaker stops calls to a server that only fails: while it is open they fail
// at once; then probes decide.
type Breaker struct {
	// Failures is how many calls in a row must fail to open it; 0 never opens.
	Failures int `yaml:"failures"`
	// Open is for how long no call is made.
	Open Duration `yaml:"open"`
	// Probes is how many calls in a row must then succeed to close it.
	Probes int `yaml:"probes"`
}

// SetDefaults opens after twenty failures, for one second.
func (b *Breaker) SetDefaults() {
	*b = Breaker{Failures: 20, Open: Duration(time.Second), Probes: 2}
}
