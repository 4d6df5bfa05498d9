package scaffold_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel/config"
	"github.com/grapnel-gateway/grapnel/scaffold"
)

// contents are the files of a folder by name.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		files[strings.TrimPrefix(name, dir+"/")] = text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestNew: a project has what every project has, its configuration is valid,
// and nothing of a template is left in it.
func TestNew(t *testing.T) {
	for _, lang := range scaffold.Languages() {
		t.Run(lang, func(t *testing.T) {
			dir, err := scaffold.New("Null", lang, filepath.Join(t.TempDir(), "new"))
			if err != nil {
				t.Fatal(err)
			}
			files := contents(t, dir)
			for _, name := range []string{"README.md", "grapnel.yaml", ".gitignore"} {
				if len(files[name]) == 0 && (lang != "ruby" || name != ".gitignore") { // Ruby builds nothing
					t.Errorf("there is no %s", name)
				}
			}
			for name, text := range files {
				if strings.HasSuffix(name, ".tmpl") || bytes.Contains(text, []byte("{{.")) || bytes.Contains(text, []byte("<no value>")) {
					t.Errorf("%s is still a template", name)
				}
			}
			getenv := func(string) (string, bool) { return "", false }
			if _, err := config.Parse("grapnel.yaml", files["grapnel.yaml"], getenv); err != nil {
				t.Error(err)
			}
			source := regexp.MustCompile(`\]\(([^)]+)\)`).FindSubmatch(files["README.md"])
			if source == nil || !bytes.Contains(files[string(source[1])], []byte("X-Tenant")) {
				t.Errorf("the README leads to %q, where no hook is", source)
			}
		})
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"tenants": "tenants", "My_Plugin": "my-plugin", " My  new plugin! ": "my-new-plugin", "a1": "a1", "../../etc/passwd": "etc-passwd",
		"": "", "1st": "", "---": "", "Ω": "", strings.Repeat("a", 61): "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			got, err := scaffold.New(name, "ruby", "")
			if got != want || (err == nil) != (want != "") {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
			made, _ := os.ReadDir(".")
			if len(made) > 1 || len(made) == 1 && made[0].Name() != want {
				t.Errorf("made %v", made)
			}
		})
	}
}

// TestOverwrite: nothing that is there is touched; an empty folder may be.
func TestOverwrite(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := scaffold.New("x", "go", dir); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("err = %v", err)
	}
	if files := contents(t, dir); len(files) != 1 {
		t.Errorf("%d files", len(files))
	}
	if _, err := scaffold.New("x", "go", filepath.Join(dir, "mine")); err == nil {
		t.Error("a file is no folder")
	}
	if _, err := scaffold.New("x", "go", t.TempDir()); err != nil {
		t.Error(err)
	}
	if _, err := scaffold.New("x", "cobol", t.TempDir()); err == nil || !strings.Contains(err.Error(), "python") {
		t.Errorf("err = %v", err)
	}
}

// TestGoModule: a Go project asks for the versions that this module has, so
// that it builds wherever this module does.
func TestGoModule(t *testing.T) {
	dir, err := scaffold.New("x", "go", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	files := contents(t, dir)
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile("../" + name)
		if err != nil {
			t.Fatal(err)
		}
		ours := strings.Split(string(text), "\n")
		checked := 0
		for line := range strings.Lines(string(files[name])) {
			line = strings.TrimSuffix(line, "\n")
			if !strings.Contains(line, " v") {
				continue
			}
			checked++
			same := func(our string) bool {
				return strings.TrimSuffix(our, " // indirect") == strings.TrimSuffix(line, " // indirect")
			}
			if !slices.ContainsFunc(ours, same) {
				t.Errorf("%s of new projects has %q, which this module's has not: change scaffold/templates/go", name, line)
			}
		}
		if checked < 5 {
			t.Errorf("only %d lines of %s checked", checked, name)
		}
	}
}
