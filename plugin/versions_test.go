package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin"
)

// split makes a plugin "p" of the servers.
func split(t *testing.T, s grapnel.PluginServer, all servers) plugin.Binder {
	t.Helper()
	s.Name = "p"
	p, err := plugin.NewVersions(s, all.lookup)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return plugin.Binder{Events: &fired{}, Servers: func(name string) (grapnel.Plugin, bool) {
		if name == "p" {
			return p, true
		}
		return all.lookup(name)
	}}
}

// Exchanges are dealt out by weight, and each keeps to its version in all its
// hooks; the records name it.
func TestVersions(t *testing.T) {
	b := split(t, grapnel.PluginServer{Split: grapnel.Split{Versions: map[string]int{"v1": 3, "v2": 1, "off": 0}}},
		servers{"v1": answers(nil, nil), "v2": answers(nil, nil), "off": answers(errors.New("asked"), nil)})
	const exchanges = 4000
	count := map[string]int{}
	h := append(hooks(grapnel.Pre, "a", "b"), hooks(grapnel.Post, "c")...)
	m, err := b.Requests(&grapnel.API{}, h)
	if err != nil {
		t.Fatal(err)
	}
	replies, err := b.Responses(&grapnel.API{}, hooks(grapnel.Response, "d"))
	if err != nil {
		t.Fatal(err)
	}
	for range exchanges {
		x := exchange(t)
		if _, err := grapnel.Chain(pass, m, replies)(x); err != nil {
			t.Fatal(err)
		}
		version := x.Calls[0].Plugin
		if len(x.Calls) != 4 || slices.ContainsFunc(x.Calls, func(c grapnel.Call) bool { return c.Plugin != version }) {
			t.Fatalf("versions mix: %v", outcomes(x))
		}
		count[version]++
	}
	if count["v1"]+count["v2"] != exchanges || count["v2"] < exchanges*20/100 || count["v2"] > exchanges*30/100 {
		t.Errorf("dealt out %v", count)
	}
}

// A sticky choice holds for a caller: by a header, or by what the caller is known
// by before and after it has a session.
func TestVersionsSticky(t *testing.T) {
	all := servers{"v1": answers(nil, nil), "v2": answers(nil, nil)}
	for sticky, with := range map[string]func(*grapnel.Exchange, string){
		"X-Tenant": func(x *grapnel.Exchange, who string) { x.Request.Header.Set("X-Tenant", who) },
		"session": func(x *grapnel.Exchange, who string) {
			x.Request.Header.Set("X-Key", who)
			x.Session = &grapnel.Session{KeyID: "anything"}
		},
	} {
		b := split(t, grapnel.PluginServer{Split: grapnel.Split{Versions: map[string]int{"v1": 1, "v2": 1}, Sticky: sticky}}, all)
		count := map[string]int{}
		for who := range 200 {
			var first string
			for range 3 {
				x := exchange(t)
				x.API.Credential.Header = "X-Key"
				with(x, fmt.Sprint("caller ", who))
				if _, err := through(t, b, x, hooks(grapnel.Pre, "h")); err != nil {
					t.Fatal(err)
				}
				got := x.Calls[0].Plugin
				if first != "" && got != first {
					t.Fatalf("%s: caller %d got %s, then %s", sticky, who, first, got)
				}
				first = got
			}
			count[first]++
		}
		if count["v1"] < 60 || count["v2"] < 60 {
			t.Errorf("%s: callers are dealt out %v", sticky, count)
		}
	}
}

func TestVersionsFaults(t *testing.T) {
	for _, c := range []struct {
		split grapnel.Split
		want  string
	}{
		{grapnel.Split{}, "versions: none of them has a weight"},
		{grapnel.Split{Versions: map[string]int{"v1": 0}}, "versions: none of them has a weight"},
		{grapnel.Split{Versions: map[string]int{"none": 1}}, `versions: no plugin "none"`},
		{grapnel.Split{Versions: map[string]int{"v1": 1}, Shadow: "none"}, `shadow: no plugin "none"`},
	} {
		if _, err := plugin.NewVersions(grapnel.PluginServer{Split: c.split}, servers{"v1": answers(nil, nil)}.lookup); err == nil || err.Error() != c.want {
			t.Errorf("%+v: %v", c.split, err)
		}
	}
}

