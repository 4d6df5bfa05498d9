package tyk

import (
	"log/slog"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

// TestKeylessHooks: on a keyless API neither the auth hook nor post_key_auth
// runs [M-2].
func TestKeylessHooks(t *testing.T) {
	a, notices := one(t, plugged, `{"enable_coprocess_auth": true, "custom_middleware": {"driver": "grpc", "auth_check": {"name": "0"},
		"pre": [{"name": "1"}, {"name": "x", "disabled": true}, {"name": "2"}], "post_key_auth": [{"name": "3"}], "post": [{"name": "4"}], "response": [{"name": "5"}]}}`)
	if a == nil || a.Auth != nil {
		t.Fatalf("API %+v, want one without authentication: %v", a, notices)
	}
	hook := func(name string, stage grapnel.Stage) grapnel.Hook {
		return grapnel.Hook{Plugin: "default", Name: name, Stage: stage, Timeout: 10 * second}
	}
	want := grapnel.Hooks{
		Pre:      []grapnel.Hook{hook("1", grapnel.Pre), hook("2", grapnel.Pre)},
		Post:     []grapnel.Hook{hook("4", grapnel.Post)},
		Response: []grapnel.Hook{hook("5", grapnel.Response)},
	}
	if diff := cmp.Diff(want, a.Hooks); diff != "" {
		t.Error(diff)
	}
	expectTold(t, notices, slog.LevelWarn, "custom_middleware.post_key_auth: does not run")
	expectTold(t, notices, slog.LevelWarn, "custom_middleware.auth_check: is not asked")
}

// TestEvents translates the handlers that this version can tell [E-1, E-2].
func TestEvents(t *testing.T) {
	const handlers = `"event_handlers": {"events": {
		"AuthFailure": [
			{"handler_name": "cp_dynamic_handler", "handler_meta": {"name": "told"}},
			{"handler_name": "eh_log_handler", "handler_meta": {"prefix": "P"}},
			{"handler_name": "eh_dynamic_handler", "handler_meta": {"name": "js"}}],
		"QuotaExceeded": [{"handler_name": "eh_log_handler"}],
		"HostDown": [{"handler_name": "eh_log_handler"}]}}`
	a, notices := one(t, plugged, `{"custom_middleware": {"driver": "grpc"}, `+handlers+`}`)
	want := map[grapnel.EventType][]grapnel.EventHandler{
		grapnel.EventAuthFailure:   {{Plugin: "default", Name: "told"}, {Name: "P"}},
		grapnel.EventQuotaExceeded: {{}},
	}
	if diff := cmp.Diff(want, a.Events); diff != "" {
		t.Error(diff)
	}
	expectTold(t, notices, slog.LevelWarn, "events.AuthFailure[2]: ", "eh_dynamic_handler")
	expectTold(t, notices, slog.LevelWarn, "events.HostDown: ", "does not fire")

	a, notices = one(t, plugged, `{`+handlers+`}`)
	if diff := cmp.Diff([]grapnel.EventHandler{{Name: "P"}}, a.Events[grapnel.EventAuthFailure]); diff != "" {
		t.Errorf("without a driver: %s", diff)
	}
	expectTold(t, notices, slog.LevelWarn, "events.AuthFailure[0]: ", "E-2")
}

// TestWebhooks translates eh_web_hook_handler [11.2].
func TestWebhooks(t *testing.T) {
	path := setup(t, plugged, nil)
	file := filepath.Join(filepath.Dir(path), "hook.json")
	write(t, file, "{}")
	made := func(change func(*grapnel.Webhook)) *grapnel.Webhook {
		w := &grapnel.Webhook{}
		w.SetDefaults()
		w.URL = &grapnel.URL{URL: url.URL{Scheme: "http", Host: "x", Path: "/p"}}
		w.Headers = map[string]string{"User-Agent": "Tyk-Hookshot"}
		change(w)
		return w
	}
	for _, c := range []struct {
		meta string
		want *grapnel.Webhook // nil is left out
		warn string
	}{
		{`"target_path": "http://x/p"`, made(func(*grapnel.Webhook) {}), ""},
		{`"target_path": "http://x/p", "method": "put", "event_timeout": 60`, made(func(w *grapnel.Webhook) { w.Method, w.Quiet = "PUT", 60*second }), ""},
		{`"target_path": "http://x/p", "header_map": {"x-a": "b", "user-agent": "me"}`, made(func(w *grapnel.Webhook) {
			w.Headers = map[string]string{"X-A": "b", "User-Agent": "me"}
		}), ""},
		{`"target_path": "http://x/p", "template_path": "` + file + `"`, made(func(w *grapnel.Webhook) { w.Template = file }), ""},
		{`"target_path": "http://x/p", "template_path": "nowhere.json"`, made(func(*grapnel.Webhook) {}), "handler_meta.template_path: there is no file"},
		{`"target_path": "http://x/p", "method": "TELL"`, made(func(*grapnel.Webhook) {}), "handler_meta.method: "},
		{`"target_path": "http://x/p", "disabled": true`, nil, ""},
		{`"target_path": "/p"`, nil, "handler_meta.target_path: has no effect"},
		{`"target_path": "ftp://x"`, nil, "handler_meta.target_path: has no effect"},
	} {
		a, notices := one(t, plugged, `{"event_handlers": {"events": {"AuthFailure": [{"handler_name": "eh_web_hook_handler", "handler_meta": {`+c.meta+`}}]}}}`)
		if a == nil {
			t.Fatalf("%s: refused: %v", c.meta, notices)
		}
		var got *grapnel.Webhook
		if handlers := a.Events[grapnel.EventAuthFailure]; len(handlers) > 0 {
			got = handlers[0].Webhook
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.meta, diff)
		}
		if c.warn != "" {
			expectTold(t, notices, slog.LevelWarn, c.warn)
		}
	}
}
