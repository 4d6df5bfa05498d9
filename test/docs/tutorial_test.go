package docs_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/grapnel-gateway/grapnel/test/program"
)

func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every tutorial has a row in the table of the first page.
func TestTutorialsAreListed(t *testing.T) {
	index := document(t, "tutorial.md")
	files, err := filepath.Glob(root + "/docs/tutorial/*.md")
	if err != nil || len(files) < 4 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		if name := filepath.Base(f); !strings.Contains(index, "(tutorial/"+name+")") {
			t.Errorf("tutorial.md does not lead to %s", name)
		}
	}
}

// A plugin started as the unit says listens where it says, is healthy, and ends
// as the page says: the call under way is answered, and the exit code is 0.
func TestUnit(t *testing.T) {
	page := document(t, "tutorial.md")
	unit := blocks(page, "ini")[0]
	setting := func(key string) string {
		m := regexp.MustCompile(`(?m)^` + key + `=(.*)$`).FindStringSubmatch(unit)
		if m == nil {
			t.Fatalf("the unit has no %s", key)
		}
		return m[1]
	}
	if seconds, err := strconv.Atoi(setting("TimeoutStopSec")); err != nil || seconds <= 30 {
		t.Errorf("TimeoutStopSec is %d, and calls get 30", seconds)
	}
	file := filepath.Join(t.TempDir(), filepath.Base(setting("ExecStart")))
	if out, err := exec.Command("go", "build", "-o", file, root+"/examples/go/tutorial").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const address = "127.0.0.1:5555"
	addr := program.FreeAddr(t)
	server := exec.Command(file)
	server.Env = append(os.Environ(), "GRAPNEL_PLUGIN_SOCKET=", strings.ReplaceAll(setting("Environment"), address, addr))
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Process.Kill() })
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "listening on "+addr+"\n" {
		t.Fatalf("it printed %q, %v", line, err)
	}
	checkHealth(t, addr)

	command := blocks(page, "sh")[0]
	command = strings.NewReplacer(address, addr, `"$(pidof orders)"`, strconv.Itoa(server.Process.Pid)).Replace(command)
	verify := exec.Command("bash", "-ec", command)
	verify.Env = append(os.Environ(), "PATH="+filepath.Dir(program.Path(t, "grapnel"))+":"+os.Getenv("PATH"))
	if out, err := verify.CombinedOutput(); err != nil || !strings.Contains(string(out), " 0 failed") {
		t.Errorf("%s%v\n%s", command, err, out)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func checkHealth(t *testing.T, addr string) {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	got, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil || got.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("health is %v, %v", got, err)
	}
}

// What the container file copies is there, and what it starts is what it has
// copied.
func TestContainerfile(t *testing.T) {
	found := blocks(document(t, "tutorial/python.md"), `dockerfile [^\n]*`)
	if len(found) != 1 {
		t.Fatalf("%d container files", len(found))
	}
	copied := map[string]bool{}
	for line := range strings.Lines(found[0]) {
		switch f := strings.Fields(line); f[0] {
		case "COPY":
			// The reader has typed in examples/orders what is kept in the sample.
			source := strings.Replace(f[1], "examples/orders", "examples/python/tutorial", 1)
			if _, err := os.Stat(filepath.Join(root, source)); err != nil {
				t.Errorf("%s%v", line, err)
			}
			copied[f[2]] = true
		case "RUN":
			if target := f[len(f)-1]; !copied[target] {
				t.Errorf("%s: %s was not copied", line, target)
			}
		case "CMD":
			if !copied["/app/plugin.py"] || !strings.Contains(line, `"/app/plugin.py"`) {
				t.Errorf("%sstarts what was not copied", line)
			}
		}
	}
	if len(copied) != 3 {
		t.Errorf("%d things are copied", len(copied))
	}
}
