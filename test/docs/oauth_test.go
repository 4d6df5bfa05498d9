package docs_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel/test/program"
)

// The page shows what a gateway with its configuration answers to a client of its
// authorization server.
func TestOAuth(t *testing.T) {
	_, section, _ := strings.Cut(document(t, "operations.md"), "\n## OAuth\n")
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "welcome\n") }))
	t.Cleanup(up.Close)
	addr, control := program.FreeAddr(t), program.FreeAddr(t)
	real := strings.NewReplacer("127.0.0.1:8080", addr, "127.0.0.1:9696", control, "http://127.0.0.1:9000", up.URL)
	file := filepath.Join(t.TempDir(), "grapnel.yaml")
	if err := os.WriteFile(file, []byte(real.Replace(blocks(section, "yaml")[0])), 0o600); err != nil {
		t.Fatal(err)
	}
	program.Start(t, addr, "run", "--config", file)
	var script, want strings.Builder
	for line := range strings.Lines(blocks(section, "console")[0]) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			script.WriteString("echo; " + command) // a reply need not end its line
		} else {
			want.WriteString(line)
		}
	}
	out, err := exec.Command("bash", "-c", "set -e; "+real.Replace(script.String())).Output()
	if diff := cmp.Diff(lines(want.String()), lines(string(out))); err != nil || diff != "" {
		t.Errorf("%v\n-page +gateway\n%s", err, diff)
	}
}

// lines are those of a text that are not empty.
func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}
