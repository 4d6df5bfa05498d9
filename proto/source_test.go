package proto_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSourcesSayWhatIsCompiled: the generated Go has the names, types and
// numbers of the .proto files. It needs no protoc.
func TestSourcesSayWhatIsCompiled(t *testing.T) {
	var b strings.Builder
	for _, d := range declarations(t) {
		b.WriteString(d.text + "\n")
	}
	const all = 1 << 29 // the largest field number there is
	if diff := cmp.Diff(blocks(b.String()), blocks(compiled(all))); diff != "" {
		t.Errorf("generated code is stale, run make generate (-proto +go):\n%s", diff)
	}
}

// TestEverythingHasAComment: the .proto files are the reference of the contract,
// so nothing in them goes without a word. The generated Go has the same words.
func TestEverythingHasAComment(t *testing.T) {
	for _, d := range declarations(t) {
		if len(d.comment) == 0 {
			t.Errorf("%s: %q has no comment", d.file, d.text)
			continue
		}
		base := filepath.Join("coprocess", strings.TrimSuffix(d.file, ".proto"))
		code, err := os.ReadFile(base + ".pb.go")
		if err != nil {
			t.Fatal(err)
		}
		service, err := os.ReadFile(base + "_grpc.pb.go")
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, line := range d.comment {
			if !strings.Contains(string(code)+string(service), strings.TrimRight("// "+line, " ")+"\n") {
				t.Errorf("generated code is stale, run make generate: it lacks the line %q of %s", line, d.file)
			}
		}
	}
}

// TestGeneratedCodeIsFresh generates the Go code again, where protoc is
// installed, and compares it byte by byte but for protoc's version.
func TestGeneratedCodeIsFresh(t *testing.T) {
	if _, err := exec.LookPath("protoc"); err != nil {
		t.Log("protoc is not installed: names, numbers and comments were compared, bytes are not")
		return
	}
	dir := t.TempDir()
	if out, err := exec.Command("bash", "generate.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("generate.sh: %v\n%s", err, out)
	}
	want, got := generated(t, dir), generated(t, "coprocess")
	if len(want) == 0 {
		t.Fatal("generate.sh wrote nothing")
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("coprocess/%s comes from no .proto file", name)
		}
	}
	for name, code := range want {
		if !bytes.Equal(code, got[name]) {
			t.Errorf("coprocess/%s is stale, run make generate", name)
		}
	}
}

// TestGenerateSaysWhatToInstall: without protoc the script says what to do.
func TestGenerateSaysWhatToInstall(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bash, "generate.sh", t.TempDir())
	cmd.Env = []string{"PATH=" + t.TempDir()}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "apt-get install protobuf-compiler") {
		t.Errorf("without protoc: error %v, output:\n%s", err, out)
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

// generated reads the generated files of a folder without the header lines that
// name protoc's version.
func generated(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.pb.go"))
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^//\s+(- )?protoc\s+v.*\n`)
	out := map[string][]byte{}
	for _, f := range files {
		code, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = version.ReplaceAll(code, nil)
	}
	return out
}

// sources reads the .proto files by name.
func sources(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.proto")
	if err != nil || len(files) == 0 {
		t.Fatalf("no .proto files: %v", err)
	}
	out := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[f] = string(text)
	}
	return out
}

// A declaration is one thing that a .proto file declares: the file itself, a
// message, an enum, a service, or one of their members.
type declaration struct {
	file    string
	text    string   // as the table of contract_test.go has it
	comment []string // the lines of comment right above
}

// declarations scans the .proto files, in the order of their names. It knows
// as much of the language as they use, and fails on all else.
func declarations(t *testing.T) []declaration {
	t.Helper()
	var out []declaration
	files, _ := filepath.Glob("*.proto") // sorted
	text := sources(t)
	for _, f := range files {
		out = append(out, scan(t, f, text[f])...)
	}
	return out
}

func scan(t *testing.T, file, text string) []declaration {
	t.Helper()
	var (
		open    = regexp.MustCompile(`^(message|enum|service) (\w+) \{$`)
		member  = regexp.MustCompile(`^((?:repeated )?[\w<>,]+ )?(\w+) = (\d+);$`)
		rpc     = regexp.MustCompile(`^rpc (\w+)(\(.+\)) returns (\(.+\)) \{\}$`)
		skipped = regexp.MustCompile(`^(syntax|package|import|option) .*;$`)
	)
	var out []declaration
	var comment []string
	add := func(format string, args ...any) {
		out = append(out, declaration{file, fmt.Sprintf(format, args...), comment})
	}
	service := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if words, ok := strings.CutPrefix(line, "//"); ok {
			comment = append(comment, strings.TrimSpace(words))
			continue
		}
		if len(out) == 0 { // whatever comes first ends the file's own comment
			add("file %s", file)
		}
		if m := open.FindStringSubmatch(line); m != nil {
			add("%s %s", m[1], m[2])
			service = m[2]
		} else if m := rpc.FindStringSubmatch(line); m != nil {
			add("  /coprocess.%s/%s %s returns %s", service, m[1], m[2], m[3])
		} else if m := member.FindStringSubmatch(line); m != nil {
			add("  %s%s = %s", m[1], m[2], m[3])
		} else if line != "" && line != "}" && !skipped.MatchString(line) {
			t.Fatalf("%s: the scanner does not understand %q", file, line)
		}
		comment = nil
	}
	return out
}
