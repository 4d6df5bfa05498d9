package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
	"github.com/grapnel-gateway/grapnel/plugin/tryout"
	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// pluginTool runs grapnel plugin.
func pluginTool(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	p := &program{ctx: t.Context(), stdout: &out, stderr: &log}
	code = p.run(append([]string{"plugin"}, args...))
	return code, out.String(), log.String()
}

func TestPluginCall(t *testing.T) {
	server := plugintest.Serve(t)
	body := file(t, "from a file")
	code, out, _ := pluginTool(t, "call", server.Target, "--hook", "response", "--name", "set X-A=1;rstatus 202;noop",
		"--header", "X-Old: 1, 2", "--header", "X-More:3", "--url", "/x?a=1", "--method", "PUT", "--param", "b=2,c", "--body", "@"+body,
		"--config", `{"tenant":"acme"}`, "--session", `{"rate":5}`, "--status", "201", "--response-header", "X-Up: 1", "--response-body", "up")
	_, lines, _ := strings.Cut(out, "\n") // the first has the time
	want := `  + request.set_headers["X-A"]: "1"
  ~ response.status_code: 201 -> 202
a gateway
  changes the status to 202 Accepted
  ignores the change of request.set_headers
`
	if diff := cmp.Diff(want, lines); code != 0 || diff != "" {
		t.Errorf("exit code %d, -want +got\n%s", code, diff)
	}
	got := server.Calls("")[0].Object
	if r := got.Request; r.Headers["X-Old"] != "1, 2" || r.Headers["X-More"] != "3" || r.Url != "/x?a=1&b=2%2Cc" || r.Method != "PUT" || r.Body != "from a file" {
		t.Errorf("request %v", r)
	}
	if r := got.Response; r.StatusCode != 201 || r.Headers["X-Up"] != "1" || r.Body != "up" || got.Session.GetRate() != 5 || got.Spec["config_data"] != `{"tenant":"acme"}` {
		t.Errorf("sent %v", got)
	}
}

func TestPluginCallJSON(t *testing.T) {
	server := plugintest.Serve(t)
	object := file(t, `{"hook_type": "Post", "hook_name": "set X-A=1", "request": {"url": "/x"}}`)
	code, out, _ := pluginTool(t, "call", server.Target, "--object", object, "--url", "/y", "--json")
	got := &coprocess.Object{}
	if err := protojson.Unmarshal([]byte(out), got); code != 0 || err != nil {
		t.Fatalf("exit code %d, %v\n%s", code, err, out)
	}
	if got.HookType != coprocess.HookType_Post || got.Request.Url != "/y" || got.Request.SetHeaders["X-A"] != "1" {
		t.Errorf("got %v", got)
	}
}

func TestPluginMistakes(t *testing.T) {
	target := plugintest.Serve(t).Target
	for want, args := range map[string][]string{
		"no plugin server answers at 127.0.0.1:1":   {"call", "127.0.0.1:1"},
		"no answer within":                          {"call", target, "--name", "hang", "--timeout", "50ms"},
		"gRPC error Internal":                       {"call", target, "--name", "rpc 13"},
		"is not the address of a plugin server":     {"verify", "http://x"},
		`--hook: "late" is not a stage`:             {"call", target, "--hook", "late"},
		`--hook: "X": write it as NAME/STAGE`:       {"verify", target, "--hook", "X"},
		`--header: "X" is not a header`:             {"call", target, "--header", "X"},
		"--body: open /nonexistent":                 {"call", target, "--body", "@/nonexistent"},
		`no projects in "cobol"`:                    {"new", "x", "--lang", "cobol", "--dir", t.TempDir()},
		"it has to begin with a letter from a to z": {"new", "1", "--lang", "go", "--dir", t.TempDir()},
	} {
		code, out, log := pluginTool(t, args...)
		if code != 1 || out != "" || !strings.Contains(log, want) {
			t.Errorf("%q: exit code %d, %q, %q; want %q", args, code, out, log, want)
		}
	}
}

func TestPluginVerify(t *testing.T) {
	target := plugintest.Serve(t).Target
	junit := filepath.Join(t.TempDir(), "verify.xml")
	code, out, _ := pluginTool(t, "verify", target, "--hook", "copy X-A=X-B/pre", "--header", "X-A: 1", "--junit", junit)
	if code != 0 || !strings.Contains(out, "sets header X-B: 1\n") || !strings.HasSuffix(out, "11 passed, 0 with a warning, 0 failed\n") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if b, err := os.ReadFile(junit); err != nil || !strings.Contains(string(b), `tests="12" failures="0"`) {
		t.Errorf("%v: %s", err, b)
	}
	code, out, _ = pluginTool(t, "verify", target, "--hook", "rpc 13/pre", "--json")
	var report tryout.Report
	if err := json.Unmarshal([]byte(out), &report); code != 1 || err != nil || report.Count(tryout.Fail) != 1 {
		t.Errorf("exit code %d, %v\n%s", code, err, out)
	}
}

func TestPluginNew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	code, out, log := pluginTool(t, "new", "Tenants", "--lang", "ruby", "--dir", dir)
	if code != 0 || !strings.HasPrefix(out, dir+" is a new plugin") {
		t.Fatalf("exit code %d, %q, %q", code, out, log)
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil || !strings.HasPrefix(string(readme), "# tenants\n") {
		t.Errorf("%v: %s", err, readme)
	}
	if code, _, log = pluginTool(t, "new", "Tenants", "--lang", "ruby", "--dir", dir); code != 1 || !strings.Contains(log, "not empty") {
		t.Errorf("exit code %d, %q", code, log)
	}
}