// changes is a plugin that sets a header and a body, and on replies a status.
func changes(tenant, body string, status int) *fake {
	return &fake{
		request: func(_ context.Context, x *grapnel.Exchange) (*http.Response, error) {
			x.Request.Header.Set("X-Tenant", tenant)
			x.SetBody([]byte(body))
			return nil, nil
		},
		response: func(_ context.Context, r *http.Response) error {
			if status == 0 {
				return errDown
			}
			r.StatusCode = status
			r.Header.Set("X-Tenant", tenant)
			return nil
		},
	}
}

// A shadow is asked the same, changes nothing, and is counted and logged where its
// answer would have done something else.
func TestShadow(t *testing.T) {
	for _, c := range []struct {
		name   string
		shadow *fake
		stage  grapnel.Stage
		state  grapnel.ShadowState
		log    string
	}{
		{"same", changes("a", "b", 201), grapnel.Pre, grapnel.ShadowState{Calls: 1}, ""},
		{"request", changes("z", "y", 201), grapnel.Pre, grapnel.ShadowState{Calls: 1, Differences: 1}, "differs=\"[headers body]\""},
		{"same reply", changes("a", "z", 201), grapnel.Response, grapnel.ShadowState{Calls: 1}, ""},
		{"reply", changes("z", "b", 202), grapnel.Response, grapnel.ShadowState{Calls: 1, Differences: 1}, "differs=\"[reply.status reply.headers]\""},
		{"down", changes("z", "b", 0), grapnel.Response, grapnel.ShadowState{Calls: 1, Failures: 1}, ""},
		{"refuses", answers(errRefused, nil), grapnel.Pre, grapnel.ShadowState{Calls: 1, Differences: 1}, "reply.status"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := servers{"v1": changes("a", "b", 201), "v2": c.shadow}
				p, err := plugin.NewVersions(grapnel.PluginServer{Name: "p", Split: grapnel.Split{Versions: map[string]int{"v1": 1}, Shadow: "v2"}}, all.lookup)
				if err != nil {
					t.Fatal(err)
				}
				log := &strings.Builder{}
				x := exchange(t)
				x.Log = slog.New(slog.NewTextHandler(log, nil))
				b := plugin.Binder{Events: &fired{}, Servers: func(string) (grapnel.Plugin, bool) { return p, true }}
				resp, err := through(t, b, x, hooks(c.stage, "h"))
				if err != nil {
					t.Fatal(err)
				}
				got := x.Request.Header.Get("X-Tenant") + resp.Header.Get("X-Tenant")
				synctest.Wait()
				if again := x.Request.Header.Get("X-Tenant") + resp.Header.Get("X-Tenant"); got != "a" || again != got {
					t.Errorf("the exchange has %q, later %q", got, again)
				}
				if want := []string{"v1 passed"}; !slices.Equal(outcomes(x), want) {
					t.Errorf("calls %v", outcomes(x))
				}
				p.Close()
				c.state.Plugin = "v2"
				if diff := cmp.Diff(&c.state, p.State().Shadow); diff != "" {
					t.Error(diff)
				}
				if !strings.Contains(log.String(), c.log) || c.log == "" && log.Len() > 0 {
					t.Errorf("log %q, want %q", log, c.log)
				}
			})
		})
	}
}

// A shadow that hangs delays nobody: calls beyond its bound are dropped, and the
// end of the plugin ends those under way.
func TestShadowIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		waiting := 0
		hangs := &fake{request: func(ctx context.Context, _ *grapnel.Exchange) (*http.Response, error) {
			mu.Lock()
			waiting++
			mu.Unlock()
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		all := servers{"v1": answers(nil, nil), "v2": hangs}
		p, err := plugin.NewVersions(grapnel.PluginServer{Name: "p", Split: grapnel.Split{Versions: map[string]int{"v1": 1}, Shadow: "v2"}}, all.lookup)
		if err != nil {
			t.Fatal(err)
		}
		b := plugin.Binder{Events: &fired{}, Servers: func(string) (grapnel.Plugin, bool) { return p, true }}
		m, err := b.Requests(&grapnel.API{}, hooks(grapnel.Pre, "h"))
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			if _, err := m(pass)(exchange(t)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		mu.Lock()
		if waiting != 64 {
			t.Errorf("%d calls are under way", waiting)
		}
		mu.Unlock()
		p.Close()
		if diff := cmp.Diff(&grapnel.ShadowState{Plugin: "v2", Calls: 64, Failures: 64, Dropped: 36}, p.State().Shadow); diff != "" {
			t.Error(diff)
		}
	})
}
