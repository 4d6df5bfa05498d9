package process_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/plugin/process"
)

// TestMain makes the test binary its own warden, plugin server and gateway.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 {
		os.Exit(m.Run())
	}
	switch os.Args[1] {
	case "warden":
		os.Exit(process.Warden(os.Args[2:], os.Stdin, os.Stderr))
	case "serve":
		serve(os.Args[2:])
	case "die":
		fmt.Println("loading")
		fmt.Fprintln(os.Stderr, "no module named billing")
		os.Exit(3)
	case "sleep":
		select {}
	case "gateway":
		if _, err := process.Start(options(io.Discard, os.Args[2:]...)); err != nil {
			panic(err)
		}
		fmt.Println("started")
		select {}
	}
	os.Exit(m.Run())
}

// serve is a plugin server as far as this package goes: it accepts. It leaves its
// pid, and that of a child of its own, in the folder that is its last argument.
func serve(args []string) {
	if args[0] == "stubborn" {
		ignoreTerm()
	}
	child := exec.Command(os.Args[0], "sleep")
	if err := child.Start(); err != nil {
		panic(err)
	}
	dir := args[len(args)-1]
	leave(dir, "child", strconv.Itoa(child.Process.Pid))
	leave(dir, "server", strconv.Itoa(os.Getpid()))
	leave(dir, "socket", os.Getenv(process.SocketVariable))
	l, err := net.Listen("unix", os.Getenv(process.SocketVariable))
	if err != nil {
		panic(err)
	}
	fmt.Println("serving")
	for {
		c, err := l.Accept()
		if err != nil {
			panic(err)
		}
		c.Close()
	}
}

// leave writes a file that is whole whenever it is there.
func leave(dir, name, text string) {
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		panic(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		panic(err)
	}
}

func options(log io.Writer, command ...string) process.Options {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return process.Options{
		Name: "billing", Command: append([]string{self}, command...), Warden: []string{self, "warden"},
		Environ: os.Environ(), Patience: time.Minute, Log: slog.New(slog.NewTextHandler(log, nil)),
	}
}

// output is a log that can be read while it is written.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func pid(t *testing.T, dir, name string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// alive reports whether a process exists and is no zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

func TestServesAndStops(t *testing.T) {
	dir, log := t.TempDir(), &output{}
	p, err := process.Start(options(log, "serve", dir))
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("unix", p.Socket())
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	server, child := pid(t, dir, "server"), pid(t, dir, "child")
	if !alive(server) || !alive(child) {
		t.Fatal("the server and its child should run")
	}
	p.Stop()
	if alive(server) {
		t.Error("the server outlived Stop")
	}
	eventually(t, "the child ends", func() bool { return !alive(child) })
	if _, err := os.Stat(filepath.Dir(p.Socket())); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket's folder: %v", err)
	}
	if !strings.Contains(log.String(), "msg=serving plugin=billing") {
		t.Errorf("its output is not in the log:\n%s", log)
	}
}

func TestEndsBeforeItServes(t *testing.T) {
	var log output
	_, err := process.Start(options(&log, "die"))
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no module named billing") {
		t.Errorf("error %v", err)
	}
	if text := log.String(); !strings.Contains(text, "loading") || strings.Contains(text, "started again") {
		t.Errorf("log:\n%s", text)
	}
	o := options(io.Discard)
	o.Command = []string{"/no/such/program"}
	if _, err := process.Start(o); err == nil || !strings.Contains(err.Error(), "/no/such/program") {
		t.Errorf("error %v", err)
	}
}

func TestStartedAgain(t *testing.T) {
	dir, log := t.TempDir(), &output{}
	p, err := process.Start(options(log, "serve", dir))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	const times = 3
	for n := range times {
		first, orphan := pid(t, dir, "server"), pid(t, dir, "child")
		syscall.Kill(first, syscall.SIGKILL)
		eventually(t, "another one serves", func() bool {
			if p.Restarts() <= n || pid(t, dir, "server") == first {
				return false
			}
			c, err := net.Dial("unix", p.Socket())
			if err == nil {
				c.Close()
			}
			return err == nil
		})
		eventually(t, "the first one's child ends", func() bool { return !alive(orphan) })
	}
	if n := p.Restarts(); n != times {
		t.Errorf("%d restarts", n)
	}
	for _, pause := range []string{"in=100ms", "in=200ms", "in=400ms"} {
		if !strings.Contains(log.String(), pause) {
			t.Errorf("no %s: it does not back off\n%s", pause, log)
		}
	}
}

func TestStubborn(t *testing.T) {
	dir := t.TempDir()
	p, err := process.Start(options(io.Discard, "serve", "stubborn", dir))
	if err != nil {
		t.Fatal(err)
	}
	p.Stop()
	if alive(pid(t, dir, "server")) {
		t.Error("a server that ignores SIGTERM outlived Stop")
	}
}

// Whatever kills the gateway, nothing that it started is left.
func TestGatewayKilled(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	gateway := exec.Command(self, "gateway", "serve", dir)
	out, err := gateway.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("started"))); err != nil {
		t.Fatal(err)
	}
	server, child := pid(t, dir, "server"), pid(t, dir, "child")
	gateway.Process.Kill()
	gateway.Wait()
	eventually(t, "the server and its child end", func() bool { return !alive(server) && !alive(child) })
	socket, err := os.ReadFile(filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the socket's folder goes", func() bool {
		_, err := os.Stat(filepath.Dir(string(socket)))
		return errors.Is(err, os.ErrNotExist)
	})
}

func ignoreTerm() { signal.Ignore(syscall.SIGTERM) }
