package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/admin"
)

// T-210: the reports, and that they tell no more than names and
// states.
func TestHealth(t *testing.T) {
	up := map[string]any{"status": "pass", "componentType": "datastore"}
	down := map[string]any{"status": "fail", "componentType": "datastore", "output": "it does not answer"}
	for name, c := range map[string]struct {
		plugins map[string]string
		ping    error
		status  string
		details map[string]any
		ready   int
	}{
		"no plugins": {nil, nil, "pass", map[string]any{"redis": up}, 200},
		"all well": {
			map[string]string{"a": "ready", "b": "idle", "c": "connecting"}, nil, "pass",
			map[string]any{"redis": up, "plugins": map[string]any{"a": "ready", "b": "idle", "c": "connecting"}}, 200,
		},
		"one failing": {
			map[string]string{"a": "ready", "b": "failing"}, nil, "warn",
			map[string]any{"redis": up, "plugins": map[string]any{"a": "ready", "b": "failing"}}, 200,
		},
		"no store": {nil, errors.New("dial tcp 10.1.2.3:6379"), "fail", map[string]any{"redis": down}, 503},
	} {
		t.Run(name, func(t *testing.T) {
			v := admin.Vitals{
				Version: "v1.2.3", Plugins: func() map[string]grapnel.PluginState { return states(c.plugins) },
				Store: "redis", Ping: func(context.Context) error { return c.ping },
			}
			code, got := report(t, admin.Health(v))
			want := map[string]any{"status": c.status, "version": "v1.2.3", "description": "Grapnel", "details": c.details}
			if diff := cmp.Diff(want, got, withoutTime()); diff != "" || code != 200 {
				t.Errorf("hello: %d\n%s", code, diff)
			}
			code, got = report(t, admin.Ready(v))
			want["description"] = "Grapnel Ready"
			if c.ready != 200 {
				want = map[string]any{"status": "error", "message": "The store is unavailable"}
			}
			if diff := cmp.Diff(want, got, withoutTime()); diff != "" || code != c.ready {
				t.Errorf("ready: %d\n%s", code, diff)
			}
		})
	}
	for _, h := range []http.Handler{admin.Health(admin.Vitals{}), admin.Ready(admin.Vitals{})} {
		if w := call(h, "POST", "/hello", "", "", address); w.Code != 405 || w.Body.String() != wrongMethod {
			t.Errorf("POST got %d %s", w.Code, w.Body)
		}
	}
}

func withoutTime() cmp.Option {
	return cmpopts.IgnoreMapEntries(func(key string, v any) bool { return key == "time" })
}

func report(t *testing.T, h http.Handler) (int, map[string]any) {
	t.Helper()
	w := call(h, "GET", "/hello", "", "", address)
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		t.Errorf("Content-Type is %q", w.Header().Get("Content-Type"))
	}
	return w.Code, got
}

// states are plugin servers that say no more than a word.
func states(words map[string]string) map[string]grapnel.PluginState {
	out := map[string]grapnel.PluginState{}
	for name, word := range words {
		out[name] = grapnel.PluginState{State: word}
	}
	return out
}
