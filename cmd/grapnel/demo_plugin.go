package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"github.com/grapnel-gateway/grapnel/examples/go/demo"
)

// demoPluginCommand is the other end of [startSamplePlugin].
type demoPluginCommand struct {
	Socket string `required:"" help:"The Unix socket to listen on."`
}

// Run serves the sample plugin for as long as its standard input is open: it
// ends with the process that started it, however that ends. Ctrl-C, which
// reaches both, is left to that process, whose last requests still need the
// plugin.
func (c demoPluginCommand) Run(p *program) error {
	signal.Ignore(os.Interrupt)
	l, err := net.Listen("unix", c.Socket)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	go func() {
		defer cancel()
		io.Copy(io.Discard, os.Stdin) // its end is all that matters
	}()
	fmt.Fprintln(p.stdout, "ready")
	return demo.Serve(ctx, l, log.New(p.stderr, "", log.Ltime))
}

// startSamplePlugin starts the sample plugin as a process of its own and waits
// until it listens on the socket. What it logs goes to w. The function that is
// returned ends the process.
func startSamplePlugin(socket string, w io.Writer) (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, self, "demo-plugin", "--socket", socket)
	cmd.Stderr = w
	cmd.WaitDelay = 5 * time.Second // after which the process is killed
	stdin, inErr := cmd.StdinPipe()
	stdout, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr); err != nil {
		cancel()
		return nil, err
	}
	cmd.Cancel = stdin.Close
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	stop = func() {
		cancel()
		cmd.Wait() // how it ended is of no interest any more
	}
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		stop()
		return nil, errors.New("the sample plugin ended before it listened")
	}
	return stop, nil
}
