package examples_test

import (
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel/test/program"
)

const olderToken = "71f6ac3385ce284152a64208521c592b"

// TestOlderPlugins: plugins that were built on the original's contract do what
// they did there, natively and in a set-up of the original's [W-1, A-1, A-41, C-4].
func TestOlderPlugins(t *testing.T) {
	for language, start := range map[string]func(*testing.T) older{"go": olderGo, "python": olderPython} {
		t.Run(language, func(t *testing.T) {
			plugin := start(t)
			for mode, configure := range map[string]func(*testing.T, older, string, string) []string{"native": olderNative, "tyk": olderTyk} {
				t.Run(mode, func(t *testing.T) {
					site := &site{upstream: newUpstream(t), client: &http.Client{Timeout: patience}}
					t.Cleanup(site.client.CloseIdleConnections)
					addr := program.FreeAddr(t)
					site.Gateway = program.Start(t, addr, configure(t, plugin, addr, site.upstream.URL)...)
					checkOlder(t, site, mode)
					if got := plugin.event(t); got != "AuthFailure" {
						t.Errorf("the plugin was told of %q", got)
					}
				})
			}
		})
	}
}

func checkOlder(t *testing.T, site *site, mode string) {
	query := "keep=1&keep=2&added=a+b"
	if mode == "tyk" {
		query = "added=a+b&keep=1&keep=2" // written anew
	}
	sent := header{"Authorization": olderToken, "X-Gone": "x", "X-Kept": "Größe"}
	for _, c := range []trial{
		{"all hooks", "POST", "/legacy/old?keep=1&keep=2&gone=1", sent, "body",
			plain("202", "BODY!", header{"X-Reply": "was 200"}),
			message{"PUT /new?" + query, header{"X-Kept": "Größe", "X-Pre": "1", "X-Plan": "gold gold", "X-Token": olderToken}, "BODY"}},
		{"a stranger", "POST", "/legacy/old", header{"Authorization": "?"}, "body", page("403", "Not authorized!", nil), message{}},
		{"an answer", "GET", "/teapot/", nil, "", message{"418", header{"X-Tea": "green", "Content-Type": "text/plain; charset=utf-8"}, "teapot"}, message{}},
		{"hooks without effect", "POST", "/nobody/x?b=2&a=1&b=1&c", sent, everyByte(100_000), plain("200", everyByte(100_000), nil),
			message{"POST /x?b=2&a=1&b=1&c", header{"X-Gone": "x", "X-Kept": "Größe"}, short([]byte(everyByte(100_000)))}},
	} {
		t.Run(c.name, func(t *testing.T) {
			reply, received, err := site.ask(c.method, c.path, c.header, c.body)
			if err != nil {
				t.Fatal(err)
			}
			if mode == "tyk" { // where every reply tells of rate and quota
				maps.DeleteFunc(reply.Header, func(name, _ string) bool { return strings.HasPrefix(name, "X-Ratelimit-") })
			}
			if diff := cmp.Diff(c.reply, reply); diff != "" {
				t.Errorf("the client's reply -want +got\n%s", diff)
			}
			if diff := cmp.Diff(c.upstream, received); diff != "" {
				t.Errorf("the upstream's request -want +got\n%s", diff)
			}
		})
	}
}

// olderHooks are those of the three APIs.
func olderHooks(hook func(name string) any) map[string]object {
	return map[string]object{
		"legacy": {
			"pre": hook("MyPreMiddleware"), "post_key_auth": hook("MyPostKeyAuthMiddleware"),
			"post": hook("MyPostMiddleware"), "response": hook("MyResponseMiddleware"),
		},
		"teapot": {"pre": hook("MyTeapot")},
		"nobody": {"pre": hook("NoSuchHook"), "post": hook("NoSuchHook"), "response": hook("NoSuchHook")},
	}
}

// olderNative configures the APIs natively, and returns the gateway's arguments.
func olderNative(t *testing.T, plugin older, addr, upstream string) []string {
	t.Helper()
	hook := func(name string) any { return []object{{"plugin": "p", "hook": name}} }
	var apis []object
	for id, hooks := range olderHooks(hook) {
		api := object{"id": id, "listen_path": "/" + id + "/", "target": upstream, "hooks": hooks}
		if id == "legacy" {
			// It reads the token in a later hook, which natively is not told of it.
			hooks["post_key_auth"].([]object)[0]["send"] = object{"session": "full"}
			api["auth"] = hook("MyAuthMiddleware")
			api["events"] = object{"AuthFailure": []object{{"plugin": "p", "handler": "my_handler"}}}
		}
		apis = append(apis, api)
	}
	file := filepath.Join(t.TempDir(), "grapnel.yaml")
	writeJSON(t, file, object{
		"listen": addr, "admin": object{"listen": ""}, "store": "memory:", "apis": apis,
		"plugins": object{"p": object{"target": plugin.target, "timeout": patience.String()}},
	})
	return []string{"run", "--config", file}
}

// olderTyk configures them as the original is configured.
func olderTyk(t *testing.T, plugin older, addr, upstream string) []string {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for id, hooks := range olderHooks(func(name string) any { return []object{{"name": name}} }) {
		hooks["driver"] = "grpc"
		definition := object{
			"api_id": id, "name": id, "org_id": "org", "active": true, "use_keyless": id != "legacy", "custom_middleware": hooks,
			"proxy":        object{"listen_path": "/" + id + "/", "target_url": upstream, "strip_listen_path": true},
			"version_data": object{"not_versioned": true, "versions": object{"Default": object{"name": "Default"}}},
		}
		if id == "legacy" {
			hooks["auth_check"] = object{"name": "MyAuthMiddleware"}
			definition["enable_coprocess_auth"] = true
			definition["event_handlers"] = object{"events": object{"AuthFailure": []object{
				{"handler_name": "cp_dynamic_handler", "handler_meta": object{"name": "my_handler"}},
			}}}
		}
		writeJSON(t, filepath.Join(dir, "apps", id+".json"), definition)
	}
	conf := filepath.Join(dir, "tyk.conf")
	writeJSON(t, conf, object{
		"listen_address": host, "listen_port": number, "secret": "older", "app_path": filepath.Join(dir, "apps"),
		"coprocess_options": object{"enable_coprocess": true, "coprocess_grpc_server": "tcp://" + plugin.target},
	})
	return []string{"run", "--tyk-conf", conf, "--store", "memory:"}
}

func writeJSON(t *testing.T, file string, v any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
