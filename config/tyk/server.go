package tyk

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// What the original does where tyk.conf says nothing or 0.
const (
	defaultPort          = 8080
	defaultApps          = "apps"
	defaultTemplates     = "templates"
	defaultHealth        = "hello"
	defaultServerTimeout = 120 // seconds
	defaultProxyTimeout  = 30  // seconds
	defaultDrain         = 30  // seconds
	maxHeader            = 1 << 20
	pluginTimeout        = 10 * time.Second // the decision on L-7
	pluginMaxReceive     = 4 << 20
	tls12                = 771
	tls13                = 772
)

// server translates what holds for the whole process.
func (l *loading) server() (grapnel.Server, error) {
	if err := l.conf.refuse(); err != nil {
		return grapnel.Server{}, err
	}
	var s grapnel.Server
	s.SetDefaults()
	var err error
	if s.Admin, err = l.admin(); err != nil {
		return s, err
	}
	if s.TLS, err = l.tls(); err != nil {
		return s, err
	}
	kept := storage{l}
	if s.Store, err = kept.store(); err != nil {
		return s, err
	}
	s.Keys = kept.keys()
	s.NodeSecret, s.AllowInsecure = l.conf.NodeSecret, l.conf.AllowInsecureConfigs
	s.Listen = l.conf.address(orDefault(l.conf.ListenPort, defaultPort))
	s.Limits = grapnel.Limits{Header: maxHeader, Body: l.conf.maxBody()}
	s.Timeouts = l.conf.timeouts(s.Timeouts)
	s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	s.ErrorTemplates = l.templates()
	s.Log = l.log()
	s.Compat = grapnel.CompatTyk
	return s, nil
}

// refuse refuses what would make the gateway serve something else than the
// operator means, or less guarded.
func (c *conf) refuse() error {
	switch {
	case c.UseDBAppConfigs:
		return errors.New("use_db_app_configs: the definitions are in a dashboard, which this gateway cannot ask; put them into app_path")
	case c.SlaveOptions.UseRPC:
		return errors.New("slave_options.use_rpc: the definitions are on another system, which this gateway cannot ask; put them into app_path")
	case len(c.Security.PinnedPublicKeys) > 0:
		return errors.New("security.pinned_public_keys: pinned keys are not supported")
	case c.Security.ControlAPIUseMutualTLS:
		return errors.New("security.control_api_use_mutual_tls: client certificates are not supported")
	}
	return nil
}

func (c *conf) address(port int) string {
	return net.JoinHostPort(c.ListenAddress, strconv.Itoa(port))
}

func (c *conf) maxBody() grapnel.Size {
	return grapnel.Size(max(c.HTTPServerOptions.MaxRequestBodySize, 0))
}

func (l *loading) admin() (grapnel.Admin, error) {
	secret, err := l.references().follow(l.conf.Secret)
	if err != nil {
		return grapnel.Admin{}, fmt.Errorf("secret: %w", err)
	}
	if secret == "" {
		l.warn("secret", "is empty: the control API stays closed, where the original opens it to everyone [L-48]")
	}
	a := grapnel.Admin{
		Secret: secret,
		Prefix: "/tyk/",
		Health: "/" + strings.Trim(orDefault(l.conf.HealthCheckEndpointName, defaultHealth), "/"),
	}
	port := l.conf.ControlAPIPort
	if port != 0 && port != orDefault(l.conf.ListenPort, defaultPort) {
		a.Listen, a.Prefix = l.conf.address(port), ""
	}
	if l.conf.ControlAPIHostname != "" {
		l.warn("control_api_hostname", "has no effect: the control API answers under every host name")
	}
	return a, nil
}

func (l *loading) tls() (grapnel.TLS, error) {
	o := l.conf.HTTPServerOptions
	if !o.UseSSL {
		return grapnel.TLS{}, nil
	}
	t := grapnel.TLS{MinVersion: "1.2"}
	switch o.MinVersion {
	case 0, tls12:
	case tls13:
		t.MinVersion = "1.3"
	default:
		l.warn("http_server_options.min_version", "%d is not accepted: TLS 1.2 is the oldest version", o.MinVersion)
	}
	for _, c := range o.Certificates {
		t.Certificates = append(t.Certificates, grapnel.Certificate{Cert: c.CertFile, Key: c.KeyFile})
	}
	for i, path := range o.SSLCertificates {
		if _, ok := l.locate(path); !ok {
			return t, fmt.Errorf("http_server_options.ssl_certificates[%d]: there is no file %s; certificates by id are not supported", i, path)
		}
		t.Certificates = append(t.Certificates, grapnel.Certificate{Cert: path, Key: path})
	}
	if len(t.Certificates) == 0 {
		return t, errors.New("http_server_options.use_ssl: there are no certificates")
	}
	for i, c := range t.Certificates {
		t.Certificates[i].Cert, _ = l.locate(c.Cert)
		t.Certificates[i].Key, _ = l.locate(c.Key)
	}
	return t, nil
}

