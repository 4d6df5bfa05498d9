package hostile

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
	"github.com/grapnel-gateway/grapnel/proto/coprocess"
	"github.com/grapnel-gateway/grapnel/test/program"
)

// The audit: what can happen to a plugin, at every stage, under every policy, and
// whether the upstream was reached.

// faultHeader marks the requests of the audit whose plugin goes wrong. Those
// without it are to show that all is well before.
const faultHeader = "X-Fault"

// A fault is one thing that can happen to a plugin.
type fault struct {
	name   string
	verbs  string // of a hook that works until then
	reply  string // the same in Response hooks, where that differs
	link   link   // what happens to the connection, where the fault is not the plugin's
	killed bool   // its process is
	answer bool   // it is not a fault but an answer: the plugin refuses
	only   string // the one stage where it is one
	slow   bool   // it lasts until the hook's deadline
}

var faults = []fault{
	{name: "refused", link: refused},
	{name: "reset", link: reset},
	{name: "nonsense", link: nonsense},
	{name: "killed", killed: true},
	{name: "hangs", verbs: "hang", slow: true},
	{name: "garbage", verbs: "garbage"},
	{name: "lies", verbs: `esc;set X\r\nA=1`, reply: "rstatus 0"},
	{name: "huge", verbs: "fill 2000000"},
	{name: "unknown", verbs: "rpc 2"},
	{name: "unimplemented", verbs: "rpc 12"},
	{name: "internal", verbs: "rpc 13"},
	{name: "unavailable", verbs: "rpc 14"},
	{name: "nobody", verbs: "nosession", only: "auth", answer: true},
	{name: "refuses", verbs: "ov 403;overr go away", only: "auth", answer: true},
}

// A policy is what a hook says should happen then.
type policy struct {
	name    string
	onError any
	// auth and other are the statuses of auth hooks and of others; 0 is not
	// possible. 200 means that the upstream's reply reaches the client.
	auth, other int
}

var policies = []policy{
	{name: "default", auth: 403, other: 500},
	{name: "deny", onError: "deny", auth: 403, other: 500},
	{name: "deny503", onError: []any{object{"deny": 503}}, auth: 503, other: 503},
	{name: "retry", onError: []any{"retry", "retry", object{"deny": 502}}, auth: 502, other: 502},
	{name: "ignore", onError: "ignore", auth: 200, other: 200},
	{name: "backup", onError: []any{object{"plugin": "backup"}, object{"deny": 504}}, auth: 200, other: 200},
	{name: "downbackup", onError: []any{object{"plugin": "nowhere"}, "deny"}, auth: 403, other: 500},
	{name: "cached", onError: []any{object{"cached": "1h"}, "deny"}, auth: 200},
	{name: "uncached", onError: []any{object{"cached": "1h"}, "deny"}, auth: 403},
}

// A sample is one fault at one stage under one policy.
type sample struct {
	fault
	policy
	stage string
}

func samples() []sample {
	var all []sample
	for _, f := range faults {
		for _, stage := range []string{"pre", "auth", "post_key_auth", "post", "response"} {
			for _, p := range policies {
				if s := (sample{f, p, stage}); (f.only == "" || f.only == stage) && s.passes() != 0 {
					all = append(all, s)
				}
			}
		}
	}
	return all
}

// passes is the status that the policy leads to at the stage.
func (s sample) passes() int {
	if s.stage == "auth" {
		return s.auth
	}
	return s.other
}

func (s sample) id() string {
	return strings.ReplaceAll(s.stage, "_", "") + "-" + s.fault.name + "-" + s.policy.name
}

// status is what the client gets.
func (s sample) status() int {
	if s.answer {
		return http.StatusForbidden
	}
	return s.passes()
}

// reached is how many requests reach the upstream.
func (s sample) reached() int {
	if s.stage == "response" || s.status() == http.StatusOK {
		return 1
	}
	return 0
}

// api is the sample's API.
func (s sample) api() object {
	verbs, server := s.verbs, "script"
	if s.stage == "response" && s.reply != "" {
		verbs = s.reply
	}
	if s.link != 0 || s.killed {
		server = s.fault.name
	}
	verbs = "if " + faultHeader + ";" + verbs
	if s.stage == "auth" {
		verbs = "auth sesame;" + verbs
	}
	a := at(s.stage, s.id(), server, verbs)
	list := a["auth"]
	if s.stage != "auth" {
		list = a["hooks"].(object)[s.stage]
	}
	hook := list.([]object)[0]
	if s.onError != nil {
		hook["on_error"] = s.onError
	}
	if s.stage == "auth" && s.policy.name == "ignore" {
		hook["let_anyone_in_while_the_plugin_is_down"] = true
	}
	switch {
	case s.slow && s.policy.name == "backup": // which has to answer in what is left
		hook["timeout"] = (8 * slowness).String()
	case s.slow:
		hook["timeout"] = slowness.String()
	}
	return a
}

