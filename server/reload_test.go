package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
)

const oneHook = `
plugins: { p: { target: %q, timeout: 5s } }
apis:
  - { id: a, listen_path: /a/, target: %q, hooks: { pre: [{ plugin: p, hook: "set X-Generation=%d" }] } }
`

// Reloading 50 times under load fails no request and leaves nothing behind
// [P-8, T-233].
func TestReloadUnderLoad(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	plugin, up := plugintest.Serve(t), echo(t, "up")
	defer plugin.Stop()
	defer up.Close()
	g := start(t, configuration(t, oneHook, plugin.Target, up.URL, 0), io.Discard)

	ctx, cancel := context.WithCancel(t.Context())
	var load sync.WaitGroup
	var served atomic.Int64
	failures := make(chan error, 16)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	for range 8 {
		load.Go(func() {
			for ctx.Err() == nil {
				status, body, err := get(client, g.url+"/a/x")
				if err == nil && (status != 200 || body != "up /x") {
					err = fmt.Errorf("%d %s", status, body)
				}
				if err != nil {
					failures <- err
					return
				}
				served.Add(1)
			}
		})
	}
	for n := range 50 {
		before := served.Load()
		if err := g.Reload(configuration(t, oneHook, plugin.Target, up.URL, n+1)); err != nil {
			t.Error(err)
		}
		for served.Load() < before+8 && len(failures) == 0 { // every worker meets the new generation
			time.Sleep(time.Millisecond)
		}
	}
	cancel()
	load.Wait()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
	client.CloseIdleConnections()
	if err := g.stop(); err != nil {
		t.Error(err)
	}
}

// An exchange that is under way during a reload ends on the configuration that
// it began with, while new ones see the new one.
func TestReloadLeavesExchangesAlone(t *testing.T) {
	plugin, old, fresh := plugintest.Serve(t), echo(t, "old"), echo(t, "new")
	g := start(t, configuration(t, `
plugins: { p: { target: %q, timeout: 30s } }
apis: [{ id: a, listen_path: /a/, target: %q, hooks: { pre: [{ plugin: p, hook: "sleep 1s" }] } }]
`, plugin.Target, old.URL), io.Discard)
	type answer struct {
		body string
		err  error
	}
	slow := make(chan answer)
	go func() {
		_, body, err := get(http.DefaultClient, g.url+"/a/x")
		slow <- answer{body, err}
	}()
	for len(plugin.Calls("")) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := g.Reload(configuration(t, `apis: [{ id: b, listen_path: /b/, target: %q }]`, fresh.URL)); err != nil {
		t.Fatal(err)
	}
	if status, body, err := get(http.DefaultClient, g.url+"/b/x"); err != nil || body != "new /x" {
		t.Errorf("new API: %d %q %v", status, body, err)
	}
	if status, _, err := get(http.DefaultClient, g.url+"/a/x"); err != nil || status != 404 {
		t.Errorf("old API after the reload: %d %v", status, err)
	}
	if a := <-slow; a.err != nil || a.body != "old /x" {
		t.Errorf("exchange under way: %q %v", a.body, a.err)
	}
}

// A configuration that cannot be served changes nothing.
func TestReloadIsAllOrNothing(t *testing.T) {
	up := echo(t, "up")
	g := start(t, configuration(t, `apis: [{ id: a, listen_path: /a/, target: %q }]`, up.URL), io.Discard)
	bad := configuration(t, `
plugins: { p: { target: "127.0.0.1:1" } }
apis:
  - { id: b, listen_path: /b/, target: %q }
`, up.URL)
	bad.APIs = append(bad.APIs, &grapnel.API{
		ID: "c", Listen: grapnel.Listen{ListenPath: "/c/"}, Upstream: bad.APIs[0].Upstream,
		Hooks: grapnel.Hooks{Pre: []grapnel.Hook{{Plugin: "bilingz", Name: "x", Stage: grapnel.Pre}}},
	})
	err := g.Reload(bad)
	if err == nil || !strings.Contains(err.Error(), `no plugin "bilingz"`) {
		t.Errorf("Reload: %v", err)
	}
	if status, body, err := get(http.DefaultClient, g.url+"/a/x"); err != nil || body != "up /x" {
		t.Errorf("the old API: %d %q %v", status, body, err)
	}
	if status, _, err := get(http.DefaultClient, g.url+"/b/x"); err != nil || status != 404 {
		t.Errorf("half of the new configuration is served: %d %v", status, err)
	}
}

// Draining answers what was accepted, and refuses what comes later.
func TestDrain(t *testing.T) {
	plugin, up := plugintest.Serve(t), echo(t, "up")
	g := start(t, configuration(t, `
plugins: { p: { target: %q, timeout: 30s } }
apis: [{ id: a, listen_path: /a/, target: %q, hooks: { pre: [{ plugin: p, hook: "sleep 1s" }] } }]
`, plugin.Target, up.URL), io.Discard)
	type answer struct {
		body string
		err  error
	}
	under := make(chan answer)
	go func() {
		_, body, err := get(&http.Client{Transport: &http.Transport{}}, g.url+"/a/x")
		under <- answer{body, err}
	}()
	for len(plugin.Calls("")) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := g.stop(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if a := <-under; a.err != nil || a.body != "up /x" {
		t.Errorf("request under way: %q %v", a.body, a.err)
	}
	if _, _, err := get(&http.Client{Transport: &http.Transport{}}, g.url+"/a/x"); err == nil {
		t.Error("a drained gateway answers")
	} else if errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
