package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A process is a program that the gauge started.
type process struct {
	name string
	pid  int
	log  string        // the file with all that it wrote
	end  chan struct{} // closed when it has ended
}

// start runs a command until the context ends, and waits until it accepts
// connections at an address. Its output goes to a file in dir.
func start(ctx context.Context, dir, addr string, command ...string) (*process, error) {
	p := &process{name: filepath.Base(command[0]), end: make(chan struct{})}
	p.log = filepath.Join(dir, p.name+".log")
	out, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 3 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p.pid = cmd.Process.Pid
	go func() {
		defer close(p.end)
		cmd.Wait() // why it ended, if it should not have, is in its log
	}()
	return p, p.await(ctx, addr)
}

func (p *process) await(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		if c, err := net.Dial("tcp", addr); err == nil {
			return c.Close()
		}
		select {
		case <-p.end:
			return p.complain("ended before it listened")
		case <-ctx.Done():
			return p.complain("does not listen")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (p *process) complain(what string) error {
	if p.log == "" {
		return fmt.Errorf("%s %s", p.name, what)
	}
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err
	}
	return fmt.Errorf("%s %s; it wrote:\n%s", p.name, what, text)
}

// cpu is the processor time that the process has used, in user and kernel mode
// and by all its threads, as the operating system accounts for it.
func (p *process) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		return 0, err
	}
	return parseStat(string(stat))
}

// peakMemory is the most memory that the process ever had resident, in bytes.
func (p *process) peakMemory() (int64, error) { return p.status("VmHWM") }

// memory is what the process has resident now, in bytes.
func (p *process) memory() (int64, error) { return p.status("VmRSS") }

func (p *process) status(name string) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		return 0, err
	}
	return parseStatus(string(status), name)
}

// tick is the unit of times in /proc/PID/stat, which is the same for all Linux
// processors that Go knows.
const tick = 10 * time.Millisecond

// parseStat finds user and system time, fields 14 and 15, in /proc/PID/stat.
// The second field is the program's name in parentheses, which may hold
// anything.
func parseStat(stat string) (time.Duration, error) {
	rest := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(rest) < 13 {
		return 0, fmt.Errorf("/proc/PID/stat has no times: %q", stat)
	}
	user, err := strconv.ParseInt(rest[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(rest[12], 10, 64)
	return time.Duration(user+system) * tick, err
}

// parseStatus finds a size, which is in KiB, in /proc/PID/status.
func parseStatus(status, name string) (int64, error) {
	for line := range strings.Lines(status) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == name+":" && f[2] == "kB" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/PID/status has no %s", name)
}