// TestFailClosed: whatever happens to a plugin, the upstream is reached when the
// policy of the hook says so and not otherwise; by default it never is, and no
// policy makes a plugin's refusal anything else.
func TestFailClosed(t *testing.T) {
	a := newAudit(t)
	for _, s := range samples() { // all is well
		if s.policy.name == "uncached" {
			continue // nothing is to be known of the caller
		}
		eventually(t, s.id()+" works before anything happens", func() bool { return a.ask(t, s.id(), "").status == http.StatusOK })
		a.upstream.take(s.id())
	}
	a.strike()
	for _, s := range samples() {
		t.Run(s.id(), func(t *testing.T) {
			t.Parallel()
			for range 2 { // and again, once the gateway knows
				r := a.ask(t, s.id(), "yes")
				if r.status != s.status() {
					t.Errorf("reply is %d %s, want %d", r.status, r.body, s.status())
				}
				if got := a.upstream.take(s.id()); got != s.reached() {
					t.Errorf("the upstream was reached %d times, want %d", got, s.reached())
				}
				if shown := r.header.Get("X-Up") != ""; shown != (s.status() == http.StatusOK) {
					t.Errorf("reply %d has the upstream's headers: %v", r.status, shown)
				}
				if after := r.header.Get("Retry-After"); (after != "") != (r.status == http.StatusServiceUnavailable) {
					t.Errorf("reply %d has Retry-After %q", r.status, after)
				}
			}
		})
	}
}

// An audit is a gateway with everything that can go wrong.
type audit struct {
	*program.Gateway
	upstream *upstream
	strike   func() // makes it go wrong
}

func newAudit(t *testing.T) *audit {
	t.Helper()
	script, killed := plugintest.Serve(t), startPlugin(t, "127.0.0.1:0")
	// What is ejected or left alone after failures would answer differently.
	server := func(target string) object {
		return object{"target": target, "timeout": patience.String(), "max_receive": "1MiB", "breaker": object{"failures": 0}, "health": object{"failures": 0}}
	}
	servers := object{"script": server(script.Target), "good": server(script.Target), "killed": server(killed.Target), "backup": server(backup(t)), "nowhere": server(program.FreeAddr(t))}
	var broken []func()
	for _, f := range faults {
		if f.link != 0 {
			p := newFaultProxy(t, script.Target)
			servers[f.name] = server(p.addr())
			broken = append(broken, func() { p.breaks(f.link) })
		}
	}
	u := newUpstream(t)
	var apis []object
	for _, s := range samples() {
		api := s.api()
		api["target"] = u.URL
		apis = append(apis, api)
	}
	addr := program.FreeAddr(t)
	config, err := json.Marshal(object{
		"listen": addr, "admin": object{"listen": ""}, "store": "memory:", "plugins": servers, "apis": apis,
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "grapnel.yaml")
	if err := os.WriteFile(file, config, 0o644); err != nil {
		t.Fatal(err)
	}
	return &audit{program.Start(t, addr, "run", "--config", file), u, func() {
		killed.Kill()
		for _, b := range broken {
			b()
		}
	}}
}

// ask sends a request of the caller whom all plugins know.
func (a *audit) ask(t *testing.T, id, fault string) reply {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://"+a.Addr+"/"+id+"/x", strings.NewReader("payload"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(plugintest.CaseHeader, id)
	r.Header.Set("Authorization", "sesame")
	if fault != "" {
		r.Header.Set(faultHeader, fault)
	}
	client := http.Client{Timeout: patience}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatalf("%s: no reply: %v", id, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: no whole reply: %v", id, err)
	}
	return reply{status: resp.StatusCode, header: resp.Header, body: string(body)}
}

// backup serves a plugin that lets everyone pass, whatever the hook's name is, and
// returns its target.
func backup(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	coprocess.RegisterDispatcherServer(s, passing{})
	go s.Serve(l)
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

type passing struct {
	coprocess.UnimplementedDispatcherServer
}

// Dispatch lets the request pass, with a session where one is asked for.
func (passing) Dispatch(_ context.Context, o *coprocess.Object) (*coprocess.Object, error) {
	if o.HookType == coprocess.HookType_CustomKeyCheck {
		o.Session, o.Metadata = &coprocess.SessionState{Rate: 1000, Per: 1}, map[string]string{"token": "sesame"}
	}
	return o, nil
}

// TestFailOpenIsHardToSay: the key that lets everyone in is asked for by name, and
// check warns of it.
func TestFailOpenIsHardToSay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "grapnel.yaml")
	for key, want := range map[string]string{
		"": "let_anyone_in_while_the_plugin_is_down: true",
		", let_anyone_in_while_the_plugin_is_down: true": "apis[0].auth[0].let_anyone_in_while_the_plugin_is_down: while the plugin p is down, the API a is open to everyone",
	} {
		text := fmt.Sprintf("plugins: { p: { target: a:1 } }\napis: [{ id: a, listen_path: /a/, target: http://u, auth: [{ plugin: p, on_error: ignore%s }] }]\n", key)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(program.Path(t, "grapnel"), "check", "--config", file).CombinedOutput()
		if (err == nil) != (key != "") || !strings.Contains(string(out), want) {
			t.Errorf("with %q: %v: %s", key, err, out)
		}
	}
}
