package tyk

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/config"
)

// gateway is a gateway with a configuration of its own.
func gateway(t *testing.T, plugins string) *grapnel.Config {
	t.Helper()
	c, err := config.Parse("g.yaml", []byte(`{listen: ":8080", plugins: `+plugins+`, timeouts: {upstream: 7s}, limits: {body: 5MB},
		apis: [{id: own, listen_path: /own/, target: "http://own", hosts: [shop.example, other.example]}]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDefinition: one Classic definition for a gateway with a configuration of
// its own, wrapped or not.
func TestDefinition(t *testing.T) {
	c := gateway(t, `{mine: {target: "mine:1", timeout: 3s}}`)
	text := define(t, "a", `{"use_keyless": false, "custom_plugin_auth_enabled": true, "domain": "a.example", "nonsense": 1,
		"custom_middleware": {"driver": "grpc", "auth_check": {"name": "Check"}, "pre": [{"name": "Pre"}]}}`)
	for _, document := range []string{text, `{"api_definition": ` + text + `}`} {
		a, notices, err := Definition([]byte(document), c)
		if err != nil {
			t.Fatal(err)
		}
		hook := grapnel.Hook{Plugin: "mine", Name: "Check", Timeout: 3 * second, Stage: grapnel.Auth}
		if diff := cmp.Diff([]grapnel.AuthMethod{{Hook: hook}}, a.Auth); diff != "" {
			t.Error(diff)
		}
		if a.ID != "a" || a.Upstream.Timeout != 7*second || a.MaxBody != 5e6 || a.Loose || a.Hosts[0] != "a.example" {
			t.Errorf("%+v", a)
		}
		expectTold(t, notices, slog.LevelInfo, "nonsense: has no effect")
		all := &grapnel.Config{Server: c.Server, Plugins: c.Plugins, APIs: append(c.APIs[:1:1], a)}
		if err := config.Finish(all); err != nil {
			t.Errorf("the gateway does not accept what was translated for it: %v", err)
		}
	}
	if a, _, err := Definition([]byte(define(t, "a", `{"active": false}`)), c); a != nil || err != nil {
		t.Errorf("one that is not active: %v, %v", a, err)
	}
}

// TestRefusedDefinition: the error says why in one line.
func TestRefusedDefinition(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	write(t, secret, "http://told")
	c := gateway(t, `{a: {target: "a:1"}, b: {target: "b:1"}}`)
	for document, want := range map[string]string{
		`[]`:   "a definition is an object",
		"{\n!": "line 2: invalid character '!' looking for beginning of object key string",
		define(t, "a", `{"proxy": {"target_url": ""}, "use_openid": true, "use_keyless": false}`): `use_openid: OpenID Connect is not supported; proxy.target_url: "" is not an absolute URL`,
		define(t, "a", `{"proxy": {"target_url": "env://HOME"}}`):                                 "proxy: target_url: env://HOME: there is no such environment variable",
		define(t, "a", `{"proxy": {"target_url": "secrets://x"}}`):                                "proxy: target_url: secrets://x: tyk.conf has no such entry in its secrets",
		define(t, "a", `{"proxy": {"target_url": "file://`+secret+`"}}`):                          "proxy: target_url: file://" + secret + ": no files are read for a published definition",
		define(t, "a", `{`+grpcPre+`}`):                                                           `custom_middleware.pre[0]: it needs a plugin server: the one named "default", or the only one`,
		define(t, "a", `{"custom_middleware": {"driver": "otto", "pre": [{"name": "x"}]}}`):       `custom_middleware.driver: custom_middleware.pre[0] needs a plugin, and the driver is "otto"; only "grpc" is supported, in lower case`,
		define(t, "a", `{"CORS": {"enable": true, "allow_credentials": true}}`):                   "apis[0].cors.allow_credentials: needs allowed_origins that are named: browsers refuse credentials for all origins",
	} {
		a, _, err := Definition([]byte(document), c)
		if a != nil || err == nil {
			t.Errorf("%s: accepted: %v", document, a)
			continue
		}
		if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", document, diff)
		}
	}
}

// TestDefinitions: what was published harms neither the gateway's own APIs nor
// each other.
func TestDefinitions(t *testing.T) {
	c := gateway(t, `{}`)
	apis, notices := Definitions(map[string][]byte{
		"a": []byte(define(t, "a", "")),
		"b": []byte(define(t, "b", `{"proxy": {"listen_path": "/a/"}}`)),
		"c": []byte(define(t, "c", `{"proxy": {"listen_path": "/own"}, "domain": "Shop.example"}`)),
		"d": []byte(define(t, "d", `{"proxy": {"listen_path": "/own/"}}`)),
		"e": []byte(define(t, "own", "")),
		"f": []byte(`{`),
		"g": []byte(define(t, "g", `{"use_openid": true, "use_keyless": false}`)),
		"h": []byte(define(t, "h", `{"active": false}`)),
	}, c)
	got := map[string]string{}
	for _, a := range apis {
		got[a.ID] = a.ListenPath
	}
	want := map[string]string{"a": "/a/", "b": "/a/-b", "c": "/own-c", "d": "/own/"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, parts := range [][]string{{`there is an API "own" already`}, {"unexpected end"}, {"use_openid"}} {
		expectTold(t, notices, slog.LevelError, parts...)
	}
	files := map[string]bool{}
	for _, n := range notices {
		files[n.File] = true
	}
	if !files["apis/e"] || !files["apis/f"] || !files["apis/g"] {
		t.Errorf("the notices are about %v", files)
	}
	all := &grapnel.Config{Server: c.Server, Plugins: c.Plugins, APIs: append(c.APIs[:1:1], apis...)}
	if err := config.Finish(all); err != nil {
		t.Errorf("the gateway does not accept what was translated for it: %v", err)
	}
}

// TestSourceDefinition: a definition is judged as if it stood in app_path.
func TestSourceDefinition(t *testing.T) {
	path := setup(t, plugged, nil)
	s := Source{Path: path, Environ: []string{"TARGET=http://told"}}
	a, notices, err := s.Definition([]byte(define(t, "a", `{"proxy": {"target_url": "env://TARGET"}, `+grpcPre+`}`)))
	if err != nil || a.Target.Host != "told" || a.Hooks.Pre[0].Timeout != 10*second || !a.Loose {
		t.Errorf("%+v, %v", a, err)
	}
	if len(notices) > 0 {
		t.Errorf("told: %v", notices)
	}
	if _, _, err = s.Definition([]byte(define(t, "a", `{"listen_port": 9}`))); err == nil || !strings.HasPrefix(err.Error(), "listen_port: ") {
		t.Errorf("error %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err = s.Definition([]byte(define(t, "a", ""))); err == nil {
		t.Error("no tyk.conf is no error")
	}
}
