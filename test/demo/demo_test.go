// Package demo_test does with `grapnel demo` what its user is told to do.
package demo_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// patience bounds every wait; nothing that works comes near it.
const patience = 20 * time.Second

// A demo is `grapnel demo` as a process, in a process group of its own as a
// shell would start it.
type demo struct {
	cmd  *exec.Cmd
	text string        // what it told its user
	log  *bytes.Buffer // complete once it has ended
	temp string        // its folder of temporary files
}

func start(t *testing.T, listen string) *demo {
	t.Helper()
	d := &demo{cmd: exec.Command(program.Path(t, "grapnel"), "demo", "--listen", listen), log: new(bytes.Buffer), temp: t.TempDir()}
	d.cmd.Env = append(os.Environ(), "TMPDIR="+d.temp)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	d.cmd.Stderr = d.log
	stdout, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL) })
	lines := bufio.NewReader(stdout)
	for line := ""; !strings.HasPrefix(line, "Ctrl-C"); d.text += line {
		if line, err = lines.ReadString('\n'); err != nil {
			d.cmd.Wait()
			t.Fatalf("the demo ended before it was up: %s%s", d.text, d.log)
		}
	}
	return d
}

// wait waits for the end and returns the exit code.
func (d *demo) wait(t *testing.T) int {
	t.Helper()
	timer := time.AfterFunc(patience, func() { syscall.Kill(-d.cmd.Process.Pid, syscall.SIGQUIT) })
	defer timer.Stop()
	d.cmd.Wait()
	return d.cmd.ProcessState.ExitCode()
}

// leftBehind fails the test when something of a demo that has ended by itself
// is still there: a process of its group, or a file.
func (d *demo) leftBehind(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(-d.cmd.Process.Pid, 0); err != syscall.ESRCH {
		t.Errorf("a process is left behind (%v)", err)
	}
	if left, err := filepath.Glob(filepath.Join(d.temp, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// A promise is a curl line of the text, and what it is said to print.
type promise struct{ line, output string }

func promises(text string) []promise {
	var found []promise
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "  curl "):
			found = append(found, promise{line: strings.TrimSpace(line)})
		case len(found) > 0 && strings.HasPrefix(line, "    "):
			found[len(found)-1].output += strings.TrimPrefix(line, "    ")
		case len(found) > 0 && line == "\n":
			found[len(found)-1].output += line
		}
	}
	for i := range found {
		found[i].output = strings.TrimSpace(found[i].output)
	}
	return found
}

// ask sends what curl would send.
func ask(t *testing.T, line string) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, line[strings.LastIndexByte(line, ' ')+1:], nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "*/*")
	for _, m := range regexp.MustCompile(`-(\w) '([^']*)'`).FindAllStringSubmatch(line, -1) {
		switch m[1] {
		case "H":
			name, value, _ := strings.Cut(m[2], ": ")
			r.Header.Set(name, value)
		case "d":
			r.Method, r.Body = http.MethodPost, io.NopCloser(strings.NewReader(m[2]))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		default:
			t.Fatalf("this test does not know curl's -%s", m[1])
		}
	}
	client := http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestDemo: every line prints what it is said to print, the log shows all five
// hooks, and Ctrl-C ends everything.
func TestDemo(t *testing.T) {
	d := start(t, "127.0.0.1:0")
	found := promises(d.text)
	if len(found) != 4 {
		t.Errorf("%d curl lines:\n%s", len(found), d.text)
	}
	_, noCurl := exec.LookPath("curl")
	for _, p := range found {
		if diff := cmp.Diff(p.output, strings.TrimSpace(ask(t, p.line))); diff != "" {
			t.Errorf("%s (-promised +got):\n%s", p.line, diff)
		}
		if noCurl != nil {
			continue
		}
		out, err := exec.Command("sh", "-c", "curl --noproxy '*' -sS"+strings.TrimPrefix(p.line, "curl")).CombinedOutput()
		if diff := cmp.Diff(p.output, strings.TrimSpace(string(out))); diff != "" || err != nil {
			t.Errorf("%s: %v (-promised +got):\n%s", p.line, err, diff)
		}
	}
	syscall.Kill(-d.cmd.Process.Pid, syscall.SIGINT) // as the terminal does: to both processes
	if code := d.wait(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	d.leftBehind(t)
	for _, hook := range []string{"Pre AddTenant", "CustomKeyCheck CheckToken", "PostKeyAuth NameMember", "Post Shout", "Response Redact"} {
		if !regexp.MustCompile(`(?m)^plugin \| .*` + hook + `: (GET|POST) `).Match(d.log.Bytes()) {
			t.Errorf("the plugin's log does not show %s:\n%s", hook, d.log)
		}
	}
}

// TestTerminated: a supervisor's SIGTERM reaches the gateway alone, which ends
// the plugin.
func TestTerminated(t *testing.T) {
	d := start(t, "127.0.0.1:0")
	d.cmd.Process.Signal(syscall.SIGTERM)
	if code := d.wait(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	d.leftBehind(t)
}

// TestKilled: a gateway that cannot say good-bye leaves no plugin behind.
func TestKilled(t *testing.T) {
	d := start(t, "127.0.0.1:0")
	sockets, err := filepath.Glob(filepath.Join(d.temp, "*", "plugin.sock"))
	if err != nil || len(sockets) != 1 {
		t.Fatalf("the plugin's socket: %q, %v", sockets, err)
	}
	d.cmd.Process.Kill()
	d.wait(t)
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("unix", sockets[0])
		if err != nil {
			return
		}
		c.Close()
		if time.Now().After(end) {
			t.Fatal("the plugin is still there")
		}
	}
}

// TestTaken: a port that another program has is named, with the flag that
// chooses another.
func TestTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	temp := t.TempDir()
	cmd := exec.Command(program.Path(t, "grapnel"), "demo", "--listen", l.Addr().String())
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d, %v", code, err)
	}
	for _, want := range []string{l.Addr().String(), "in use", "--listen"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("%q is not in the message:\n%s", want, out)
		}
	}
	if bytes.Contains(out, []byte("curl")) {
		t.Errorf("the user is sent to a gateway that is not there:\n%s", out)
	}
	if left, err := filepath.Glob(filepath.Join(temp, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}
