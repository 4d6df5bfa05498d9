// Package tutorial_test does what docs/tutorial says, and checks that what it
// quotes is so.
//
// A block of code in a tutorial says what it is after its language: the file of
// this repository that it quotes, or "&" for a command that keeps running. All
// is typed in a folder examples/orders, into which the tests write what is
// quoted there as a whole.
package tutorial_test

import (
	"bytes"
	"cmp"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/test/program"
)

const (
	root     = "../.."
	patience = 30 * time.Second
)

// A block is one of a tutorial's.
type block struct{ language, note, text string }

var fenced = regexp.MustCompile("(?ms)^```(\\w+) ?(.*?)\n(.*?)^```$")

func blocks(t *testing.T, file string) []block {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		all = append(all, block{m[1], m[2], m[3]})
	}
	return all
}

func tutorials(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(root + "/docs/tutorial/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tutorials: %v", err)
	}
	return files
}

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// TestQuotes: every block is either a quotation or run by TestSteps.
func TestQuotes(t *testing.T) {
	for _, file := range tutorials(t) {
		for _, b := range blocks(t, file) {
			if b.language == "sh" && (b.note == "" || b.note == "&") || b.language == "console" {
				continue
			}
			source, err := os.ReadFile(filepath.Join(root, b.note))
			if err != nil {
				t.Errorf("%s, a block in %s: %v", file, b.language, err)
			} else if !strings.Contains(string(source), b.text) {
				t.Errorf("%s: this is not in %s:\n%s", file, b.note, b.text)
			}
		}
	}
}

// TestSteps does what the tutorials of the languages in GRAPNEL_SAMPLES say; by
// default those are Go and Python.
func TestSteps(t *testing.T) {
	chosen := strings.Fields(cmp.Or(os.Getenv("GRAPNEL_SAMPLES"), "go python"))
	for _, file := range tutorials(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		if !slices.Contains(chosen, name) && !slices.Contains(chosen, "all") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			r := newReader(t)
			for _, b := range blocks(t, file) {
				r.follow(t, b)
			}
		})
	}
}

// A reader follows a tutorial.
type reader struct {
	dir   string // examples/orders, of what looks like a clone of this repository
	env   []string
	ports *strings.Replacer
}

func newReader(t *testing.T) *reader {
	t.Helper()
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	clone := t.TempDir()
	r := &reader{dir: filepath.Join(clone, "examples", "orders")}
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"go.mod", "go.sum", "sdk", "proto", "examples/node", "examples/java"} {
		if err := os.Symlink(filepath.Join(repository, part), filepath.Join(clone, part)); err != nil {
			t.Fatal(err)
		}
	}
	var pairs []string
	for _, port := range []string{"8080", "9000", "5555"} {
		_, free, err := net.SplitHostPort(program.FreeAddr(t))
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, port, free)
	}
	r.ports = strings.NewReplacer(pairs...)
	r.env = append(os.Environ(),
		"PATH="+filepath.Dir(program.Path(t, "grapnel"))+":"+os.Getenv("PATH"),
		"GRAPNEL_PLUGIN_SOCKET=", "PLUGIN_LISTEN="+r.ports.Replace("127.0.0.1:5555"))
	return r
}

// follow does what one block says.
func (r *reader) follow(t *testing.T, b block) {
	t.Helper()
	text := r.ports.Replace(b.text)
	switch {
	case b.language == "console":
		for _, step := range strings.Split("\n"+text, "\n$ ")[1:] {
			command, want, _ := strings.Cut(step, "\n")
			r.expect(t, command, strings.TrimSpace(want))
		}
	case b.language == "sh" && b.note == "&":
		r.start(t, text)
	case b.language == "sh":
		if out, err := r.command(text).CombinedOutput(); err != nil {
			t.Fatalf("%s%v\n%s", text, err, out)
		}
	default:
		r.write(t, b, text)
	}
}

func (r *reader) command(text string) *exec.Cmd {
	c := exec.Command("bash", "-ec", text)
	c.Dir, c.Env = r.dir, r.env
	return c
}

// start leaves a command running until the test ends.
func (r *reader) start(t *testing.T, text string) {
	t.Helper()
	var out bytes.Buffer
	c := r.command(text)
	c.Stdout, c.Stderr = &out, &out
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-c.Process.Pid, syscall.SIGTERM)
		c.Wait()
		if t.Failed() {
			t.Logf("%s%s", text, out.String())
		}
	})
}

// expect waits until a command prints what the tutorial says; what it asks may
// still be starting.
func (r *reader) expect(t *testing.T, command, want string) {
	t.Helper()
	var got string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		out, _ := r.command(command).Output()
		if got = strings.TrimSpace(string(out)); got == want {
			return
		}
	}
	t.Fatalf("%s printed\n%s\nwant\n%s", command, got, want)
}

// write makes a file of a block that quotes a whole one.
func (r *reader) write(t *testing.T, b block, text string) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, b.note))
	if err != nil {
		t.Fatal(err)
	}
	if string(source) != b.text {
		return
	}
	if err := os.WriteFile(filepath.Join(r.dir, filepath.Base(b.note)), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
