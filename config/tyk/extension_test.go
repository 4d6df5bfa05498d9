package tyk

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

// severalPlugins is a tyk.conf with servers beside the default one.
const severalPlugins = `{"secret": "s", "app_path": "apps", "coprocess_options": {"enable_coprocess": true, "coprocess_grpc_server": "tcp://h:1"},
	"grapnel": {"plugins": {"v2": {"target": "h:2", "timeout": "50ms"}, "split": {"versions": {"default": 95, "v2": 5}, "sticky": "session"}}}}`

// The key grapnel, which the original ignores, names further servers, and which of
// them an API or a hook asks, and how.
func TestExtension(t *testing.T) {
	a, notices := one(t, severalPlugins, `{"custom_middleware": {"driver": "grpc", "grapnel": {"plugin": "v2", "plugins_budget": "80ms"},
		"pre": [
			{"name": "a"},
			{"name": "b", "raw_body_only": true, "grapnel": {"plugin": "default", "timeout": "250ms", "methods": ["GET"], "on_error": [{"plugin": "split"}, {"deny": 503}]}}
		]}}`)
	if a == nil {
		t.Fatalf("not served: %v", notices)
	}
	for _, n := range notices {
		if strings.Contains(n.Path, "grapnel") {
			t.Errorf("noticed: %v", n)
		}
	}
	want := []grapnel.Hook{
		{Plugin: "v2", Name: "a", Timeout: grapnel.Duration(50 * time.Millisecond), Stage: grapnel.Pre},
		{
			Plugin: "default", Name: "b", Timeout: grapnel.Duration(250 * time.Millisecond), RawBodyOnly: true, Stage: grapnel.Pre,
			Condition: grapnel.Condition{Methods: []string{"GET"}},
			Failure:   grapnel.Failure{OnError: []grapnel.Step{{Kind: grapnel.StepPlugin, Plugin: "split"}, {Kind: grapnel.StepDeny, Status: 503}}},
		},
	}
	if diff := cmp.Diff(want, a.Hooks.Pre); diff != "" {
		t.Error(diff)
	}
	if a.PluginsBudget != grapnel.Duration(80*time.Millisecond) {
		t.Errorf("budget %v", a.PluginsBudget)
	}
	a, _ = one(t, severalPlugins, auth(`"custom_middleware": {"driver": "grpc", "auth_check": {"name": "c", "grapnel": {"plugin": "split", "on_error": {"cached": "5m"}}}}`))
	if a == nil || a.Auth[0].Plugin != "split" || a.Auth[0].Hook.Name != "c" || a.Auth[0].OnError[0].Kind != grapnel.StepCached {
		t.Errorf("auth %+v", a)
	}
}

// What is wrong in it refuses the definition, and in tyk.conf the set-up.
func TestExtensionFaults(t *testing.T) {
	for patch, want := range map[string]string{
		`{"custom_middleware": {"driver": "grpc", "grapnel": {"plguin": "v2"}, "pre": [{"name": "a"}]}}`:                        `custom_middleware.grapnel: not served: plguin: unknown key; did you mean "plugin"?`,
		`{"custom_middleware": {"driver": "grpc", "pre": [{"name": "a", "grapnel": {"plugin": "v3"}}]}}`:                        `no plugin "v3"`,
		`{"custom_middleware": {"driver": "grpc", "pre": [{"name": "a", "grapnel": {"on_error": "explode"}}]}}`:                 `custom_middleware.pre[0].grapnel: not served: on_error[0]: "explode" is not a step`,
		`{"custom_middleware": {"driver": "grpc", "pre": [{"name": "a", "grapnel": {"hook": "b"}}]}}`:                           `custom_middleware.pre[0].grapnel: not served: hook and raw_body_only stand beside it`,
		`{"custom_middleware": {"driver": "grpc", "pre": [{"name": "a", "grapnel": {"when": "request.method == '${HOME}'"}}]}}`: `HOME`,
		auth(`"custom_middleware": {"driver": "grpc", "auth_check": {"name": "c", "grapnel": {"on_error": "ignore"}}}`):         `would let everyone in`,
	} {
		a, notices := one(t, severalPlugins, patch)
		if a != nil {
			t.Errorf("%s: served", patch)
		}
		found := false
		for _, n := range notices {
			found = found || n.Level == slog.LevelError && strings.Contains(n.String(), want) && !strings.Contains(n.String(), "\n")
		}
		if !found {
			t.Errorf("%s: %v, want %s", patch, notices, want)
		}
	}
}
