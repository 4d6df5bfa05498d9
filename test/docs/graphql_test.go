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

// The page shows what a gateway with its configuration answers.
func TestGraphQL(t *testing.T) {
	_, section, _ := strings.Cut(document(t, "operations.md"), "\n## GraphQL\n")
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"data":{}}`) }))
	t.Cleanup(up.Close)
	addr := program.FreeAddr(t)
	yaml := strings.NewReplacer("127.0.0.1:8080", addr, "http://127.0.0.1:9000", up.URL).Replace(blocks(section, "yaml")[0])
	file := filepath.Join(t.TempDir(), "grapnel.yaml")
	if err := os.WriteFile(file, []byte(yaml+"store: \"memory:\"\nadmin: { listen: "+program.FreeAddr(t)+" }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program.Start(t, addr, "run", "--config", file)
	shown := strings.Split(blocks(section, "console")[0], "$ ")[1:]
	if len(shown) < 3 {
		t.Fatalf("%d commands are shown", len(shown))
	}
	for _, one := range shown {
		command, want, _ := strings.Cut(one, "\n")
		out, err := exec.Command("bash", "-c", strings.ReplaceAll(command, "127.0.0.1:8080", addr)).Output()
		if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(string(out))); err != nil || diff != "" {
			t.Errorf("%s: %v\n-page +gateway\n%s", command, err, diff)
		}
	}
}
