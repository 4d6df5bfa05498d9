package tyk

import (
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUnhonouredKeys: what has no effect is listed once, with its path; what
// says nothing, or is switched off, is not [L-46].
func TestUnhonouredKeys(t *testing.T) {
	b, err := os.ReadFile("testdata/unhonoured.json")
	if err != nil {
		t.Fatal(err)
	}
	_, notices := load(t, setup(t, plugged, map[string]string{"x.json": string(b)}))
	info := []string{
		"nonsense: has no effect: the key is not known",
		"tags: has no effect: definitions in app_path are served whatever their tags, as in the original",
		extendedAt + "track_endpoints[0]: has no effect: nothing is recorded",
	}
	if diff := cmp.Diff(info, told(notices, slog.LevelInfo)); diff != "" {
		t.Error(diff)
	}
	warn := []string{
		"proxy.transport.proxy_url: has no effect: it is not supported in this version",
		extendedAt + "virtual[0]: has no effect: JavaScript is not supported; the request goes to the upstream",
	}
	if diff := cmp.Diff(warn, told(notices, slog.LevelWarn)); diff != "" {
		t.Error(diff)
	}
}

// TestManyFilesOneNotice: what many definitions have in common is said once.
func TestManyFilesOneNotice(t *testing.T) {
	definitions := map[string]string{}
	for i := range 100 {
		id := fmt.Sprintf("a%d", i)
		definitions[id+".json"] = define(t, id, `{"enable_batch_request_support": true, "use_keyless": false, "use_openid": `+fmt.Sprint(i < 2)+`}`)
	}
	_, notices := load(t, setup(t, plugged, definitions))
	var batch, refused int
	for _, n := range notices {
		switch n.Path {
		case "enable_batch_request_support":
			batch++
			if n.Count != 100 {
				t.Errorf("counted %d of 100", n.Count)
			}
			if want := n.File + ": enable_batch_request_support: has no effect: it is not supported in this version (here and in 99 more places)"; n.String() != want {
				t.Errorf("said %q, want %q", n, want)
			}
		case "use_openid":
			refused++
		}
	}
	if batch != 1 || refused != 2 {
		t.Errorf("%d notices of one key, want 1; %d refusals, want each of 2", batch, refused)
	}
}

// TestConfKeys: values that mean the default are not worth a notice.
func TestConfKeys(t *testing.T) {
	_, notices := load(t, setup(t, `{"secret": "s", "storage": {"type": "memory"}, "Listen_Port": 8080, "unheard_of": true, "statsd_prefix": "x", "hide_generator_header": false,
		"readiness_check_endpoint_name": "ready", "http_server_options": {"enable_websockets": true, "xff_depth": 2, "odd": 1},
		"security": {"certificates": {"mdcb_api": ["x"]}}, "opentelemetry": {"enabled": false, "endpoint": "x"}}`, nil))
	info := []string{
		"http_server_options.odd: has no effect: the key is not known",
		"unheard_of: has no effect: the key is not known",
	}
	if diff := cmp.Diff(info, told(notices, slog.LevelInfo)); diff != "" {
		t.Error(diff)
	}
	var warned []string
	for _, n := range notices {
		if n.Level == slog.LevelWarn {
			warned = append(warned, n.Path)
		}
	}
	if diff := cmp.Diff([]string{"http_server_options.xff_depth", "security.certificates.mdcb_api", "statsd_prefix"}, warned); diff != "" {
		t.Error(diff)
	}
}

// TestTables: no key has an effect and none at the same time.
func TestTables(t *testing.T) {
	for _, f := range []*keyFinder{newKeyFinder(conf{}, confKeys), newKeyFinder(definition{}, definitionKeys)} {
		if len(f.known) < 50 {
			t.Errorf("only %d keys", len(f.known))
		}
		var top []string
		for _, field := range reflect.VisibleFields(f.mirror) {
			top = append(top, field.Tag.Get("json"))
		}
		for path, k := range f.known {
			if k.reason == "" {
				t.Errorf("%s has no reason", path)
			}
			if slices.Contains(top, path) {
				t.Errorf("%s has an effect", path)
			}
		}
	}
}