// timeouts keeps those of def that the original does not have. A request's
// header has no longer than the whole request.
func (c *conf) timeouts(def grapnel.Timeouts) grapnel.Timeouts {
	o := c.HTTPServerOptions
	def.Read = seconds(orDefault(float64(o.ReadTimeout), defaultServerTimeout))
	def.Write = seconds(orDefault(float64(o.WriteTimeout), defaultServerTimeout))
	def.ReadHeader = min(def.ReadHeader, def.Read)
	def.Upstream = seconds(orDefault(c.ProxyDefaultTimeout, defaultProxyTimeout))
	def.Drain = seconds(orDefault(float64(c.GracefulShutdownTimeoutDuration), defaultDrain))
	return def
}

// templates finds the folder of error templates.
func (l *loading) templates() string {
	path, ok := l.locate(orDefault(l.conf.TemplatePath, defaultTemplates))
	if ok {
		return path
	}
	if l.conf.TemplatePath != "" {
		l.warn("template_path", "there is no folder %s: the built-in error templates are used", path)
	}
	return ""
}

// log translates the log's settings. The access log is on unless the file
// says that it is not; the original, which has none by default, keeps quiet.
func (l *loading) log() grapnel.Log {
	on := l.conf.AccessLogs.Enabled
	log := grapnel.Log{Level: "info", Access: on == nil || *on}
	switch level := strings.ToLower(l.conf.LogLevel); level {
	case "debug", "info", "warn", "error":
		log.Level = level
	case "warning":
		log.Level = "warn"
	case "":
	default:
		l.warn("log_level", "%q is not a level: info is used", l.conf.LogLevel)
	}
	switch l.conf.LogFormat {
	case "json":
		log.Format = "json"
	case "default", "text":
		log.Format = "text"
	case "":
	default:
		l.warn("log_format", "%q is not a format: default and json are", l.conf.LogFormat)
	}
	return log
}

// hasPlugins reports whether hooks can be asked.
func (c *conf) hasPlugins() bool {
	o := c.CoProcessOptions
	return o.EnableCoProcess && o.CoProcessGRPCServer != ""
}

// plugins translates coprocess_options into the one plugin server.
func (c *conf) plugins() map[string]*grapnel.PluginServer {
	if !c.hasPlugins() {
		return nil
	}
	o := c.CoProcessOptions
	s := &grapnel.PluginServer{
		Name: PluginName, Target: o.CoProcessGRPCServer,
		Timeout: grapnel.Duration(pluginTimeout), Compat: grapnel.CompatTyk,
		MaxReceive: grapnel.Size(orDefault(max(o.GRPCRecvMaxSize, 0), pluginMaxReceive)),
		MaxSend:    grapnel.Size(max(o.GRPCSendMaxSize, 0)),
		Authority:  o.GRPCAuthority, VerbatimHeaders: c.IgnoreCanonicalMIMEHeaderKey,
		// One connection, to the first address that works, and no guard before
		// it: nothing that an old plugin could notice.
		Balance: grapnel.Balance{Method: "first", Connections: 1},
	}
	if o.GRPCRoundRobinLoadBalancing {
		s.Target, s.Balance.Method = allAddresses(s.Target), "round_robin"
	}
	return map[string]*grapnel.PluginServer{PluginName: s}
}

// allAddresses is a target that stands for every address of its name.
func allAddresses(target string) string {
	if t, err := grapnel.ParseTarget(target); err == nil && t.Scheme == "tcp" {
		return "dns:///" + t.Address
	}
	return target
}

// orDefault returns v, or def where v is the zero value, which in tyk.conf
// means "not given" [G-2].
func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// seconds makes a span of a number that JSON holds; what cannot be one is the
// longest or shortest there is.
func seconds(s float64) grapnel.Duration {
	const most = 1 << 30 // far beyond any use, far from overflow
	return grapnel.Duration(min(max(s, 0), most) * float64(time.Second))
}
