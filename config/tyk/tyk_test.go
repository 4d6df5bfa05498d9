package tyk

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/grapnel-gateway/grapnel"
)

// plugged is a tyk.conf with a plugin server.
const plugged = `{"secret": "s", "app_path": "apps", "storage": {"type": "memory"}, "coprocess_options": {"enable_coprocess": true, "coprocess_grpc_server": "tcp://plugin:5555"}}`

// setup writes a set-up and returns the path of its tyk.conf. The definitions
// are files of app_path by name.
func setup(t *testing.T, conf string, definitions map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "tyk.conf"), conf)
	if err := os.Mkdir(filepath.Join(dir, "apps"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range definitions {
		write(t, filepath.Join(dir, "apps", name), text)
	}
	return filepath.Join(dir, "tyk.conf")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// load loads a set-up that can be loaded.
func load(t *testing.T, path string, environ ...string) (*grapnel.Config, []Notice) {
	t.Helper()
	c, notices, err := Load(path, environ)
	if err != nil {
		t.Fatal(err)
	}
	return c, notices
}

// define makes a definition that is served, changed by the JSON of patch.
func define(t *testing.T, id, patch string) string {
	t.Helper()
	d := map[string]any{
		"api_id": id, "use_keyless": true,
		"proxy": map[string]any{"listen_path": "/" + id + "/", "target_url": "http://upstream:9000"},
	}
	merge(t, d, patch)
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func merge(t *testing.T, into map[string]any, patch string) {
	t.Helper()
	if patch == "" {
		return
	}
	var p map[string]any
	if err := json.Unmarshal([]byte(patch), &p); err != nil {
		t.Fatalf("%s: %v", patch, err)
	}
	for k, v := range p {
		if inner, ok := into[k].(map[string]any); ok {
			if object, ok := v.(map[string]any); ok {
				b, _ := json.Marshal(object)
				merge(t, inner, string(b))
				continue
			}
		}
		into[k] = v
	}
}

// one loads a single definition and returns its API, nil when it is refused.
func one(t *testing.T, conf, patch string, environ ...string) (*grapnel.API, []Notice) {
	t.Helper()
	c, notices := load(t, setup(t, conf, map[string]string{"a.json": define(t, "a", patch)}), environ...)
	if len(c.APIs) == 0 {
		return nil, notices
	}
	return c.APIs[0], notices
}

// told returns the notices of a level as "path: message".
func told(notices []Notice, level slog.Level) []string {
	var out []string
	for _, n := range notices {
		if n.Level == level {
			out = append(out, n.Path+": "+n.Message)
		}
	}
	return out
}

// expectTold fails unless one notice of the level has all parts.
func expectTold(t *testing.T, notices []Notice, level slog.Level, parts ...string) {
	t.Helper()
next:
	for _, line := range told(notices, level) {
		for _, part := range parts {
			if !strings.Contains(line, part) {
				continue next
			}
		}
		return
	}
	t.Errorf("no %v notice has %q:\n%v", level, parts, notices)
}

// TestMinimalSetup loads the file of the tutorials [G-10].
func TestMinimalSetup(t *testing.T) {
	c, notices := load(t, "testdata/minimal/tyk.conf")
	if len(c.APIs) != 1 {
		t.Fatalf("%d APIs, want the one that is no OAS twin [P-1]: %v", len(c.APIs), notices)
	}
	ten := grapnel.Duration(10 * time.Second)
	hook := func(name string, stage grapnel.Stage) grapnel.Hook {
		return grapnel.Hook{Plugin: "default", Name: name, Timeout: ten, Stage: stage}
	}
	pre := hook("MyPreMiddleware", grapnel.Pre)
	pre.RawBodyOnly = true // [D-3]
	want := grapnel.Hooks{
		Pre:         []grapnel.Hook{pre},
		PostKeyAuth: []grapnel.Hook{hook("MyPostKeyAuth", grapnel.PostKeyAuth)},
		Response:    []grapnel.Hook{hook("MyResponse", grapnel.Response)}, // [D-4]
	}
	a := c.APIs[0]
	if diff := cmp.Diff(want, a.Hooks); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]grapnel.AuthMethod{{Hook: hook("MyAuthCheck", grapnel.Auth)}}, a.Auth); diff != "" {
		t.Error(diff)
	}
	if got := told(notices, slog.LevelError); got != nil {
		t.Errorf("refused: %v", got)
	}
	if c.Store != "redis://redis:6379/0" || !c.Keys.Hash || c.PolicyPath != "" {
		t.Errorf("store %q, keys %+v, policies %q", c.Store, c.Keys, c.PolicyPath)
	}
	for _, key := range []string{"enable_bundle_downloader", "bundle_base_url"} {
		expectTold(t, notices, slog.LevelWarn, key+": has no effect")
	}
}

// TestWhereTheFileIs follows G-1 and G-5: the working directory, then the
// defaults.
func TestWhereTheFileIs(t *testing.T) {
	path := setup(t, `{"listen_port": 7000}`, nil)
	t.Chdir(filepath.Dir(path))
	if c, _ := load(t, ""); c.Listen != ":7000" {
		t.Errorf("listens at %s, want the port of ./tyk.conf", c.Listen)
	}
	c, notices := load(t, "", "TYK_GW_OMITCONFIGFILE=true", "TYK_GW_LISTENADDRESS=127.0.0.1")
	if c.Listen != "127.0.0.1:8080" {
		t.Errorf("listens at %s without the file, want the default port", c.Listen)
	}
	expectTold(t, notices, slog.LevelWarn, "secret: ", "stays closed") // [L-48]
	if _, _, err := Load("nowhere.conf", nil); err == nil {
		t.Error("a file that was named and is not there is no error")
	}
	if err := os.Remove("apps"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load("tyk.conf", nil); err == nil || !strings.Contains(err.Error(), "app_path") {
		t.Errorf("a missing app_path: %v", err)
	}
}

func TestFiles(t *testing.T) {
	path := setup(t, `{"app_path": "apps/"}`, nil)
	got, err := Source{Path: path}.Files()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{path, filepath.Join(filepath.Dir(path), "apps")}, got); diff != "" {
		t.Error(diff)
	}
}

// TestBrokenFiles: a definition that cannot be read harms no other [P-1].
func TestBrokenFiles(t *testing.T) {
	path := setup(t, plugged, map[string]string{
		"a.json": define(t, "a", ""),
		"b.json": "{\n\"api_id\": \"b\",\n!",
		"c.json": define(t, "c", `{"proxy": {"target_url": 5}}`),
		"d.json": `[]`,
		"e.json": `{"api_definition": ` + define(t, "e", "") + `}`,
		"f.txt":  "not a definition",
	})
	c, notices := load(t, path)
	var ids []string
	for _, a := range c.APIs {
		ids = append(ids, a.ID)
	}
	if diff := cmp.Diff([]string{"a", "e"}, ids); diff != "" {
		t.Error(diff)
	}
	expectTold(t, notices, slog.LevelError, "line 3")
	expectTold(t, notices, slog.LevelError, "proxy.target_url: a number does not belong here")
	expectTold(t, notices, slog.LevelError, "a definition is an object")

	if _, _, err := (Source{Path: path, Strict: true}).Load(); err == nil || !strings.Contains(err.Error(), "b.json") {
		t.Errorf("a strict source: %v", err)
	}
}

// TestBrokenConf: a tyk.conf that cannot be used is refused whole.
func TestBrokenConf(t *testing.T) {
	for conf, want := range map[string]string{
		"{\n\n,":                                                                 "line 3",
		`{"listen_port": "80"}`:                                                  "listen_port: a string does not belong here",
		`{"use_db_app_configs": true}`:                                           "use_db_app_configs",
		`{"slave_options": {"use_rpc": true}}`:                                   "slave_options.use_rpc",
		`{"security": {"pinned_public_keys": {"*": "x"}}}`:                       "security.pinned_public_keys",
		`{"security": {"control_api_use_mutual_tls": true}}`:                     "security.control_api_use_mutual_tls",
		`{"http_server_options": {"use_ssl": true}}`:                             "there are no certificates",
		`{"http_server_options": {"use_ssl": true, "ssl_certificates": ["5f"]}}`: "ssl_certificates[0]",
		`{"secret": "vault://a/b"}`:                                              "vault is not supported",
		`{"secret": "secrets://a"}`:                                              "no such entry",
		`{"secret": "env://NOWHERE"}`:                                            "no such environment variable",
		`{"secret": "file:///nowhere"}`:                                          "no such file",
		`{"coprocess_options": {"enable_coprocess": true, "coprocess_grpc_server": "ftp://x"}}`: "plugins.default.target",
		`{"storage": {"type": "mysql"}}`:                                         "storage.type",
		`{"storage": {"host": "redis"}}`:                                         "storage.type",
		`{"storage": {"type": "redis", "password": "env://NOWHERE"}}`:            "storage.password",
		`{"storage": {"type": "redis", "sentinel_password": "file:///nowhere"}}`: "storage.sentinel_password",
		`{"policies": {"policy_source": "service"}}`:                             "policies.policy_source",
		`{"policies": {"policy_source": "rpc"}}`:                                 "policies.policy_source",
		`{"min_token_length": -1}`:                                               "keys.min_length",
	} {
		if _, _, err := Load(setup(t, conf, nil), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", conf, err, want)
		}
	}
}

// patched is a JSON object with another laid over it.
func patched(t *testing.T, text, patch string) string {
	t.Helper()
	object := map[string]any{}
	merge(t, object, text)
	merge(t, object, patch)
	b, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
