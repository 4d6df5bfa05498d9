package admin_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/admin"
)

const (
	ok          = `{"status":"ok","message":""}`
	noSecret    = `{"status":"error","message":"Attempted administrative access with invalid or missing key!"}`
	wrongMethod = `{"status":"error","message":"Method not supported"}`
	notFound    = `{"status":"error","message":"Not Found"}`
)

// …, T-211: what each call gets.
func TestCalls(t *testing.T) {
	for name, c := range map[string]struct {
		method, path, secret string
		status               int
		body                 string
		reloads              int
	}{
		"reload":             {"GET", "/reload", secret, 200, ok, 1},
		"with a slash":       {"GET", "/reload/", secret, 200, ok, 1},
		"waiting":            {"GET", "/reload/?block=true", secret, 200, ok, 1},
		"group":              {"GET", "/reload/group", secret, 200, ok, 0},
		"group with a slash": {"GET", "/reload/group/", secret, 200, ok, 0},
		"health":             {"GET", "/health?api_id=x", secret, 400, refused("Health checks are not enabled for this node"), 0},
		"cache":              {"DELETE", "/cache/x", secret, 200, `{"status":"ok","message":"cache invalidated"}`, 0},
		"organisations":      {"GET", "/org/keys/", secret, 200, `{"keys":[]}`, 0},
		"an organisation":    {"GET", "/org/keys/x", secret, 404, refused("Org not found"), 0},
		"organisation away":  {"DELETE", "/org/keys/x", secret, 404, refused("Org not found"), 0},
		"organisation sent":  {"POST", "/org/keys/x", secret, 404, refused("No such organisation found in Active API list"), 0},
		"wrong method":       {"POST", "/reload", secret, 405, wrongMethod, 0},
		"wrong method, key":  {"PATCH", "/keys/some", secret, 405, wrongMethod, 0},
		"unknown":            {"GET", "/nothing", secret, 404, notFound, 0},
		"root":               {"GET", "/", secret, 404, notFound, 0},
		"empty segment":      {"GET", "/keys//", secret, 404, notFound, 0},
		"no secret":          {"GET", "/apis", "", 403, noSecret, 0},
		"wrong secret":       {"GET", "/reload", "wrong", 403, noSecret, 0},
		"part of the secret": {"GET", "/reload", secret[:5], 403, noSecret, 0},
		"unknown, no secret": {"GET", "/nothing", "", 403, noSecret, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "memory:", plain())
			w := call(s.handler, c.method, c.path, "", c.secret, address)
			if w.Code != c.status || w.Body.String() != c.body {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, c.status, c.body)
			}
			if got := w.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type is %q", got)
			}
			if s.reloads != c.reloads {
				t.Errorf("%d reloads, want %d", s.reloads, c.reloads)
			}
		})
	}
}

// A gateway without a secret obeys nobody [L-48].
func TestNoSecretConfigured(t *testing.T) {
	s := &site{}
	h := admin.Handler(admin.Options{Control: s})
	for _, presented := range []string{"", "anything"} {
		if w := call(h, "GET", "/reload", "", presented, address); w.Code != 403 || w.Body.String() != noSecret {
			t.Errorf("%q: got %d %s", presented, w.Code, w.Body)
		}
	}
	if s.reloads != 0 {
		t.Error("the gateway reloaded")
	}
}

// The caller learns that a reload failed, and not why.
func TestFailedReload(t *testing.T) {
	s := newSite(t, "memory:", plain())
	s.err = errors.New("/etc/secret.yaml: line 7")
	s.want(t, "GET", "/reload", "", 500, refused("reload failed, the previous configuration goes on serving"))
}

// A caller who hangs up does not leave a reload half done.
func TestReloadOutlivesItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := newSite(t, "memory:", plain())
	r := httptest.NewRequestWithContext(ctx, "GET", "/reload", nil)
	r.Header.Set("X-Tyk-Authorization", secret)
	s.handler.ServeHTTP(httptest.NewRecorder(), r)
	if s.reloads != 1 || s.ctx.Err() != nil {
		t.Errorf("%d reloads, context %v", s.reloads, s.ctx)
	}
}

// all gateways of the store hear that they are to reload.
func TestReloadGroup(t *testing.T) {
	s := newSite(t, "memory:", plain())
	heard := make(chan grapnel.Signal, 1)
	if err := s.store.Subscribe(t.Context(), func(s grapnel.Signal) { heard <- s }); err != nil {
		t.Fatal(err)
	}
	s.want(t, "GET", "/reload/group", "", 200, ok)
	if got := <-heard; got.Kind != grapnel.SignalReload {
		t.Errorf("heard %+v", got)
	}
}

// A store that does not answer is told as such, and its trouble to the log
// alone; no key is in it.
func TestStoreAway(t *testing.T) {
	s := newSite(t, "memory:", plain())
	s.store.Close()
	for _, c := range [][2]string{
		{"GET", "/keys"}, {"GET", "/keys/some-secret-key"}, {"DELETE", "/keys/some-secret-key"}, {"GET", "/apis"},
		{"GET", "/policies"}, {"GET", "/reload/group"},
	} {
		s.want(t, c[0], c[1], "", 503, refused("The store is unavailable"))
	}
	if s.log.Len() == 0 || strings.Contains(s.log.String(), "some-secret-key") {
		t.Errorf("log: %s", &s.log)
	}
}

// Bodies have a bound.
func TestLargeBody(t *testing.T) {
	s := newSite(t, "memory:", plain())
	large := `{"name":"` + strings.Repeat("x", 1<<20) + `"}`
	for target, want := range map[string]int{"/keys/create": 413, "/keys/some": 413, "/policies": 413, "/keys/policy/x": 413, "/apis": 200} {
		if status, _ := s.call(t, "POST", target, large); status != want {
			t.Errorf("%s: got %d, want %d", target, status, want)
		}
	}
	if status, _ := s.call(t, "POST", "/apis", strings.Repeat(" ", 10<<20)+"{}"); status != 413 {
		t.Errorf("a definition of more than 10 MiB: got %d", status)
	}
}

// More than five wrong tries in a second: 429 for that address, even with the
// right secret, until a second has passed.
func TestTooManyTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := admin.Handler(admin.Options{Secret: secret, Control: &site{}})
		status := func(secret, address string, want int) {
			t.Helper()
			if w := call(h, "GET", "/reload", "", secret, address); w.Code != want {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, want)
			}
		}
		for range 3 {
			status("wrong", "192.0.2.1:1", 403)
		}
		time.Sleep(600 * time.Millisecond)
		for range 2 {
			status("wrong", "192.0.2.1:2", 403) // another port is the same address
		}
		status("wrong", "192.0.2.1:1", 429)
		status(secret, "192.0.2.1:1", 429)
		status(secret, "192.0.2.2:1", 200)
		time.Sleep(400 * time.Millisecond) // the first three no longer count
		status(secret, "192.0.2.1:1", 200)
		for range 3 {
			status("wrong", "192.0.2.1:1", 403)
		}
		status("wrong", "192.0.2.1:1", 429)
		time.Sleep(time.Second)
		for range 20 {
			status(secret, "192.0.2.1:1", 200)
		}
	})
}
