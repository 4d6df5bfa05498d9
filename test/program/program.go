// Package program builds the programs of this module and runs them, as
// processes of their own, for the tests that look at the gateway from outside.
//
//	func TestMain(m *testing.M) { os.Exit(program.Main(m)) }
//
//	gateway := program.Start(t, addr, "run", "--config", file)
package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"testing"
)

// built is the environment variable with the folder of the built programs.
// Where it is set already, nothing is built.
const built = "GRAPNEL_TEST_PROGRAMS"

// Main builds the gateway and the scripted plugin server, under the race
// detector when the tests are, runs the tests and returns their exit code.
func Main(m *testing.M) int {
	if os.Getenv(built) == "" {
		dir, err := build()
		defer os.RemoveAll(dir)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		os.Setenv(built, dir)
	}
	return m.Run()
}

// Path returns the file of a program that [Main] has built: "grapnel" or
// "scripted".
func Path(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv(built)
	if dir == "" {
		t.Fatal("the programs are not built: call program.Main from TestMain")
	}
	return filepath.Join(dir, name)
}

func build() (dir string, err error) {
	dir, err = os.MkdirTemp("", "grapnel-test")
	if err != nil {
		return "", err
	}
	args := []string{"build", "-o", dir}
	if racing() {
		args = append(args, "-race")
	}
	const module = "github.com/grapnel-gateway/grapnel"
	args = append(args, module+"/cmd/grapnel", module+"/plugin/plugintest/scripted")
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return dir, fmt.Errorf("go %v: %w\n%s", args, err, out)
	}
	return dir, nil
}

// racing reports whether the test was built with -race.
func racing() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" && s.Value == "true" {
			return true
		}
	}
	return false
}
