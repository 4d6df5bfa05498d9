package tyk

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel"
)

// FuzzDefinition: whatever a definition says, it is refused or becomes an API
// that is as guarded as it asks [L-32].
func FuzzDefinition(f *testing.F) {
	for _, file := range []string{"testdata/minimal/apps/quickstart.json", "testdata/unhonoured.json"} {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, true)
		f.Add(b, false)
	}
	f.Add([]byte(`{"api_definition": {"api_id": "a", "proxy": {"listen_path": "/{x:[}/", "target_url": "env://HOME"}}}`), false)
	f.Add([]byte(`{"api_id": "a", "use_keyless": true, "proxy": {"listen_path": "a", "target_url": "http://u"},
		"version_data": {"versions": {"": {"use_extended_paths": true, "extended_paths": {"hard_timeouts": [{"path": "/{", "timeout": 1e300}]}}}}}`), true)
	f.Add([]byte(`{"api_id": "a", "enable_jwt": true, "use_basic_auth": true, "enable_signature_checking": true, "use_standard_auth": true,
		"jwt_source": "aHR0cHM6Ly9pZC5leGFtcGxlL2p3a3M=", "jwt_signing_method": "rsa", "auth_configs": {"jwt": {"use_param": true}},
		"custom_plugin_auth_enabled": true, "custom_middleware": {"driver": "grpc", "id_extractor": {"extract_from": "body", "extract_with": "xpath",
		"extractor_config": {"xpath_expression": "//a"}}}, "proxy": {"listen_path": "a", "target_url": "http://u"}}`), true)
	f.Fuzz(func(t *testing.T, b []byte, plugins bool) {
		l := &loading{env: environment{"HOME": "/"}}
		if plugins {
			l.conf.CoProcessOptions = confCoProcess{EnableCoProcess: true, CoProcessGRPCServer: "tcp://plugin:5555"}
			l.plugin = PluginName
		}
		server, err := l.server()
		if err != nil {
			t.Fatal(err)
		}
		found, err := l.parseDefinition(b)
		if err != nil {
			return
		}
		newKeyFinder(definition{}, definitionKeys).report(&l.notices, "x.json", found.raw)
		tr := translation{loading: l, file: "x.json", d: &found.definition}
		a := tr.api()
		if a == nil {
			if d := found.definition; l.notices.refused() == nil && (d.Active == nil || *d.Active) {
				t.Error("refused without a reason")
			}
			return
		}
		if !tr.sound(a, &grapnel.Config{Server: server, Plugins: l.conf.plugins()}) {
			return
		}
		guarded(t, a, &found.definition, plugins)
		if served := l.separate([]*grapnel.API{a}); len(served) != 1 {
			t.Error("an API alone has no place")
		}
		if _, err := json.Marshal(a.ConfigData); err != nil {
			t.Error(err)
		}
	})
}

// guarded fails if the API is less guarded than its definition asks.
func guarded(t *testing.T, a *grapnel.API, d *definition, plugins bool) {
	t.Helper()
	asked := slices.DeleteFunc(slices.Clone(a.Auth), func(m grapnel.AuthMethod) bool { return !m.Asks() })
	hooks := len(asked) + len(a.Hooks.Pre) + len(a.Hooks.PostKeyAuth) + len(a.Hooks.Post) + len(a.Hooks.Response)
	if hooks > 0 && !plugins {
		t.Errorf("%d hooks and nobody to ask", hooks)
	}
	if !d.UseKeyless && len(a.Auth) == 0 {
		t.Error("an API that is not keyless is open to everyone")
	}
	for _, m := range a.Auth {
		if j := m.JWT; j != nil && strings.HasPrefix(j.Algorithms[0], "HS") && (j.PublicKey != "" || len(j.JWKS) > 0) {
			t.Errorf("algorithms %v with a key that is no secret", j.Algorithms)
		}
	}
}
