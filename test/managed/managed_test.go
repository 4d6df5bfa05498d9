// Package managed shows the plugin servers that the gateway runs itself: they
// come with it, are started again when they die, change with its configuration
// and are gone when it is, however it ends.
package managed

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// patience bounds every wait; nothing that works comes near it.
const patience = 30 * time.Second

type object = map[string]any

// newUpstream answers with the header that the plugin sets.
func newUpstream(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("X-Good"))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// configure writes a configuration with one managed plugin.
func configure(t *testing.T, file, addr, upstream string, command ...string) {
	t.Helper()
	text, err := json.Marshal(object{ // which is YAML, too
		"listen": addr, "admin": object{"listen": ""}, "store": "memory:", "log": object{"format": "json"},
		"plugins": object{"own": object{"exec": command, "timeout": "20s"}},
		"apis": []object{
			{"id": "a", "listen_path": "/", "target": upstream, "hooks": object{"pre": []object{{"plugin": "own", "hook": "set X-Good=1"}}}},
			{"id": "die", "listen_path": "/die/", "target": upstream, "hooks": object{"pre": []object{{"plugin": "own", "hook": "die"}}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
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

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// running lists the processes, zombies among them, whose command line has the text.
func running(t *testing.T, text string) (pids []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if err == nil && strings.Contains(string(line), text) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// servers are those of the processes that are plugin servers, not their wardens.
func servers(t *testing.T, text string) []int {
	t.Helper()
	return slices.DeleteFunc(running(t, text), func(pid int) bool {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		return strings.Contains(string(line), "warden")
	})
}

// a plugin server of this test alone: its command line has a text of its own.
func command(t *testing.T, mark string) (line []string, text string) {
	t.Helper()
	link := filepath.Join(t.TempDir(), mark)
	if err := os.Symlink(program.Path(t, "scripted"), link); err != nil {
		t.Fatal(err)
	}
	return []string{link}, link
}

func TestRunPlugin(t *testing.T) {
	addr, upstream := program.FreeAddr(t), newUpstream(t)
	line, text := command(t, "plugin")
	g := program.Start(t, addr, "run", "--listen", addr, "--plugin", line[0], "--upstream", upstream, "--pre", "set X-Good=1")
	if code, body := get(t, "http://"+addr+"/"); code != 200 || body != "1" {
		t.Errorf("%d %q", code, body)
	}
	g.Stop(t)
	if left := running(t, text); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
}

func TestRunPluginWithAuth(t *testing.T) {
	addr := program.FreeAddr(t)
	line, _ := command(t, "plugin")
	program.Start(t, addr, "run", "--listen", addr, "--plugin", line[0], "--upstream", newUpstream(t), "--auth", "refuse 403 no")
	if code, _ := get(t, "http://"+addr+"/"); code != 403 {
		t.Errorf("status %d", code)
	}
}

func TestRunPluginRefused(t *testing.T) {
	line, _ := command(t, "plugin")
	text := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(text, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"needs --upstream":  {"--plugin", line[0], "--pre", "X"},
		"http://host:port":  {"--plugin", line[0], "--upstream", "127.0.0.1:1", "--pre", "X"},
		"needs a hook":      {"--plugin", line[0], "--upstream", "http://127.0.0.1:1"},
		"no such file":      {"--plugin", "/no/such/plugin.py", "--upstream", "http://127.0.0.1:1", "--pre", "X"},
		"ended before it":   {"--plugin", "/bin/false", "--upstream", "http://127.0.0.1:1", "--pre", "X"},
		"cannot be exec":    {"--plugin", text, "--upstream", "http://127.0.0.1:1", "--pre", "X"},
		"can't be used tog": {"--plugin", line[0], "--config", "x.yaml"},
		"need --plugin":     {"--config", "x.yaml", "--pre", "X"},
		"--config-data":     {"--plugin", line[0], "--upstream", "http://127.0.0.1:1", "--pre", "X", "--config-data", "[1]"},
	} {
		addr := program.FreeAddr(t)
		if _, err := program.TryStart(t, addr, append([]string{"run", "--listen", addr}, args...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %q in it", args, err, want)
		}
	}
}

// A server that dies is started again, and says so; calls in the meantime are
// denied.
func TestDies(t *testing.T) {
	addr, upstream, file := program.FreeAddr(t), newUpstream(t), filepath.Join(t.TempDir(), "grapnel.yaml")
	line, text := command(t, "plugin")
	configure(t, file, addr, upstream, line...)
	g := program.Start(t, addr, "run", "--config", file)
	for range 2 {
		if code, _ := get(t, "http://"+addr+"/die/"); code != 500 {
			t.Errorf("status %d from a plugin that died", code)
		}
		eventually(t, "the plugin serves again", func() bool {
			code, body := get(t, "http://"+addr+"/")
			if code == 200 && body != "1" {
				t.Fatalf("went on without the plugin: %q", body)
			}
			return code == 200
		})
	}
	g.AwaitLog(t, `"plugin":"own"`, "started again", "200ms")
	if n := len(servers(t, text)); n != 1 {
		t.Errorf("%d servers run", n)
	}
}

func TestReload(t *testing.T) {
	addr, upstream, file := program.FreeAddr(t), newUpstream(t), filepath.Join(t.TempDir(), "grapnel.yaml")
	line, text := command(t, "plugin")
	configure(t, file, addr, upstream, line...)
	g := program.Start(t, addr, "run", "--config", file)
	first := servers(t, text)
	if len(first) != 1 {
		t.Fatalf("servers %v", first)
	}

	g.Signal(t, syscall.SIGHUP)
	g.AwaitLog(t, "reloaded")
	if now := servers(t, text); !slices.Equal(now, first) {
		t.Errorf("a reload of the same made %v of %v", now, first)
	}

	configure(t, file, addr, upstream, "/bin/false")
	g.AwaitLog(t, "reload failed", "ended before it served")
	if code, body := get(t, "http://"+addr+"/"); code != 200 || body != "1" {
		t.Errorf("after a reload that failed: %d %q", code, body)
	}

	configure(t, file, addr, upstream, append(line, "-record", "127.0.0.1:0")...)
	eventually(t, "the old server is gone and a new one runs", func() bool {
		now := servers(t, text)
		return len(now) == 1 && now[0] != first[0]
	})
	if code, body := get(t, "http://"+addr+"/"); code != 200 || body != "1" {
		t.Errorf("after the reload: %d %q", code, body)
	}
}

// Nothing is left of a gateway that was killed.
func TestGatewayKilled(t *testing.T) {
	addr, file := program.FreeAddr(t), filepath.Join(t.TempDir(), "grapnel.yaml")
	line, text := command(t, "plugin")
	configure(t, file, addr, newUpstream(t), line...)
	g := program.Start(t, addr, "run", "--config", file)
	if n := len(running(t, text)); n != 2 {
		t.Fatalf("%d processes of the plugin, want the server and its warden", n)
	}
	g.Kill()
	eventually(t, "the plugin ends", func() bool { return len(running(t, text)) == 0 })
}
