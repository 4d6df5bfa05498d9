package storetest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/test/program"
)

// A Server is a real redis-server that the test started. It keeps nothing on
// disk, unless it is told to, and ends with the test.
type Server struct {
	t    testing.TB
	dir  string
	port string
	args []string
	cmd  *exec.Cmd
}

// Redis starts a server on a free port. More arguments are given to it as they
// are.
func Redis(t testing.TB, args ...string) *Server {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir(), port: freePort(t), args: args}
	s.Start()
	t.Cleanup(s.Kill)
	return s
}

// Addr is the server's HOST:PORT.
func (s *Server) Addr() string { return "127.0.0.1:" + s.port }

// URL is the server's URL, of its first database.
func (s *Server) URL() string { return "redis://" + s.Addr() + "/0" }

// Start starts the server, and returns when it answers.
func (s *Server) Start() {
	s.t.Helper()
	s.cmd = start(s.t, s.dir, append([]string{"--port", s.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"}, s.args...))
	s.wait()
}

// Kill ends the server as a crash would.
func (s *Server) Kill() {
	_ = s.cmd.Process.Signal(syscall.SIGCONT)
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// Freeze makes the server hang: it accepts connections and never answers.
func (s *Server) Freeze() { _ = s.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (s *Server) Thaw() { _ = s.cmd.Process.Signal(syscall.SIGCONT) }

// Do sends one command to the server with redis-cli, and returns the reply.
func (s *Server) Do(args ...string) string {
	s.t.Helper()
	out, err := exec.Command("redis-cli", append([]string{"-h", "127.0.0.1", "-p", s.port, "--raw"}, args...)...).Output()
	if err != nil {
		s.t.Fatalf("redis-cli %v: %v", args, err)
	}
	return string(out)
}

func (s *Server) wait() {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", s.Addr())
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("redis-server does not answer on %s: %v", s.Addr(), err)
		}
	}
}

// Sentinel starts a Sentinel that watches the server as the master of that
// name, and returns its HOST:PORT.
func (s *Server) Sentinel(master string) string {
	s.t.Helper()
	port, dir := freePort(s.t), s.t.TempDir()
	conf := filepath.Join(dir, "sentinel.conf")
	text := fmt.Sprintf("port %s\nbind 127.0.0.1\nsentinel monitor %s 127.0.0.1 %s 1\nsentinel down-after-milliseconds %s 500\n", port, master, s.port, master)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	watch := &Server{t: s.t, port: port, cmd: start(s.t, dir, []string{conf, "--sentinel"})}
	s.t.Cleanup(watch.Kill)
	watch.wait()
	return watch.Addr()
}

// Cluster starts a cluster of three masters, and returns one HOST:PORT of each.
func Cluster(t testing.TB) []string {
	t.Helper()
	nodes := make([]*Server, 3)
	addrs := make([]string, 3)
	for i := range nodes {
		nodes[i] = Redis(t, "--cluster-enabled", "yes", "--cluster-port", freePort(t), "--cluster-node-timeout", "2000")
		addrs[i] = nodes[i].Addr()
	}
	out, err := exec.Command("redis-cli", append(append([]string{"--cluster", "create"}, addrs...), "--cluster-yes")...).CombinedOutput()
	if err != nil {
		t.Fatalf("the cluster was not created: %v\n%s", err, out)
	}
	for _, n := range nodes {
		for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
			if out := n.Do("cluster", "info"); len(out) > 16 && out[:16] == "cluster_state:ok" {
				break
			} else if time.Now().After(deadline) {
				t.Fatalf("the cluster does not come up: %s", out)
			}
		}
	}
	return addrs
}

// start starts a redis-server.
func start(t testing.TB, dir string, args []string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("redis-server is not installed; the stores are tested on a real one: apt-get install redis-server")
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// freePort is a port that nobody gets before the test ends.
func freePort(t testing.TB) string {
	t.Helper()
	_, port, err := net.SplitHostPort(program.FreeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	return port
}
