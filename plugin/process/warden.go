package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// grace is how long a server may take to end after SIGTERM.
const grace = 5 * time.Second

// Warden runs a command as a process group and ends the whole group when its own
// standard input ends: SIGTERM first, SIGKILL after the grace. What the command
// leaves behind when it ends is killed too. When its input has ended it removes
// the folder of the socket that the environment names. It returns the command's
// exit code. It is a process of its own, so that it outlives whatever kills the
// gateway.
func Warden(command []string, input io.Reader, output io.Writer) int {
	runtime.LockOSThread() // the server dies with the thread that started it
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP) // the input's end is the only sign to end
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = group()
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(output, err)
		return 127
	}
	gone := make(chan struct{})
	go func() {
		io.Copy(io.Discard, input) // which holds nothing: its end is what counts
		close(gone)
	}()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	var err error
	select {
	case err = <-ended:
	case <-gone:
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case err = <-ended:
		case <-time.After(grace):
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			err = <-ended
		}
		defer removeSocket(os.Getenv(SocketVariable))
	}
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // no such group: nobody is left
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(exit.ExitCode(), 1)
	}
	return 0
}

// removeSocket removes the socket, and its folder when nothing else is in it.
func removeSocket(socket string) {
	os.Remove(socket)
	os.Remove(filepath.Dir(socket))
}
