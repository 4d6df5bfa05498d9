package tyk

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/grapnel-gateway/grapnel"
)

const second = grapnel.Duration(time.Second)

// TestServer translates the keys of tyk.conf, one a case [6.3].
func TestServer(t *testing.T) {
	for conf, check := range map[string]func(grapnel.Server) (got, want any){
		`{}`: func(s grapnel.Server) (any, any) { return s.Listen, ":8080" },
		`{"listen_address": "127.0.0.1", "listen_port": 9}`: func(s grapnel.Server) (any, any) { return s.Listen, "127.0.0.1:9" },
		`{"secret": "x"}`: func(s grapnel.Server) (any, any) {
			return s.Admin, grapnel.Admin{Secret: "x", Prefix: "/tyk/", Health: "/hello"}
		},
		`{"secret": "x", "control_api_port": 99, "health_check_endpoint_name": "up"}`: func(s grapnel.Server) (any, any) {
			return s.Admin, grapnel.Admin{Secret: "x", Listen: ":99", Health: "/up"}
		},
		`{"secret": "y", "control_api_port": 8080}`: func(s grapnel.Server) (any, any) { return s.Admin.Prefix, "/tyk/" },
		`{"log_level": "warning", "log_format": "json", "access_logs": {"enabled": false}}`: func(s grapnel.Server) (any, any) {
			return s.Log, grapnel.Log{Level: "warn", Format: "json"}
		},
		`{"log_format": "default"}`: func(s grapnel.Server) (any, any) {
			return s.Log, grapnel.Log{Level: "info", Format: "text", Access: true}
		},
		`{"proxy_default_timeout": 1.5, "graceful_shutdown_timeout_duration": 5, "http_server_options": {"read_timeout": 4}}`: func(s grapnel.Server) (any, any) {
			return s.Timeouts, grapnel.Timeouts{ReadHeader: 4 * second, Read: 4 * second, Write: 120 * second, Idle: 120 * second, Upstream: 3 * second / 2, Drain: 5 * second}
		},
		`{"log_level": ""}`: func(s grapnel.Server) (any, any) {
			return s.Timeouts, grapnel.Timeouts{ReadHeader: 10 * second, Read: 120 * second, Write: 120 * second, Idle: 120 * second, Upstream: 30 * second, Drain: 30 * second}
		},
		`{"http_server_options": {"max_request_body_size": 77}}`: func(s grapnel.Server) (any, any) { return s.Limits.Body, grapnel.Size(77) },
		`{"app_path": "apps"}`: func(s grapnel.Server) (any, any) { return s.Limits.Body, grapnel.Size(0) },
		`{"hash_keys": true}`:  func(s grapnel.Server) (any, any) { return len(s.TrustedProxies), 2 },
		`{"hash_keys": false}`: func(s grapnel.Server) (any, any) { return s.Compat, grapnel.CompatTyk },
	} {
		c, _ := load(t, setup(t, conf, nil))
		got, want := check(c.Server)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", conf, diff)
		}
	}
}

// TestPlugins translates coprocess_options [6.2, A-62, L-7].
func TestPlugins(t *testing.T) {
	want := grapnel.PluginServer{
		Name: "default", Target: "tcp://plugin:5555", Timeout: 10 * second, Compat: grapnel.CompatTyk, MaxReceive: 4 << 20,
		Balance: grapnel.Balance{Method: "first", Connections: 1},
	}
	for conf, change := range map[string]func(*grapnel.PluginServer){
		`{}`: func(*grapnel.PluginServer) {},
		`{"coprocess_options": {"grpc_recv_max_size": 9, "grpc_send_max_size": 8}}`: func(p *grapnel.PluginServer) { p.MaxReceive, p.MaxSend = 9, 8 },
		`{"coprocess_options": {"grpc_authority": "me"}}`:                           func(p *grapnel.PluginServer) { p.Authority = "me" },
		`{"coprocess_options": {"grpc_round_robin_load_balancing": true}}`: func(p *grapnel.PluginServer) {
			p.Target, p.Balance.Method = "dns:///plugin:5555", "round_robin"
		},
		`{"ignore_canonical_mime_header_key": true}`:                         func(p *grapnel.PluginServer) { p.VerbatimHeaders = true },
		`{"coprocess_options": {"coprocess_grpc_server": "127.0.0.1:5555"}}`: func(p *grapnel.PluginServer) { p.Target = "127.0.0.1:5555" }, // [T-71]
	} {
		c, _ := load(t, setup(t, patched(t, plugged, conf), nil))
		want := want
		change(&want)
		if diff := cmp.Diff(map[string]*grapnel.PluginServer{"default": &want}, c.Plugins); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", conf, diff)
		}
	}
	for _, conf := range []string{`{}`, `{"coprocess_options": {"coprocess_grpc_server": "h:1"}}`, `{"coprocess_options": {"enable_coprocess": true}}`} {
		if c, _ := load(t, setup(t, conf, nil)); c.Plugins != nil {
			t.Errorf("%s: plugins %v", conf, c.Plugins)
		}
	}
}

