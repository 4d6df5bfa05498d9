// Command grapnel is the gateway and its tools.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the linker for releases.
const version = "0.1.0"

// A program is one run of the command, as a value, so that tests can run it.
type program struct {
	ctx    context.Context // ends at SIGINT or SIGTERM
	env    []string
	stdout io.Writer
	stderr io.Writer
}

// commands is the command line. Each command is a file of this folder.
type commands struct {
	Run        runCommand        `cmd:"" help:"Serve the APIs of a configuration."`
	Check      checkCommand      `cmd:"" help:"Validate a configuration without serving it."`
	Demo       demoCommand       `cmd:"" help:"Start a gateway, a plugin and an upstream to try."`
	DemoPlugin demoPluginCommand `cmd:"" hidden:"" help:"The plugin server of the demo."`
	Warden     wardenCommand     `cmd:"" hidden:"" help:"Keeps a plugin server that a gateway runs."`
	Key        keyCommand        `cmd:"" help:"Manage the keys of a running gateway."`
	API        apiCommand        `cmd:"" help:"Manage the APIs that a running gateway was told of."`
	Policy     policyCommand     `cmd:"" help:"Manage the policies that a running gateway was told of."`
	Plugin     pluginCommand     `cmd:"" help:"Write, try and grade plugins, and list those of a running gateway."`
	Reload     reloadCommand     `cmd:"" help:"Have a running gateway read its configuration again."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the program at once
	p := &program{ctx: ctx, env: os.Environ(), stdout: os.Stdout, stderr: os.Stderr}
	code := p.run(os.Args[1:])
	stop()
	os.Exit(code)
}

// errReported is returned by a command that has told its user already.
var errReported = errors.New("reported")

// run parses the arguments and runs the command; the result is the exit code.
func (p *program) run(args []string) int {
	var c commands
	exit := -1
	parser, err := kong.New(&c,
		kong.Name("grapnel"),
		kong.Description("An API gateway that you extend in any language, over gRPC."),
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(code int) { exit = code }),
		kong.UsageOnError(),
	)
	if err != nil {
		fmt.Fprintln(p.stderr, "grapnel:", err)
		return 2
	}
	command, err := parser.Parse(args)
	if exit >= 0 { // --help has been shown
		return exit
	}
	if err != nil {
		parser.FatalIfErrorf(err)
		return 2
	}
	if err := command.Run(p); err != nil {
		if !errors.Is(err, errReported) {
			fmt.Fprintf(p.stderr, "grapnel: %v\n", err)
		}
		return 1
	}
	return 0
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(p *program) error {
	_, err := fmt.Fprintln(p.stdout, "grapnel", version)
	return err
}
