package docs_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel/test/program"
)

// A plugin of one file is served by the one command that stands below it, in the
// README and in plugins.md.
func TestOneCommand(t *testing.T) {
	sample, err := filepath.Abs(root + "/examples/python") // which has the helper library installed
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(filepath.Join(sample, "install.sh")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	readme, err := os.ReadFile(root + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`(?m)grapnel (run --plugin plugin\.py .*)$`)
	for name, page := range map[string]string{"README": string(readme), "plugins.md": document(t, "plugins.md")} {
		t.Run(name, func(t *testing.T) {
			up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Header.Get("X-Tenant")) }))
			t.Cleanup(up.Close)
			t.Chdir(t.TempDir())
			if err := os.WriteFile("plugin.py", []byte(blocks(page, "python")[0]), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(sample, ".venv"), ".venv"); err != nil {
				t.Fatal(err)
			}
			line := command.FindStringSubmatch(page)
			if line == nil {
				t.Fatal("the command is missing")
			}
			line[1] = strings.NewReplacer("http://127.0.0.1:9000", up.URL, `": "`, `":"`, "'", "").Replace(line[1])
			addr := program.FreeAddr(t)
			program.Start(t, addr, append(strings.Fields(line[1]), "--listen", addr)...)
			resp, err := http.Get("http://" + addr + "/")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "acme" {
				t.Errorf("the upstream was told of the tenant %q, %v", body, err)
			}
		})
	}
}
