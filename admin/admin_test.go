package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel/admin"
)

// gateway counts its reloads, and fails them when told to.
type gateway struct {
	reloads int
	err     error
	ctx     context.Context
}

func (g *gateway) Reload(ctx context.Context) error {
	g.reloads++
	g.ctx = ctx
	return g.err
}

const secret = "the secret"

func call(h http.Handler, method, target, secret, address string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr = address
	if secret != "" {
		r.Header.Set("X-Tyk-Authorization", secret)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const (
	ok          = `{"status":"ok","message":""}`
	noSecret    = `{"status":"error","message":"Attempted administrative access with invalid or missing key!"}`
	wrongMethod = `{"status":"error","message":"Method not supported"}`
	notFound    = `{"status":"error","message":"Not Found"}`
)

// T-211: what each call gets.
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
		"group":              {"GET", "/reload/group", secret, 200, ok, 1},
		"group with a slash": {"GET", "/reload/group/", secret, 200, ok, 1},
		"wrong method":       {"POST", "/reload", secret, 405, wrongMethod, 0},
		"unknown":            {"GET", "/nothing", secret, 404, notFound, 0},
		"no secret":          {"GET", "/apis", "", 403, noSecret, 0},
		"wrong secret":       {"GET", "/reload", "wrong", 403, noSecret, 0},
		"part of the secret": {"GET", "/reload", secret[:5], 403, noSecret, 0},
		"unknown, no secret": {"GET", "/nothing", "", 403, noSecret, 0},
	} {
		t.Run(name, func(t *testing.T) {
			g := &gateway{}
			w := call(admin.Handler(secret, g), c.method, c.path, c.secret, "192.0.2.1:1")
			if w.Code != c.status || w.Body.String() != c.body {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, c.status, c.body)
			}
			if got := w.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type is %q", got)
			}
			if g.reloads != c.reloads {
				t.Errorf("%d reloads, want %d", g.reloads, c.reloads)
			}
		})
	}
}

// A gateway without a secret obeys nobody [L-48].
func TestNoSecretConfigured(t *testing.T) {
	g := &gateway{}
	for _, presented := range []string{"", "anything"} {
		if w := call(admin.Handler("", g), "GET", "/reload", presented, "192.0.2.1:1"); w.Code != 403 || w.Body.String() != noSecret {
			t.Errorf("%q: got %d %s", presented, w.Code, w.Body)
		}
	}
	if g.reloads != 0 {
		t.Error("the gateway reloaded")
	}
}

// The caller learns that a reload failed, and not why.
func TestFailedReload(t *testing.T) {
	g := &gateway{err: errors.New("/etc/secret.yaml: line 7")}
	w := call(admin.Handler(secret, g), "GET", "/reload", secret, "192.0.2.1:1")
	const want = `{"status":"error","message":"reload failed, the previous configuration goes on serving"}`
	if w.Code != 500 || w.Body.String() != want {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// A caller who hangs up does not leave a reload half done.
func TestReloadOutlivesItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g := &gateway{}
	r := httptest.NewRequestWithContext(ctx, "GET", "/reload", nil)
	r.Header.Set("X-Tyk-Authorization", secret)
	admin.Handler(secret, g).ServeHTTP(httptest.NewRecorder(), r)
	if g.reloads != 1 || g.ctx.Err() != nil {
		t.Errorf("%d reloads, context %v", g.reloads, g.ctx)
	}
}

// More than five wrong tries in a second: 429 for that address, even with the
// right secret, until a second has passed.
func TestTooManyTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := admin.Handler(secret, &gateway{})
		status := func(secret, address string, want int) {
			t.Helper()
			if w := call(h, "GET", "/reload", secret, address); w.Code != want {
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

// R-10, T-210: the report, and that it tells no more than names and states.
func TestHealth(t *testing.T) {
	for name, c := range map[string]struct {
		plugins map[string]string
		want    map[string]any
	}{
		"no plugins": {nil, map[string]any{"status": "pass", "version": "v1.2.3", "description": "Grapnel"}},
		"all well": {map[string]string{"a": "ready", "b": "idle", "c": "connecting"}, map[string]any{
			"status": "pass", "version": "v1.2.3", "description": "Grapnel",
			"details": map[string]any{"plugins": map[string]any{"a": "ready", "b": "idle", "c": "connecting"}},
		}},
		"one failing": {map[string]string{"a": "ready", "b": "failing"}, map[string]any{
			"status": "warn", "version": "v1.2.3", "description": "Grapnel",
			"details": map[string]any{"plugins": map[string]any{"a": "ready", "b": "failing"}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(admin.Health("v1.2.3", func() map[string]string { return c.plugins }))
			defer server.Close()
			res, err := server.Client().Get(server.URL + "/hello")
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			var got map[string]any
			if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
				t.Errorf("got %d, %v", res.StatusCode, res.Header)
			}
		})
	}
	if w := call(admin.Health("v", func() map[string]string { return nil }), "POST", "/hello", "", "192.0.2.1:1"); w.Code != 405 {
		t.Errorf("POST got %d", w.Code)
	}
}
