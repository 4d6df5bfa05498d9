package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/admin"
	"github.com/grapnel-gateway/grapnel/keys"
	"github.com/grapnel-gateway/grapnel/store"
)

const testSecret = "the secret of this test"

// A fakeGateway has a real control API and serves nothing.
type fakeGateway struct {
	*httptest.Server
	reloads int
}

// Reload counts.
func (g *fakeGateway) Reload(context.Context) error { g.reloads++; return nil }

func newFakeGateway(t *testing.T) *fakeGateway {
	t.Helper()
	g, s := &fakeGateway{}, store.NewMemory()
	rules := grapnel.KeyRules{Hash: true, List: true, Function: "sha256", MinLength: 3}
	ring, err := keys.New(s, rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := admin.Handler(admin.Options{
		Secret: testSecret, Control: g, Keys: ring, Rules: rules, Counters: s, Catalog: s, Signals: s,
		Policy:   func(id string) (*grapnel.Policy, bool) { return ring.Policies().Policy(id) },
		API:      func(string) *grapnel.API { return nil },
		Validate: func([]byte) error { return nil },
		Log:      slog.New(slog.DiscardHandler),
	})
	g.Server = httptest.NewServer(http.StripPrefix("/tyk", h))
	t.Cleanup(func() { g.Close(); s.Close() })
	return g
}

// command runs a command line and returns what it printed, on both outputs.
func (g *fakeGateway) command(t *testing.T, code int, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	p := &program{
		ctx: t.Context(), stdout: &out, stderr: &out,
		env: []string{"GRAPNEL_ADMIN=" + g.URL, "GRAPNEL_ADMIN_SECRET=" + testSecret},
	}
	if got := p.run(args); got != code {
		t.Fatalf("grapnel %v ended with %d, want %d:\n%s", args, got, code, &out)
	}
	if strings.Contains(out.String(), testSecret) {
		t.Errorf("grapnel %v prints the secret:\n%s", args, &out)
	}
	return out.String()
}

func (g *fakeGateway) json(t *testing.T, into any, args ...string) {
	t.Helper()
	text := g.command(t, 0, append(args, "--json")...)
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("grapnel %v: %v\n%s", args, err, text)
	}
}

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file.json")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// The life of a key on the command line.
func TestKeyCommands(t *testing.T) {
	g := newFakeGateway(t)
	var made admin.Change
	g.json(t, &made, "key", "create", "mine", "--org", "o", "--alias", "first", "--api", "a,b", "--rate", "5", "--quota", "7",
		"--quota-period", "60", "--expires", "2100-01-31T12:00:00Z")
	var s grapnel.Session
	g.json(t, &s, "key", "get", made.Key)
	if s.Alias != "first" || s.Rate != 5 || s.Per != 1 || s.QuotaMax != 7 || s.QuotaRenewalRate != 60 || len(s.AccessRights) != 2 || s.Expires != 4105080000 {
		t.Errorf("got %+v", s)
	}
	want := "alias         first\norganisation  o\nstate         active\nexpires       2100-01-31T12:00:00Z\nrate          5 in 1 s\nquota         7 of 7 left until "
	if got := g.command(t, 0, "key", "get", "--hashed", made.KeyHash); !strings.HasPrefix(got, want) || !strings.Contains(got, "\nAPIs          a, b\npolicies") {
		t.Errorf("got\n%s", got)
	}
	if got, want := g.command(t, 0, "key", "list"), "KEY\n"+made.KeyHash+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.Alias, s.IsInactive = "x\x1b[31m", true
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := g.command(t, 0, "key", "update", made.Key, "--keep-counters", "--file", file(t, string(text))), "MODIFIED\n"+made.Key+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := g.command(t, 0, "key", "get", "mine", "--org", "o"); !strings.Contains(got, `"x\x1b[31m"`) || !strings.Contains(got, "inactive") {
		t.Errorf("got\n%s", got)
	}
	g.command(t, 0, "key", "delete", made.Key)
	if got, want := g.command(t, 1, "key", "delete", made.Key), "grapnel: There is no such key found (404)\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var none []string
	if g.json(t, &none, "key", "list"); none == nil || len(none) != 0 {
		t.Errorf("keys: %v", none)
	}
}

