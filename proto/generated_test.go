package proto_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGeneratedCodeIsFresh: what was generated, in every language, comes from the
// .proto files and the generators as they are now, and nobody has edited it. It
// needs no generator: generate.sh left the checksums of what went in and came out.
func TestGeneratedCodeIsFresh(t *testing.T) {
	recorded := checksums(t)
	for name, want := range recorded {
		switch got, err := os.ReadFile(name); {
		case err != nil:
			t.Errorf("%v: run make generate", err)
		case sum(got) == want:
		case generated(name):
			t.Errorf("%s was edited by hand: run make generate", name)
		default:
			t.Errorf("%s has changed, so what is generated from it is stale: run make generate", name)
		}
	}
	for _, name := range files(t, ".") {
		ours := recorded[name] != ""
		switch {
		case path.Ext(name) == ".proto" && path.Dir(name) == ".", strings.HasPrefix(name, "generate/"):
			if !ours {
				t.Errorf("%s is new: run make generate", name)
			}
		case generated(name) && !ours:
			t.Errorf("%s comes from no .proto file", name)
		}
	}
}

// TestBindingsStaySmall: they are in everyone's clone, and Go users' too.
func TestBindingsStaySmall(t *testing.T) {
	total := 0
	for name := range checksums(t) {
		if data, err := os.ReadFile(name); err == nil && strings.HasPrefix(name, "bindings/") {
			total += len(data)
		}
	}
	if total < 1<<20 || total > 5<<20 {
		t.Errorf("the bindings have %d bytes, want some, and at most 5 MiB", total)
	}
}

// TestEveryBindingIsAPackage: each has the metadata of its ecosystem, with the
// gateway's version and licence, and a README to start from.
func TestEveryBindingIsAPackage(t *testing.T) {
	main, err := os.ReadFile("../cmd/grapnel/main.go")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`const version = "(.+)"`).FindSubmatch(main)
	if version == nil {
		t.Fatal("the gateway has no version")
	}
	index, err := os.ReadFile("bindings/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for language, metadata := range map[string]string{
		"cpp": "CMakeLists.txt", "csharp": "Grapnel.Coprocess.csproj", "java": "pom.xml", "node": "package.json", "objc": "Coprocess.podspec",
		"php": "composer.json", "python": "pyproject.toml", "ruby": "grapnel-coprocess.gemspec", "rust": "Cargo.toml",
	} {
		meta, err := os.ReadFile(path.Join("bindings", language, metadata))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(meta, version[1]) {
			t.Errorf("%s/%s has not the gateway's version %s", language, metadata, version[1])
		}
		readme, err := os.ReadFile(path.Join("bindings", language, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(readme, []byte("Apache-2.0")) || !bytes.Contains(index, []byte("("+language+")")) {
			t.Errorf("%s: no licence in its README, or no entry in bindings/README.md", language)
		}
	}
}

// TestGenerateSaysWhatToInstall: where the generators' own tools are missing, the
// script names all of them and what to do.
func TestGenerateSaysWhatToInstall(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bash, "generate.sh")
	cmd.Env = []string{"PATH=" + t.TempDir(), "HOME=" + t.TempDir()}
	out, err := cmd.CombinedOutput()
	for _, want := range []string{"\n  go ", "apt-get install maven", "apt-get install npm", "rustup.rs", "Debian 12"} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("without tools: error %v, no %q in the output:\n%s", err, want, out)
		}
	}
}

// TestReadmeShowsTheExample: the Go plugin in the README is the one that runs.
func TestReadmeShowsTheExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```go\n")
	block, _, closed := strings.Cut(rest, "```\n")
	if !closed {
		t.Fatal("README.md has no Go block")
	}
	example, err := os.ReadFile("../examples/go/minimal/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(example), block); diff != "" {
		t.Errorf("README.md and the example differ (-example +readme):\n%s", diff)
	}
}

// checksums reads GENERATED, which has the form that sha256sum writes.
func checksums(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile("GENERATED")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			checksum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
			out[name] = checksum
		}
	}
	if len(out) < 100 {
		t.Fatalf("GENERATED lists only %d files", len(out))
	}
	return out
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// generated reports whether a file lies where the script writes: in those folders
// it leaves nothing else.
func generated(name string) bool {
	parts := strings.Split(name, "/")
	switch {
	case parts[0] == "coprocess":
		return strings.HasSuffix(name, ".pb.go")
	case parts[0] != "bindings" || len(parts) < 4 && parts[1] != "descriptor":
		return false
	case parts[1] == "rust":
		return parts[3] == "generated"
	}
	return parts[2] == "src" || parts[2] == "lib" || parts[1] == "descriptor"
}

// files lists all files below dir, without what running the code leaves behind.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "__pycache__" || d.Name() == "target" || d.Name() == "node_modules"):
			return filepath.SkipDir
		case !d.IsDir():
			out = append(out, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
