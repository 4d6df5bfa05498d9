package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/grapnel-gateway/grapnel/plugin/tryout"
)

type pluginVerify struct {
	Address string `arg:"" help:"Where the plugin server listens: host:port, tcp://host:port or unix:///path."`
	told
	Hook    []string      `help:"A hook of the server to ask too, as in AddTenant/pre; can be repeated." placeholder:"NAME/STAGE"`
	PID     int           `name:"pid" help:"The server's process: it gets a SIGTERM, and must finish the call under way." placeholder:"PID"`
	Timeout time.Duration `help:"How long one answer may take." default:"5s"`
	JSON    bool          `help:"Print the report as JSON."`
	JUnit   string        `name:"junit" help:"Write the report for a CI system, too." placeholder:"FILE"`
}

// Run grades the server and prints the report. A check that fails makes the
// exit code 1.
func (c pluginVerify) Run(p *program) error {
	exam := tryout.Exam{Patience: c.Timeout, PID: c.PID}
	header, err := headers(c.Header)
	if err != nil {
		return fmt.Errorf("--header: %w", err)
	}
	for _, hook := range c.Hook {
		name, stage, found := strings.Cut(hook, "/")
		if !found {
			return fmt.Errorf("--hook: %q: write it as NAME/STAGE, as in AddTenant/pre", hook)
		}
		q := tryout.Question{Hook: name, Header: header, Config: given(c.Config)}
		if q.Stage, err = tryout.ParseStage(stage); err != nil {
			return fmt.Errorf("--hook: %w", err)
		}
		exam.Hooks = append(exam.Hooks, q)
	}
	server, err := tryout.Dial(c.Address)
	if err != nil {
		return err
	}
	defer server.Close()
	report := server.Verify(p.ctx, exam)
	if c.JUnit != "" {
		b, err := report.JUnit()
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.JUnit, b, 0o644); err != nil {
			return err
		}
	}
	if err := c.print(p, report); err != nil {
		return err
	}
	if report.Count(tryout.Fail) > 0 {
		return errReported
	}
	return nil
}

func (c pluginVerify) print(p *program, report *tryout.Report) error {
	if c.JSON {
		e := json.NewEncoder(p.stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(report)
	}
	paint := painter(p)
	colours := map[tryout.Grade]string{tryout.Pass: green, tryout.Warn: yellow, tryout.Fail: red, tryout.Info: none}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, check := range report.Checks {
		// Every cell of a column is painted, so that all are equally wide.
		fmt.Fprintf(w, "%s\t%s\t%s\n", paint(colours[check.Grade], string(check.Grade)), check.Name, printable(check.Detail))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "%d passed, %d with a warning, %d failed\n",
		report.Count(tryout.Pass), report.Count(tryout.Warn), report.Count(tryout.Fail))
	return err
}
