// Package docs_test keeps the documents true: what they link to exists, the
// configurations they show are accepted, and the README's commands work.
package docs_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel/config"
	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
	"github.com/grapnel-gateway/grapnel/test/program"
)

const root = "../.."

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// documents are all Markdown files of the repository by name.
func documents(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch d.Name() {
		case ".git", "node_modules", ".venv", "target", "build":
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			out[path] = string(text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 8 {
		t.Fatalf("only %d documents found", len(out))
	}
	return out
}

func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]+)(#[^)]*)?\)`)
	checked := 0
	for name, text := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			checked++
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s: link to %s leads nowhere", name, m[1])
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d links checked", checked)
	}
}

// blocks returns the fenced blocks of a language.
func blocks(text, language string) []string {
	var out []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

// Every whole configuration in a document is one that the gateway accepts.
func TestConfigurations(t *testing.T) {
	getenv := func(string) (string, bool) { return "value", true }
	checked, all := 0, documents(t)
	t.Chdir(writeCertificates(t))
	for name, text := range all {
		if filepath.Base(name) == "configuration.md" {
			continue // config's own test loads it, beside the certificates that it names
		}
		for _, block := range blocks(text, "yaml") {
			if !strings.Contains("\n"+block, "\napis:") {
				continue
			}
			checked++
			if _, err := config.Parse(name, []byte(block), getenv); err != nil {
				t.Errorf("%v\n%s", err, block)
			}
		}
	}
	if checked < 2 {
		t.Errorf("only %d configurations checked", checked)
	}
}

// The README's plugin is the one in examples/go/minimal.
func TestReadmePlugin(t *testing.T) {
	readme, err := os.ReadFile(root + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile(root + "/examples/go/minimal/main.go")
	if err != nil {
		t.Fatal(err)
	}
	found := blocks(string(readme), "go")
	if len(found) == 0 {
		t.Fatal("the README shows no plugin")
	}
	for _, block := range found {
		if !strings.Contains(string(example), block) {
			t.Errorf("not in examples/go/minimal/main.go:\n%s", block)
		}
	}
}

// The README's configuration is checked and served as the README says, with the
// addresses of real servers in it.
func TestReadmeConfiguration(t *testing.T) {
	readme, err := os.ReadFile(root + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	plugin := plugintest.Serve(t)
	up := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(up.Close)
	addr := program.FreeAddr(t)
	yaml := strings.NewReplacer(
		"127.0.0.1:5555", plugin.Target, "http://127.0.0.1:9000", up.URL, "250ms", "20s", "100ms", "20s", "listen: :8080", "listen: "+addr+"\nadmin: { listen: "+program.FreeAddr(t)+" }\nstore: \"memory:\"",
	).Replace(blocks(string(readme), "yaml")[0])
	file := filepath.Join(t.TempDir(), "grapnel.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program.Path(t, "grapnel"), "check", "--config", file).CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "ok: 1 APIs") {
		t.Fatalf("check: %v\n%s", err, out)
	}
	program.Start(t, addr, "run", "--config", file)
	// The scripted plugin knows no CheckToken, so it proves nobody: refused.
	resp, err := http.Get("http://" + addr + "/orders/7")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden || resp.Header.Get("X-Request-Id") == "" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}
