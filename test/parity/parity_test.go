// Package parity runs what was recorded from the original gateway against this
// one: every request over a real socket, with the upstream, the plugin server
// and the gateway each where they belong.
package parity

import (
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
	"github.com/grapnel-gateway/grapnel/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// later lists the cases that need what this version does not have.
var later = map[string]missing{
	"auth-rate":   {needs: "rate limits of sessions", told: "disable_rate_limit"},
	"idx-value":   {needs: "the id extractor and stored sessions"},
	"idx-missing": {needs: "the id extractor"},
	"idx-regex":   {needs: "the id extractor and stored sessions"},
	"key-missing": {needs: "stored keys"},
	"key-bad":     {needs: "stored keys"},
	"key-ok":      {needs: "stored keys"},
}

// missing is what a case needs. Where told is not empty, callers are let
// through, as the plugin said they may be, and the gateway tells its operator at
// load that this key of the definition is not honoured.
type missing struct{ needs, told string }

// A site is everything that a case needs.
type site struct {
	upstream *upstream
	plugin   *plugintest.Process
	addr     string // of the gateway
	conf     string // the gateway's tyk.conf
}

// newSite starts upstream and plugin and writes a Tyk set-up with the
// definitions of the chosen cases.
func newSite(t *testing.T, choose func(recorded) bool) (*site, []recorded) {
	t.Helper()
	s := &site{
		upstream: newUpstream(t),
		plugin:   plugintest.StartProcess(t, program.Path(t, "scripted"), "127.0.0.1:0"),
		addr:     program.FreeAddr(t),
	}
	dir := t.TempDir()
	apps := filepath.Join(dir, "apps")
	var chosen []recorded
	for _, c := range load(t, s.upstream.addr()) {
		if choose(c) {
			chosen = append(chosen, c)
			write(t, filepath.Join(apps, c.ID+".json"), c.Definition)
		}
	}
	s.conf = filepath.Join(dir, "tyk.conf")
	write(t, s.conf, s.config(t, dir, apps))
	return s, chosen
}

// config is a minimal tyk.conf [G-10].
func (s *site) config(t *testing.T, dir, apps string) []byte {
	t.Helper()
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(map[string]any{
		"listen_address": host, "listen_port": number, "secret": "parity-secret",
		"template_path": filepath.Join(dir, "templates"), "middleware_path": filepath.Join(dir, "middleware"),
		"app_path": apps, "use_db_app_configs": false, "enable_analytics": false, "hash_keys": false,
		"storage":                map[string]any{"type": "memory"},
		"policies":               map[string]any{"policy_source": "file"},
		"coprocess_options":      map[string]any{"enable_coprocess": true, "coprocess_grpc_server": "tcp://" + s.plugin.Target},
		"http_server_options":    map[string]any{},
		"allow_insecure_configs": true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, file string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestParity: this gateway does what the original did.
func TestParity(t *testing.T) {
	s, cases := newSite(t, func(c recorded) bool {
		_, left := later[c.ID]
		return !left
	})
	program.Start(t, s.addr, "run", "--tyk-conf", s.conf)
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) { s.run(t, c) })
	}
	t.Logf("%d cases run; %d need a later version:", len(cases), len(later))
	for _, id := range slices.Sorted(maps.Keys(later)) {
		t.Logf("  %s: %s", id, later[id].needs)
	}
}

func (s *site) run(t *testing.T, c recorded) {
	called := 0
	for i, step := range c.Steps {
		ok := t.Run(strconv.Itoa(i+1)+" "+step.Method, func(t *testing.T) {
			resp, body, err := step.send(s.addr, c.ID)
			if err != nil {
				t.Fatal(err)
			}
			seen, echo := s.upstream.take()
			calls := s.plugin.Calls(t, c.ID)
			compareReply(t, step.Want, resp, body, echo)
			compareUpstream(t, step.Want.Upstream, seen)
			compareObjects(t, step.Want.Objects, calls[called:])
			called = len(calls)
		})
		if !ok {
			return // the steps after it build on it
		}
	}
}

// TestDeadline: in a Tyk set-up, calls to the plugin have ten seconds [L-7].
func TestDeadline(t *testing.T) {
	s, cases := newSite(t, func(c recorded) bool { return c.ID == "pre-echo" })
	program.Start(t, s.addr, "run", "--tyk-conf", s.conf)
	if _, _, err := cases[0].Steps[0].send(s.addr, cases[0].ID); err != nil {
		t.Fatal(err)
	}
	calls := s.plugin.Calls(t, cases[0].ID)
	if len(calls) != 1 || calls[0].Timeout > 10*time.Second || calls[0].Timeout < 5*time.Second {
		t.Errorf("the plugin got the calls %+v, want one with a timeout of 10 s", calls)
	}
}

// TestLater: what this version cannot do it does not pretend to do. Each
// definition is refused at load, by name, or answers with an error without
// reaching the upstream; or the gateway says what it does not honour.
func TestLater(t *testing.T) {
	for id, lacks := range later {
		t.Run(id, func(t *testing.T) {
			s, cases := newSite(t, func(c recorded) bool { return c.ID == id })
			if len(cases) != 1 {
				t.Fatalf("%d recorded cases are called %s", len(cases), id)
			}
			gateway, err := program.TryStart(t, s.addr, "run", "--tyk-conf", s.conf)
			if err != nil {
				if !strings.Contains(err.Error(), id+".json") {
					t.Errorf("the gateway ended without naming the definition: %v", err)
				}
				return // refused
			}
			if lacks.told != "" {
				gateway.AwaitLog(t, `"WARN"`, id+".json", lacks.told)
				return
			}
			for _, step := range cases[0].Steps {
				resp, _, err := step.send(s.addr, id)
				if err != nil {
					t.Fatal(err)
				}
				if seen, _ := s.upstream.take(); len(seen) > 0 || resp.StatusCode < http.StatusBadRequest {
					t.Errorf("%s %s was answered with %d and the upstream saw %d requests; it needs %s, which is not there",
						step.Method, step.Path, resp.StatusCode, len(seen), lacks.needs)
				}
			}
		})
	}
}
