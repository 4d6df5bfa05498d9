package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/grapnel-gateway/grapnel"
)

// environment is a getenv over a fixed set.
func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

// none is an empty environment.
func none(string) (string, bool) { return "", false }

func mustParse(t *testing.T, text string) *grapnel.Config {
	t.Helper()
	c, err := Parse("grapnel.yaml", []byte(text), none)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// writeCertificate puts a fresh self-signed certificate and its key into dir.
func writeCertificate(t *testing.T, dir, cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "shop.example"}, NotAfter: time.Now().Add(time.Hour)}
	chain, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: chain}, key: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

const smallest = "apis: [{id: orders, listen_path: /orders/, target: http://orders:9000}]"

func TestDefaults(t *testing.T) {
	c := mustParse(t, smallest)
	target := &grapnel.URL{}
	if err := target.UnmarshalText([]byte("http://orders:9000")); err != nil {
		t.Fatal(err)
	}
	want := &grapnel.Config{APIs: []*grapnel.API{{ID: "orders", Name: "orders", MaxBody: 64 << 20}}}
	want.Server.SetDefaults()
	a := want.APIs[0]
	a.SetDefaults()
	a.ListenPath, a.MaxBody, a.Sessions.Hashed = "/orders/", 64<<20, true // keys are hashed
	a.Target, a.Targets, a.Upstream.Timeout = target, []*grapnel.URL{target}, grapnel.Duration(30*time.Second)
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
	if c.Listen != ":8080" || c.Admin.Listen != "127.0.0.1:9696" || c.Limits.Body != 64<<20 || !c.Log.Access || !a.StripListenPath {
		t.Errorf("the documented defaults are not there: %+v", c.Server)
	}
}

func TestInheritance(t *testing.T) {
	c := mustParse(t, `
limits: { body: 5MB }
timeouts: { upstream: 7s }
plugins:
  slow: { target: "slow:1", timeout: 3s }
  fast: { target: "fast:1" }
apis:
  - id: a
    listen_path: /a
    target: http://a
    auth: [{ plugin: slow }]
    hooks:
      pre: [{ plugin: slow, hook: H }, { plugin: fast, hook: H }]
      post_key_auth: [{ plugin: slow, hook: H, timeout: 0 }]
      post: [{ plugin: fast, hook: H, timeout: 5ms }]
      response: [{ plugin: fast, hook: H }]
  - { id: b, name: B, listen_path: /b, targets: [http://b, h2c://b], max_body: 0, upstream_timeout: 0 }
`)
	const second = grapnel.Duration(time.Second)
	a := c.APIs[0]
	hook := func(plugin, name string, timeout grapnel.Duration, stage grapnel.Stage) grapnel.Hook {
		h := grapnel.Hook{Plugin: plugin, Name: name, Timeout: timeout, Stage: stage}
		if stage > grapnel.Auth {
			h.Send = grapnel.Send{Session: grapnel.SessionRedacted}
		}
		return h
	}
	want := grapnel.Hooks{
		Pre:         []grapnel.Hook{hook("slow", "H", 3*second, grapnel.Pre), hook("fast", "H", second, grapnel.Pre)},
		PostKeyAuth: []grapnel.Hook{hook("slow", "H", 0, grapnel.PostKeyAuth)},
		Post:        []grapnel.Hook{hook("fast", "H", second/200, grapnel.Post)},
		Response:    []grapnel.Hook{hook("fast", "H", second, grapnel.Response)},
	}
	if diff := cmp.Diff(want, a.Hooks); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]grapnel.AuthMethod{{Hook: hook("slow", "", 3*second, grapnel.Auth)}}, a.Auth); diff != "" {
		t.Error(diff)
	}
	fast := &grapnel.PluginServer{}
	fast.SetDefaults()
	fast.Name, fast.Target = "fast", "fast:1"
	if diff := cmp.Diff(fast, c.Plugins["fast"]); diff != "" || fast.Timeout != second || fast.MaxReceive != 16<<20 {
		t.Error(diff)
	}
	if a.MaxBody != 5e6 || a.Upstream.Timeout != 7*second {
		t.Errorf("a inherits max_body %d and upstream_timeout %d", a.MaxBody, a.Upstream.Timeout)
	}
	if b := c.APIs[1]; b.MaxBody != 0 || b.Upstream.Timeout != 0 || b.Name != "B" || b.Target != nil || len(b.Targets) != 2 {
		t.Errorf("what b says does not hold: %+v", b)
	}
}

// TestFinish: other readers of configuration get the same completion and the
// same checks, without lines; doing it twice changes nothing.
func TestFinish(t *testing.T) {
	c := mustParse(t, smallest)
	if err := Finish(c); err != nil {
		t.Errorf("the second time: %v", err)
	}
	if diff := cmp.Diff(mustParse(t, smallest), c); diff != "" {
		t.Error(diff)
	}
	empty := &grapnel.Config{}
	empty.SetDefaults()
	if err := Finish(empty); err == nil || err.Error() != "apis: missing; a gateway needs at least one API" {
		t.Errorf("a gateway without APIs: %v", err)
	}
	empty.Compat = grapnel.CompatTyk
	if err := Finish(empty); err != nil {
		t.Errorf("a Tyk set-up without APIs: %v", err)
	}
	c.APIs[0].Auth = []grapnel.AuthMethod{{Hook: grapnel.Hook{Plugin: "nobody"}}}
	c.Timeouts.Idle = -5
	err := Finish(c)
	const want = "timeouts.idle: must not be negative\napis[0].auth[0].plugin: no plugin \"nobody\""
	if err == nil || err.Error() != want {
		t.Errorf("Finish:\n%v\nwant\n%s", err, want)
	}
}

// TestExample: the page's example is good and leaves nothing out.
func TestExample(t *testing.T) {
	text, err := os.ReadFile("testdata/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, dir := range []string{"certs", "policies", "hooks"} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("hooks/quota.json", []byte(`{"who": "{{.Meta.Key}}"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("certs/billing.token", []byte("t0ken"), 0o600); err != nil {
		t.Fatal(err)
	}
	writeCertificate(t, "certs", "shop.pem", "shop.key")
	writeAuthority(t, "certs/partners.pem", "certs/partners.crl")
	writeCertificate(t, "certs", "partner.pem", "partner.key")
	if err := os.WriteFile("grapnel.yaml", text, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load("grapnel.yaml", environment(map[string]string{"GRAPNEL_ADMIN_SECRET": "s3cret"}))
	if err != nil {
		t.Fatal(err)
	}
	orders := c.APIs[0]
	if c.Admin.Secret != "s3cret" || orders.Hooks.Post[0].Timeout != grapnel.Duration(time.Second) || orders.Addresses.Block[0] != netip.MustParsePrefix("10.9.9.9/32") {
		t.Errorf("the example does not say what it seems to: %+v", c)
	}
	for _, s := range sectionsOf(t) {
		for _, k := range s.keys {
			if !regexp.MustCompile(`(?m)^([^#\n]*[\s{])?` + k.name + `:`).Match(text) {
				t.Errorf("the example does not show %s of %s", k.name, s.title())
			}
		}
	}
}

func TestLoadMissingFile(t *testing.T) {
	_, err := Load("nowhere.yaml", none)
	if err == nil || !strings.Contains(err.Error(), "nowhere.yaml") {
		t.Errorf("Load of a file that is not there: %v", err)
	}
}
