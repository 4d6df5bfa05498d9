package scaffold_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/scaffold"
	"github.com/grapnel-gateway/grapnel/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// chosen are the languages in GRAPNEL_SAMPLES, as "go python", which is what it
// is by default; "all" are all. It means the same to test/examples.
func chosen(t *testing.T) []string {
	t.Helper()
	names := strings.Fields(os.Getenv("GRAPNEL_SAMPLES"))
	switch {
	case len(names) == 0:
		return []string{"go", "python"}
	case slices.Equal(names, []string{"all"}):
		return scaffold.Languages()
	}
	for _, name := range names {
		if !slices.Contains(scaffold.Languages(), name) {
			t.Errorf("GRAPNEL_SAMPLES: there are no projects in %s", name)
		}
	}
	return names
}

// TestProjects does with a new project what its README says.
func TestProjects(t *testing.T) {
	for _, lang := range chosen(t) {
		t.Run(lang, func(t *testing.T) {
			dir, err := scaffold.New("tenants", lang, filepath.Join(t.TempDir(), "tenants"))
			if err != nil {
				t.Fatal(err)
			}
			installTools(t, lang)
			for _, heading := range []string{"Build", "Test"} {
				if command := command(t, dir, heading); command != "" {
					execute(t, dir, command)
				}
			}
			addr := program.FreeAddr(t)
			server := start(t, dir, command(t, dir, "Run"), addr)
			checkGateway(t, dir, addr)
			checkVerified(t, addr, server.Process.Pid)
			if err := server.Wait(); err != nil {
				t.Errorf("after SIGTERM it ended with %v", err)
			}
			checkOneCommand(t, dir)
		})
	}
}

// installTools has the sample of a language install the tools of the language
// where they are missing. Those of Go and Python all tests need.
func installTools(t *testing.T, lang string) {
	t.Helper()
	if lang != "go" && lang != "python" {
		execute(t, filepath.Join("..", "examples", lang), "./install.sh --test")
	}
}

// command is what the README says under a heading; empty where there is none.
func command(t *testing.T, dir, heading string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`## ` + heading + `\n\n {4}(.+)\n`).FindSubmatch(text)
	if m == nil {
		return ""
	}
	return string(m[1])
}

func execute(t *testing.T, dir, command string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off") // a Go project needs no more than this module does
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

// start runs the plugin server and waits until it listens.
func start(t *testing.T, dir, command, addr string) *exec.Cmd {
	t.Helper()
	log := new(bytes.Buffer)
	cmd := exec.Command("sh", "-c", "exec "+command)
	cmd.Dir, cmd.Stderr = dir, log
	cmd.Env = append(os.Environ(), "GRAPNEL_PLUGIN_SOCKET=", "PLUGIN_LISTEN="+addr)
	stdout, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGKILL) // if it has not ended
		cmd.Wait()
		stdout.Close()
		if t.Failed() {
			t.Logf("log of the plugin:\n%s", log)
		}
	})
	stdout.SetReadDeadline(time.Now().Add(time.Minute))
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if !strings.HasPrefix(line, "listening on ") {
		t.Fatalf("the plugin said %q, %v", line, err)
	}
	return cmd
}

// checkOneCommand runs the plugin and a gateway with the README's one command.
func checkOneCommand(t *testing.T, dir string) {
	t.Helper()
	addr := program.FreeAddr(t)
	line := strings.NewReplacer("http://127.0.0.1:9000", newUpstream(t), "'", "").Replace(command(t, dir, "Behind a gateway"))
	t.Chdir(dir)
	program.Start(t, addr, append(strings.Fields(line)[1:], "--listen", addr)...)
	checkAnswers(t, addr)
}

// newUpstream answers with the tenant that it was told.
func newUpstream(t *testing.T) string {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "tenant "+r.Header.Get("X-Tenant"))
	}))
	t.Cleanup(upstream.Close)
	return upstream.URL
}

// checkGateway serves the project's configuration, with real addresses in it.
func checkGateway(t *testing.T, dir, plugin string) {
	t.Helper()
	upstream := newUpstream(t)
	text, err := os.ReadFile(filepath.Join(dir, "grapnel.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	addr := program.FreeAddr(t)
	yaml := strings.NewReplacer(
		"127.0.0.1:8080", addr, "127.0.0.1:5555", plugin, "http://127.0.0.1:9000", upstream, "timeout: 1s", "timeout: 20s",
		"store:", "admin: { listen: \"\" }\nstore:",
	).Replace(string(text))
	file := filepath.Join(t.TempDir(), "grapnel.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	program.Start(t, addr, "run", "--config", file)
	checkAnswers(t, addr)
}

// checkAnswers asks the gateway what the README says.
func checkAnswers(t *testing.T, addr string) {
	t.Helper()
	if code, body := get(t, addr, ""); code != 200 || body != "tenant acme" {
		t.Errorf("the answer is %d %q", code, body)
	}
	if code, body := get(t, addr, "me"); code != 403 || !strings.Contains(body, "X-Tenant is not yours to send") {
		t.Errorf("the answer to a client that sends X-Tenant is %d %q", code, body)
	}
}

func get(t *testing.T, addr, tenant string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://"+addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if tenant != "" {
		r.Header.Set("X-Tenant", tenant)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// checkVerified: the server passes its own examination, which ends it. Runtimes
// that lose unknown fields may.
func checkVerified(t *testing.T, addr string, pid int) {
	t.Helper()
	cmd := exec.Command(program.Path(t, "grapnel"), "plugin", "verify", addr, "--json", "--timeout", "20s",
		"--hook", "AddTenant/pre", "--config", `{"tenant":"acme"}`, "--pid", strconv.Itoa(pid))
	out, err := cmd.Output()
	var report struct {
		Checks []struct{ Name, Grade, Detail string }
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err != nil || len(report.Checks) < 12 {
		t.Errorf("verify: %v", err)
	}
	for _, c := range report.Checks {
		if c.Grade == "fail" || c.Grade == "warn" && c.Name != "unknown fields" {
			t.Errorf("%s: %s: %s", c.Grade, c.Name, c.Detail)
		}
	}
}
