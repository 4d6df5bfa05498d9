package plugintest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"testing"
)

// A Process is the scripted plugin server as a process of its own, which can
// be killed.
type Process struct {
	// Target is where it listens, as a plugin target.
	Target string `json:"target"`
	// Record is the URL of what it remembers.
	Record string `json:"record"`

	cmd *exec.Cmd
}

// StartProcess starts the program scripted, which the caller has built, and
// kills it when the test ends. It listens at addr: host:port, where port 0 is
// a free one, or unix:///path. The program says what its flags are.
func StartProcess(t testing.TB, program, addr string, flags ...string) *Process {
	t.Helper()
	p := &Process{cmd: exec.Command(program, append([]string{"-listen", addr}, flags...)...)}
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("plugin server: %v", err)
	}
	t.Cleanup(p.Kill)
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the plugin server did not say where it listens: %v", err)
	}
	if err := json.Unmarshal(line, p); err != nil {
		t.Fatalf("the plugin server said %q: %v", line, err)
	}
	return p
}

// Kill ends the process without a farewell, and waits until it is gone.
func (p *Process) Kill() {
	p.cmd.Process.Kill()
	p.Wait()
}

// Signal sends the process a signal. SIGTERM lets calls under way finish.
func (p *Process) Signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("plugin server: %v", err)
	}
}

// Wait waits until the process has ended.
func (p *Process) Wait() { p.cmd.Wait() }

// Calls returns what the running process remembers; see [Script.Calls].
func (p *Process) Calls(t testing.TB, id string) []Call {
	t.Helper()
	var calls []Call
	p.ask(t, "/calls?case="+url.QueryEscape(id), &calls)
	return calls
}

// Events returns the payloads of the events so far.
func (p *Process) Events(t testing.TB) []string {
	t.Helper()
	var events []string
	p.ask(t, "/events", &events)
	return events
}

func (p *Process) ask(t testing.TB, path string, answer any) {
	t.Helper()
	if err := get(p.Record+path, answer); err != nil {
		t.Fatalf("what the plugin server remembers: %v", err)
	}
}

func get(url string, answer any) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(resp.Body)
		return fmt.Errorf("%s: %s (%v)", resp.Status, text, err)
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}
