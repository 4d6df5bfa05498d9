package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel/plugin/tryout"
)

// pluginCommand is for those who write plugins, and for those who run them. Only
// the list needs a gateway.
type pluginCommand struct {
	New    pluginNew    `cmd:"" help:"Write a new plugin project."`
	Call   pluginCall   `cmd:"" help:"Ask a running plugin server what a gateway would ask."`
	Verify pluginVerify `cmd:"" help:"Grade a running plugin server."`
	List   pluginList   `cmd:"" help:"Show the plugin servers of a running gateway: endpoints, health, times and failures."`
}

// told is what the caller of a plugin server says about the request.
type told struct {
	Header []string `help:"A request header, as in 'X-Name: value'; can be repeated." placeholder:"HEADER" sep:"none"`
	Config string   `help:"The API's config_data, JSON." placeholder:"JSON"`
}

type pluginCall struct {
	Address string `arg:"" help:"Where the plugin server listens: host:port, tcp://host:port or unix:///path."`
	told
	Object  string            `help:"The Object as protobuf JSON in a file, - for standard input; other flags change it." placeholder:"FILE"`
	Hook    string            `help:"The stage: pre, auth, post_key_auth, post or response." placeholder:"STAGE"`
	Name    string            `help:"The hook's name." placeholder:"NAME"`
	Method  string            `help:"The request's method." placeholder:"METHOD"`
	URL     string            `help:"The request's path and query." placeholder:"URL"`
	Param   map[string]string `help:"A query parameter more; can be repeated." placeholder:"NAME=VALUE" mapsep:"none"`
	Body    string            `help:"The request's body, or @FILE." placeholder:"TEXT"`
	Session string            `help:"Who is calling, a SessionState as protobuf JSON." placeholder:"JSON"`

	Status         int      `help:"The status of the upstream's reply, for response hooks." placeholder:"STATUS"`
	ResponseHeader []string `help:"A header of it; can be repeated." placeholder:"HEADER" sep:"none"`
	ResponseBody   string   `help:"Its body, or @FILE." placeholder:"TEXT"`

	Timeout time.Duration `help:"How long to wait for the answer." default:"5s"`
	JSON    bool          `help:"Print the answer as protobuf JSON and nothing else."`
}

// Run asks, and prints how the answer differs from the question and what a
// gateway would do with it.
func (c pluginCall) Run(p *program) error {
	q, err := c.question()
	if err != nil {
		return err
	}
	o, err := q.Message()
	if err != nil {
		return err
	}
	server, err := tryout.Dial(c.Address)
	if err != nil {
		return err
	}
	defer server.Close()
	ctx, cancel := context.WithTimeout(p.ctx, c.Timeout)
	defer cancel()
	answer, err := server.Call(ctx, o)
	if err != nil {
		return err
	}
	if c.JSON {
		b, err := answer.JSON()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "%s\n", b)
		return err
	}
	paint := painter(p)
	fmt.Fprintf(p.stdout, "answered in %v\n", answer.Took.Round(10*time.Microsecond))
	for _, change := range answer.Changes() {
		line := change.String()
		fmt.Fprintln(p.stdout, "  "+paint(colourOf(line), line))
	}
	fmt.Fprintln(p.stdout, "a gateway")
	for _, effect := range answer.Effects() {
		fmt.Fprintln(p.stdout, "  "+effect)
	}
	return nil
}

// question is what the flags ask.
func (c pluginCall) question() (q tryout.Question, err error) {
	q = tryout.Question{Hook: c.Name, Method: c.Method, URL: c.URL, Params: c.Param}
	q.Session, q.Config = given(c.Session), given(c.Config)
	q.Reply.Status = c.Status
	if c.Hook != "" {
		if q.Stage, err = tryout.ParseStage(c.Hook); err != nil {
			return q, fmt.Errorf("--hook: %w", err)
		}
	}
	if c.Object != "" {
		if q.Object, err = readFile(c.Object); err != nil {
			return q, err
		}
	}
	if q.Header, err = headers(c.Header); err != nil {
		return q, fmt.Errorf("--header: %w", err)
	}
	if q.Reply.Header, err = headers(c.ResponseHeader); err != nil {
		return q, fmt.Errorf("--response-header: %w", err)
	}
	if q.Body, err = bodyFlag(c.Body); err != nil {
		return q, fmt.Errorf("--body: %w", err)
	}
	if q.Reply.Body, err = bodyFlag(c.ResponseBody); err != nil {
		return q, fmt.Errorf("--response-body: %w", err)
	}
	return q, nil
}

// headers reads header lines.
func headers(lines []string) (http.Header, error) {
	h := http.Header{}
	for _, line := range lines {
		name, value, found := strings.Cut(line, ":")
		if !found || name == "" {
			return nil, fmt.Errorf("%q is not a header; write it as 'X-Name: value'", line)
		}
		h.Add(name, strings.TrimSpace(value))
	}
	return h, nil
}

// bodyFlag is a text, or what is in the file that follows an @.
func bodyFlag(s string) ([]byte, error) {
	if file, ok := strings.CutPrefix(s, "@"); ok {
		return readFile(file)
	}
	return given(s), nil
}

// given is a text; nil when the flag was not given.
func given(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

// painter returns a function that colours text when the program writes to a
// terminal and its user has not forbidden it.
func painter(p *program) func(colour, text string) string {
	f, ok := p.stdout.(*os.File)
	if ok {
		info, err := f.Stat()
		ok = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	if forbidden, _ := lookup(p.env)("NO_COLOR"); forbidden != "" {
		ok = false
	}
	return func(colour, text string) string {
		if !ok {
			return text
		}
		return "\x1b[" + colour + "m" + text + "\x1b[0m"
	}
}

// colourOf is the colour of a line of a difference.
func colourOf(line string) string {
	switch line[0] {
	case '+':
		return green
	case '-':
		return red
	}
	return yellow
}

// Colours of a terminal.
const (
	none   = "39"
	red    = "31"
	green  = "32"
	yellow = "33"
)
