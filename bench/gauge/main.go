// Command gauge measures what a request costs the gateway, beside nginx and
// HAProxy where they are installed. It builds and starts everything on free
// ports, each part as a process of its own, and lets wrk make the load.
// ../README.md says how to read what it prints.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// settings are the command line.
type settings struct {
	duration    time.Duration // of one measurement
	rounds      int
	connections int
	only        *regexp.Regexp // rows by name; nil is all
	soak        int            // minutes of a soak instead; 0 is none
	growth      bool           // how costs grow, instead of the rows
	profile     string         // where a CPU profile goes; empty is none
	peers       []target       // that run already
	fixed       addresses      // where the upstream and the plugin server are to be; empty is anywhere
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	s, err := parse(args)
	if err != nil {
		return err
	}
	chosen, programs := choose(append(targets(), s.peers...), s.only, installed)
	if len(chosen) == 0 && !s.growth {
		return errors.New("-only leaves no row")
	}
	if s.profile != "" && (len(chosen) != 1 || chosen[0].program != "grapnel") {
		return errors.New("-cpuprofile needs -only to choose one row of grapnel")
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	busy := loadAverage()
	b, err := newBench(ctx, root, s)
	if err != nil {
		return err
	}
	defer b.close()
	if s.soak > 0 {
		return b.soak(s.soak, out)
	}
	if s.growth {
		return b.growth(filepath.Join(root, "bench"), out)
	}
	rows, p, err := b.measure(chosen, out)
	if err != nil {
		return err
	}
	if err := errors.Join(rowTable(rows).print(out), p.print(out)); err != nil || s.only != nil {
		return err
	}
	file := filepath.Join(root, "bench", "RESULTS.md")
	return os.WriteFile(file, []byte(results(s, programs, busy, rows, p)), 0o644)
}

func parse(args []string) (s settings, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	seconds := f.Int("d", 5, "`seconds` that each measurement takes")
	f.IntVar(&s.rounds, "r", 5, "how many `times` every row is measured")
	f.IntVar(&s.connections, "c", 32, "how many `connections` the load has")
	f.Func("only", "measure the rows whose name matches this `expression`, and leave RESULTS.md alone", func(v string) error {
		s.only, err = regexp.Compile(v)
		return err
	})
	f.IntVar(&s.soak, "soak", 0, "hold a gateway under 70 % of its load for so many `minutes` instead, and fail when what it needs grows")
	f.BoolVar(&s.growth, "growth", false, "measure how costs grow instead, and write GROWTH.md; -only chooses among hooks, headers, body, apis, keys, rights, idle and loading")
	f.StringVar(&s.profile, "cpuprofile", "", "write a CPU profile of the gateway to this `file`")
	f.Func("peer", "measure a gateway that runs already, too: `NAME=URL,PID`; more than one may be given", func(v string) error {
		p, err := parsePeer(v)
		s.peers = append(s.peers, p)
		return err
	})
	f.StringVar(&s.fixed.Upstream, "upstream", "", "the `address` for the upstream, for peers to lead to; empty is a free one")
	f.StringVar(&s.fixed.Plugin, "plugin", "", "the `address` for the plugin server, for peers to ask; empty is a free one")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if *seconds < 1 || s.rounds < 1 || s.connections < 1 || f.NArg() > 0 {
		f.Usage()
		return s, errors.New("-d, -r and -c are positive numbers, and there are no other arguments")
	}
	s.duration = time.Duration(*seconds) * time.Second
	return s, nil
}

// choose returns the rows that are asked for and whose program is there, and
// which programs take part.
func choose(all []target, only *regexp.Regexp, has func(program string) bool) (chosen []target, programs map[string]bool) {
	programs = map[string]bool{}
	for _, t := range all {
		if (only == nil || only.MatchString(t.name)) && (t.program == "grapnel" || t.peer.pid != 0 || has(t.program)) && (t.needs == "" || has(t.needs)) {
			chosen = append(chosen, t)
			if t.program != "" {
				programs[t.program] = true
			}
		}
	}
	return chosen, programs
}

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// moduleRoot is the folder of go.mod.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// results is RESULTS.md.
func results(s settings, programs map[string]bool, busy string, rows []row, p pace) string {
	return fmt.Sprintf(`# Results

Written by `+"`make bench`"+`. [README.md](README.md) says what the rows and columns mean.

%s%s
- date: %s
- machine: %s
- load average before: %s
- versions: %s
- load: %d rounds of %.0f s for each row, %d connections; at a fixed rate %s
`, rowTable(rows).markdown(), p.page(), time.Now().Format(time.DateOnly), machine(), busy, versions(programs), s.rounds, s.duration.Seconds(), s.connections, p.priority())
}
