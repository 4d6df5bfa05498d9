package tyk

import (
	"encoding/json"
	"os"
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
	f.Fuzz(func(t *testing.T, b []byte, plugins bool) {
		l := &loading{env: environment{"HOME": "/"}}
		if plugins {
			l.conf.CoProcessOptions = confCoProcess{EnableCoProcess: true, CoProcessGRPCServer: "tcp://plugin:5555"}
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
			if len(l.notices.list) == 0 {
				t.Error("refused without a reason")
			}
			return
		}
		if !tr.sound(a, server) {
			return
		}
		hooks := len(a.Auth) + len(a.Hooks.Pre) + len(a.Hooks.PostKeyAuth) + len(a.Hooks.Post) + len(a.Hooks.Response)
		if hooks > 0 && !plugins {
			t.Errorf("%d hooks and nobody to ask", hooks)
		}
		if !found.definition.UseKeyless && len(a.Auth) == 0 {
			t.Error("an API that is not keyless is open to everyone")
		}
		if served := l.separate([]*grapnel.API{a}); len(served) != 1 {
			t.Error("an API alone has no place")
		}
		if _, err := json.Marshal(a.ConfigData); err != nil {
			t.Error(err)
		}
	})
}