// TestFilesOfTheServer: paths are relative to the working directory, else to
// the folder of tyk.conf.
func TestFilesOfTheServer(t *testing.T) {
	path := setup(t, `{"template_path": "mine"}`, nil)
	_, notices := load(t, path)
	expectTold(t, notices, slog.LevelWarn, "template_path: ", "built-in")
	beside := filepath.Join(filepath.Dir(path), "mine")
	if err := os.Mkdir(beside, 0o755); err != nil {
		t.Fatal(err)
	}
	if c, _ := load(t, path); c.ErrorTemplates != beside {
		t.Errorf("templates in %q, want %q", c.ErrorTemplates, beside)
	}
	t.Chdir(t.TempDir())
	if err := os.Mkdir("mine", 0o755); err != nil {
		t.Fatal(err)
	}
	if c, _ := load(t, path); c.ErrorTemplates != "mine" {
		t.Errorf("templates in %q, want those of the working directory", c.ErrorTemplates)
	}
}

// TestTLS reads the certificates without regard to what is in them, which is
// the configuration's check.
func TestTLS(t *testing.T) {
	l := &loading{}
	l.conf.HTTPServerOptions = confHTTP{
		UseSSL: true, MinVersion: tls13,
		Certificates:    []confCertificate{{Name: "x", CertFile: "x.crt", KeyFile: "x.key"}},
		SSLCertificates: []string{"server_test.go"},
	}
	got, err := l.tls()
	if err != nil {
		t.Fatal(err)
	}
	want := grapnel.TLS{MinVersion: "1.3", Certificates: []grapnel.Certificate{{Cert: "x.crt", Key: "x.key"}, {Cert: "server_test.go", Key: "server_test.go"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	l.conf.HTTPServerOptions.MinVersion = 769
	if got, _ := l.tls(); got.MinVersion != "1.2" {
		t.Errorf("TLS 1.0 became %s", got.MinVersion)
	}
	expectTold(t, l.notices.list, slog.LevelWarn, "min_version")
}

// TestEnvironment: variables win over the file [T-229, G-3].
func TestEnvironment(t *testing.T) {
	path := setup(t, patched(t, plugged, `{"http_server_options": {"read_timeout": 7}, "log_level": "debug"}`), nil)
	c, notices := load(t, path,
		"TYK_GW_COPROCESSOPTIONS_COPROCESSGRPCSERVER=dns:///other:1",
		"TYK_GW_LISTENPORT=7001",
		"TYK_GW_HTTPSERVEROPTIONS_WRITETIMEOUT=9",
		"TYK_GW_ACCESSLOGS_ENABLED=false",
		"TYK_GW_PROXYDEFAULTTIMEOUT=2.5",
		"TYK_GW_GRACEFULSHUTDOWNTIMEOUTDURATION=",
		"TYK_GW_SECRET=secrets://admin",
		"TYK_GW_SECRETS=admin:from-env,other:a:b",
		"TYK_LOGLEVEL=error",
		"TYK_GW_ENABLEANALYTICS=true",
	)
	if got := c.Plugins["default"].Target; got != "dns:///other:1" {
		t.Errorf("plugin at %s", got)
	}
	want := grapnel.Server{
		Listen: ":7001", HTTP1: "direct", Admin: grapnel.Admin{Secret: "from-env", Prefix: "/tyk/", Health: "/hello"},
		Timeouts: grapnel.Timeouts{ReadHeader: 7 * second, Read: 7 * second, Write: 9 * second, Idle: 120 * second, Upstream: 5 * second / 2, Drain: 30 * second},
		Log:      grapnel.Log{Level: "error"},
		Store:    "memory:",
	}
	if diff := cmp.Diff(want, c.Server, cmpopts.IgnoreFields(grapnel.Server{}, "TLS", "Limits", "TrustedProxies", "ErrorTemplates", "Compat", "Keys", "Metrics", "Tracing")); diff != "" {
		t.Error(diff)
	}
	expectTold(t, notices, slog.LevelWarn, "TYK_GW_ENABLEANALYTICS: has no effect")
	for _, n := range notices {
		if n.Path == "TYK_GW_LISTENPORT" {
			t.Errorf("%v", n)
		}
	}
}

func TestEnvironmentForms(t *testing.T) {
	l := &loading{env: environment{
		"TYK_GW_HTTPSERVEROPTIONS_SSLCERTIFICATES": "a,b",
		"TYK_GW_HTTPSERVEROPTIONS_CERTIFICATES":    `[{"domain_name": "d", "cert_file": "c", "key_file": "k"}]`,
		"TYK_GW_HTTPSERVEROPTIONS_USESSL":          "true",
		"TYK_GW_SECRETS":                           "k:v,k2:v:2",
	}}
	if err := l.overlay(); err != nil {
		t.Fatal(err)
	}
	want := conf{
		HTTPServerOptions: confHTTP{UseSSL: true, SSLCertificates: []string{"a", "b"}, Certificates: []confCertificate{{"d", "c", "k"}}},
		Secrets:           map[string]string{"k": "v", "k2": "v:2"},
	}
	if diff := cmp.Diff(want, l.conf); diff != "" {
		t.Error(diff)
	}
	for name, value := range map[string]string{"TYK_GW_LISTENPORT": "x", "TYK_GW_SECRETS": "x", "TYK_GW_HTTPSERVEROPTIONS_USESSL": "x", "TYK_GW_PROXYDEFAULTTIMEOUT": "x"} {
		l := &loading{env: environment{name: value}}
		if err := l.overlay(); err == nil {
			t.Errorf("%s=%s is accepted", name, value)
		}
	}
}

// TestSecrets follows references in tyk.conf and in definitions [G-4, P-10].
func TestSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "target")
	write(t, file, "http://from-file\n")
	path := setup(t, `{"secret": "env://ADMIN", "secrets": {"host": "http://from-conf"}}`, map[string]string{
		"a.json": define(t, "a", `{"proxy": {"target_url": "env://TARGET"}}`),
		"b.json": define(t, "b", `{"proxy": {"target_url": "secrets://host"}}`),
		"c.json": define(t, "c", `{"proxy": {"target_url": "file://`+file+`"}}`),
		"d.json": define(t, "d", `{"proxy": {"target_url": "env://older"}}`),
		"e.json": define(t, "e", `{"proxy": {"target_url": "consul://key"}}`),
		"f.json": define(t, "f", `{"proxy": {"target_url": "file:///dev/zero"}}`),
	})
	c, notices := load(t, path, "ADMIN=top", "TARGET=http://from-env", "TYK_SECRET_OLDER=http://from-older")
	if c.Admin.Secret != "top" {
		t.Errorf("secret %q", c.Admin.Secret)
	}
	var got []string
	for _, a := range c.APIs {
		got = append(got, a.Target.Host)
	}
	if diff := cmp.Diff([]string{"from-env", "from-conf", "from-file", "from-older"}, got); diff != "" {
		t.Error(diff)
	}
	expectTold(t, notices, slog.LevelError, "target_url: consul://key: consul is not supported")
	expectTold(t, notices, slog.LevelError, "not a regular file")
}