// A key from a file; people see the key and its hash.
func TestKeyCreateFromFile(t *testing.T) {
	g := newFakeGateway(t)
	session := file(t, `{"org_id":"o","alias":"file","access_rights":{"a":{"api_id":"a"}}}`)
	got := strings.Fields(g.command(t, 0, "key", "create", "--alias", "flag", "--file", session))
	if len(got) != 4 || got[0] != "ADDED" || got[1] != "HASH" {
		t.Fatalf("got %q", got)
	}
	var s grapnel.Session
	if g.json(t, &s, "key", "get", got[2]); s.Alias != "flag" || s.OrgID != "o" {
		t.Errorf("got %+v", s)
	}
	for want, args := range map[string][]string{
		"is not a time":                {"key", "create", "--expires", "soon"},
		"no such file":                 {"key", "create", "--file", "none.json"},
		"unexpected end of JSON input": {"key", "update", "k", "--file", file(t, "{")},
		"at least one Access Rights":   {"key", "create"},
	} {
		if text := g.command(t, 1, args...); !strings.Contains(text, want) {
			t.Errorf("%v: got %q, want %q", args, text, want)
		}
	}
}

// Definitions and policies on the command line.
func TestDocumentCommands(t *testing.T) {
	g := newFakeGateway(t)
	api := file(t, `{"api_id":"a","name":"A","org_id":"o","active":true,"proxy":{"listen_path":"/a/","target_url":"http://up?x=1&y=2"}}`)
	if got, want := g.command(t, 0, "api", "put", api), "ADDED\na\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := g.command(t, 0, "api", "put", api, "--reload"), "MODIFIED\na\n"; got != want || g.reloads != 1 {
		t.Errorf("got %q, want %q; %d reloads", got, want, g.reloads)
	}
	table := "ID  NAME  ORG  ACTIVE  LISTEN PATH  TARGET\na   A     o    true    /a/          http://up?x=1&y=2\n"
	if got := g.command(t, 0, "api", "list"); got != table {
		t.Errorf("got\n%s", got)
	}
	if got := g.command(t, 0, "api", "get", "a"); !strings.Contains(got, `"target_url": "http://up?x=1&y=2"`) {
		t.Errorf("got\n%s", got)
	}
	g.command(t, 0, "api", "delete", "a")
	if got := g.command(t, 1, "api", "get", "a"); got != "grapnel: API not found (404)\n" {
		t.Errorf("got %q", got)
	}
	g.command(t, 0, "policy", "put", file(t, `{"id":"p","name":"P","org_id":"o","rate":5,"per":60,"access_rights":{"a":{}}}`))
	if got, want := g.command(t, 0, "policy", "list"), "ID  NAME  ORG  APIS  RATE       QUOTA\np   P     o    1     5 in 60 s  unlimited\n"; got != want {
		t.Errorf("got\n%s", got)
	}
	var all []grapnel.Policy
	if g.json(t, &all, "policy", "list"); len(all) != 1 || all[0].ID != "p" {
		t.Errorf("got %+v", all)
	}
	g.command(t, 0, "policy", "delete", "p")
	if got := g.command(t, 1, "policy", "get", "p"); got != "grapnel: Policy not found (404)\n" {
		t.Errorf("got %q", got)
	}
}

// Reloads, and how the gateway is found.
func TestReloadCommand(t *testing.T) {
	g := newFakeGateway(t)
	if got := g.command(t, 0, "reload"); got != "reloaded\n" || g.reloads != 1 {
		t.Errorf("got %q after %d reloads", got, g.reloads)
	}
	if got := g.command(t, 0, "reload", "--group"); got != "told\n" {
		t.Errorf("got %q", got)
	}
	if got := g.command(t, 1, "reload", "--secret", "wrong"); strings.Contains(got, "wrong") || !strings.Contains(got, "(403)") {
		t.Errorf("got %q", got)
	}
	if got := g.command(t, 1, "reload", "--address", "nowhere"); !strings.Contains(got, `"nowhere" is not the address`) {
		t.Errorf("got %q", got)
	}
}
