// Package examples_test drives the sample plugins of all languages through a
// real gateway, with the same requests and the same expectations.
// GRAPNEL_SAMPLES names the samples that take part, as in "go python", which it
// is by default; "all" is every folder of examples/ that has a run.sh. A sample
// that takes part and cannot run fails the test.
package examples_test

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

const (
	// patience bounds every wait; nothing that works comes near it.
	patience = 30 * time.Second
	// installation bounds the start of a sample, which may have to download
	// and to compile what it needs.
	installation = 30 * time.Minute

	folder = "../../examples"
)

// chosen returns the names of the samples that take part.
func chosen(t *testing.T) []string {
	t.Helper()
	names := strings.Fields(os.Getenv("GRAPNEL_SAMPLES"))
	if len(names) == 0 {
		names = []string{"go", "python"}
	}
	all := existing(t)
	if slices.Equal(names, []string{"all"}) {
		return all
	}
	for _, name := range names {
		if !slices.Contains(all, name) {
			t.Errorf("GRAPNEL_SAMPLES: there is no examples/%s/run.sh; there are %q", name, all)
		}
	}
	return names
}

// existing returns the names of all samples.
func existing(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "*", "run.sh"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no samples in %s: %v", folder, err)
	}
	var names []string
	for _, f := range found {
		names = append(names, filepath.Base(filepath.Dir(f)))
	}
	return names
}

// A sample is a plugin server as a process.
type sample struct {
	name   string
	target string // where it listens, as a plugin server's target in a configuration
	cmd    *exec.Cmd
	ended  chan struct{}

	mu    sync.Mutex
	lines []string // of its standard output
	log   bytes.Buffer
}

// onSocket starts a sample on a Unix socket.
func onSocket(t *testing.T, name string) *sample {
	t.Helper()
	dir, err := os.MkdirTemp("", "sample") // the paths of Unix sockets must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	return run(t, name, "unix://"+socket, "GRAPNEL_PLUGIN_SOCKET="+socket, "PLUGIN_LISTEN=")
}

// onPort starts a sample on a TCP port.
func onPort(t *testing.T, name string) *sample {
	t.Helper()
	addr := program.FreeAddr(t)
	return run(t, name, addr, "GRAPNEL_PLUGIN_SOCKET=", "PLUGIN_LISTEN="+addr)
}

// run starts a sample, and waits until it says that it listens. When the test
// ends so does the sample, and its log is shown if the test failed.
func run(t *testing.T, name, target string, env ...string) *sample {
	t.Helper()
	return begin(t, name, target, exec.Command(filepath.Join(folder, name, "run.sh")), env...)
}

// begin starts the command of a sample, as run does.
func begin(t *testing.T, name, target string, cmd *exec.Cmd, env ...string) *sample {
	t.Helper()
	s := &sample{name: name, target: target, cmd: cmd, ended: make(chan struct{})}
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.Stderr = &s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.ended)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			s.mu.Lock()
			s.lines = append(s.lines, lines.Text())
			s.mu.Unlock()
		}
		s.cmd.Wait() // how it ended is in its ProcessState
	}()
	t.Cleanup(func() {
		syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		<-s.ended
		if t.Failed() {
			t.Logf("log of the sample in %s:\n%s%s", name, strings.Join(s.lines, "\n"), s.log.String())
		}
	})
	s.await(t, installation, "listening on ")
	return s
}

// await waits for a line of standard output that begins so, and returns the
// rest of it.
func (s *sample) await(t *testing.T, limit time.Duration, begin string) string {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if rest := s.said(begin); rest != "" {
			return rest
		}
		select {
		case <-s.ended:
			t.Fatalf("the sample in %s ended (%v) before it printed %q", s.name, s.cmd.ProcessState, begin)
		default:
		}
	}
	t.Fatalf("the sample in %s did not print %q within %v", s.name, begin, limit)
	return ""
}

func (s *sample) said(begin string) (rest string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.lines {
		if rest, found := strings.CutPrefix(line, begin); found {
			return rest
		}
	}
	return ""
}

// wait waits for the end of a sample that was asked to end, and checks that
// this was a good one.
func (s *sample) wait() error {
	select {
	case <-s.ended:
	case <-time.After(patience):
		return errors.New("it did not end")
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		return errors.New("it ended with " + s.cmd.ProcessState.String())
	}
	return nil
}

// TestDescribed: whoever comes to a sample finds how to install and run it, and
// whoever comes to the examples finds the sample.
func TestDescribed(t *testing.T) {
	list, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range existing(t) {
		if !bytes.Contains(list, []byte("]("+name+")")) {
			t.Errorf("examples/README.md does not lead to %s", name)
		}
		for _, file := range []string{"README.md", "install.sh"} {
			if _, err := os.Stat(filepath.Join(folder, name, file)); err != nil {
				t.Error(err)
			}
		}
	}
}
