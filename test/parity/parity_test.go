// Package parity runs what was recorded from the original gateway against this
// one: every request over a real socket, with the upstream, the plugin server
// and the gateway each where they belong.
package parity

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
	"github.com/grapnel-gateway/grapnel/store/storetest"
	"github.com/grapnel-gateway/grapnel/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// secret is the control API's.
const secret = "parity-secret"

// stores are where the gateway keeps what it must: each of them must behave as
// the original did.
var stores = map[string]func(*testing.T) string{
	"memory":   func(*testing.T) string { return "memory:" },
	"embedded": func(t *testing.T) string { return filepath.Join(t.TempDir(), "grapnel.db") },
	"redis":    func(t *testing.T) string { return storetest.Redis(t).URL() },
}

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
		"listen_address": host, "listen_port": number, "secret": secret,
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

// TestParity: this gateway does what the original did, whatever the store.
func TestParity(t *testing.T) {
	for name, store := range stores {
		t.Run(name, func(t *testing.T) {
			s, cases := newSite(t, func(recorded) bool { return true })
			program.Start(t, s.addr, "run", "--tyk-conf", s.conf, "--store", store(t))
			s.createKey(t, cases)
			for _, c := range cases {
				t.Run(c.ID, func(t *testing.T) { s.run(t, c) })
			}
		})
	}
}

// createKey creates the key of the cases with stored keys, as the recording did.
func (s *site) createKey(t *testing.T, cases []recorded) {
	t.Helper()
	rights := object{}
	for _, c := range cases {
		rights[c.ID] = object{"api_id": c.ID, "api_name": c.ID, "versions": []string{"Default"}}
	}
	session, err := json.Marshal(object{
		"allowance": 1000, "rate": 1000, "per": 1, "expires": -1, "quota_max": -1, "org_id": "default",
		"alias": "parity", "tags": []string{"t1"}, "access_rights": rights,
		"meta_data": object{"plain": "text", "number": 7, "nested": object{"a": []any{1, "b"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.addr+"/tyk/keys/parity-key", bytes.NewReader(session))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Tyk-Authorization", secret)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the key was not created: %s", resp.Status)
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
	program.Start(t, s.addr, "run", "--tyk-conf", s.conf, "--store", "memory:")
	if _, _, err := cases[0].Steps[0].send(s.addr, cases[0].ID); err != nil {
		t.Fatal(err)
	}
	calls := s.plugin.Calls(t, cases[0].ID)
	if len(calls) != 1 || calls[0].Timeout > 10*time.Second || calls[0].Timeout < 5*time.Second {
		t.Errorf("the plugin got the calls %+v, want one with a timeout of 10 s", calls)
	}
}
