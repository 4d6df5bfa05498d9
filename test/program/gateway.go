package program

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait; nothing that works comes near it.
const patience = 20 * time.Second

// A Gateway is the gateway as a process.
type Gateway struct {
	// Addr is where clients reach it: host:port.
	Addr string

	cmd  *exec.Cmd
	log  log
	done chan struct{} // closed when the process has ended
}

// Start runs the gateway and waits until it answers HTTP at addr. When the
// test ends the gateway is stopped, and its log shown if the test failed.
func Start(t testing.TB, addr string, args ...string) *Gateway {
	t.Helper()
	g, err := TryStart(t, addr, args...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TryStart is like [Start], but a gateway that ends before it answers is an
// error, which has its log.
func TryStart(t testing.TB, addr string, args ...string) (*Gateway, error) {
	t.Helper()
	g := &Gateway{Addr: addr, cmd: exec.Command(Path(t, "grapnel"), args...), done: make(chan struct{})}
	g.cmd.Stdout, g.cmd.Stderr = &g.log, &g.log
	g.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // or every race build lingers for a second
	if err := g.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(g.done)
		g.cmd.Wait() // how it ended is in its ProcessState
	}()
	if err := g.ready(); err != nil {
		g.cmd.Process.Kill()
		<-g.done
		return nil, err
	}
	t.Cleanup(func() {
		g.Stop(t)
		if t.Failed() {
			t.Logf("log of the gateway:\n%s", g.log.tail(200))
		}
	})
	return g, nil
}

// ready waits for the first answer, whatever it is.
func (g *Gateway) ready() error {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for end := time.Now().Add(patience); time.Now().Before(end); {
		resp, err := client.Get("http://" + g.Addr + "/")
		if err == nil {
			resp.Body.Close()
			return nil
		}
		select {
		case <-g.done:
			return fmt.Errorf("the gateway ended (%v) before it answered:\n%s", g.cmd.ProcessState, g.log.tail(200))
		case <-time.After(5 * time.Millisecond):
		}
	}
	return fmt.Errorf("the gateway did not answer at %s within %v:\n%s", g.Addr, patience, g.log.tail(200))
}

// Stop asks the gateway to end, as an operator would, and waits for it. A
// gateway that does not end by itself, ends with an error, or has told of a
// panic or a data race fails the test. Stopping again does nothing.
func (g *Gateway) Stop(t testing.TB) {
	t.Helper()
	select {
	case <-g.done:
		return
	default:
	}
	g.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-g.done:
	case <-time.After(patience):
		g.cmd.Process.Kill()
		<-g.done
		t.Errorf("the gateway did not end within %v of SIGTERM", patience)
	}
	if code := g.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the gateway ended with %v", g.cmd.ProcessState)
	}
	for _, bad := range []string{"panic:", "http: panic serving", "WARNING: DATA RACE", "goroutine 1 ["} {
		if strings.Contains(g.Log(), bad) {
			t.Errorf("the log of the gateway has %q", bad)
		}
	}
}

// Kill ends the process as a crash would, and waits until it is gone.
func (g *Gateway) Kill() {
	g.cmd.Process.Kill()
	<-g.done
}

// Signal sends the process a signal.
func (g *Gateway) Signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := g.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// PeakMemory is the most memory that the process ever had resident, in bytes.
func (g *Gateway) PeakMemory(t testing.TB) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	var kib int64
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(peak, &kib); err != nil {
		t.Fatalf("the peak memory of the gateway: %v", err)
	}
	return kib << 10
}

// Log returns what the gateway has written so far.
func (g *Gateway) Log() string { return g.log.String() }

// AwaitLog waits for a line of the log that has all the parts, and returns it.
func (g *Gateway) AwaitLog(t testing.TB, parts ...string) string {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		for line := range strings.Lines(g.Log()) {
			if hasAll(line, parts) {
				return line
			}
		}
	}
	t.Fatalf("no line of the gateway's log has all of %q:\n%s", parts, g.log.tail(50))
	return ""
}

func hasAll(line string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(line, p) {
			return false
		}
	}
	return true
}

// A log keeps what a process writes.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write keeps b.
func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// String returns all that was written.
func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *log) tail(lines int) string {
	all := strings.SplitAfter(l.String(), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "")
}
