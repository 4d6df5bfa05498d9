package plugin_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin"
)

// Servers with equal settings are shared between configurations; the last one
// to leave closes the connection.
func TestPoolShares(t *testing.T) {
	opened := map[string]*fake{}
	pool := plugin.NewPool(func(s grapnel.PluginServer) (grapnel.Plugin, error) {
		if opened[s.Target] != nil {
			t.Errorf("%s opened twice", s.Target)
		}
		opened[s.Target] = &fake{}
		return opened[s.Target], nil
	})
	first, err := pool.Lease(map[string]*grapnel.PluginServer{"p": {Target: "one"}, "q": {Target: "two"}})
	if err != nil {
		t.Fatal(err)
	}
	second, err := pool.Lease(map[string]*grapnel.PluginServer{"p": {Target: "one"}, "q": {Target: "three"}})
	if err != nil {
		t.Fatal(err)
	}
	p1, _ := first.Plugin("p")
	p2, _ := second.Plugin("p")
	q1, _ := first.Plugin("q")
	q2, _ := second.Plugin("q")
	if p1 != p2 || q1 == q2 {
		t.Error("the wrong servers are shared")
	}
	first.Release()
	if opened["one"].timesClosed() != 0 || opened["two"].timesClosed() != 1 {
		t.Error("after the first release: one should be open and two closed")
	}
	second.Release()
	if opened["one"].timesClosed() != 1 || opened["three"].timesClosed() != 1 {
		t.Error("after the last release all should be closed, once")
	}
	if got := second.States(); got["p"].State != "ready" || got["q"].State != "ready" {
		t.Errorf("states %v", got)
	}
}

// A setting that changes, whichever it is, gives a server a new connection, and no
// other server.
func TestPoolByValue(t *testing.T) {
	opened := 0
	pool := plugin.NewPool(func(grapnel.PluginServer) (grapnel.Plugin, error) {
		opened++
		return &fake{}, nil
	})
	lease := func(edit func(*grapnel.PluginServer)) *plugin.Lease {
		server := &grapnel.PluginServer{Name: "p", Targets: []string{"one", "two"}, TLS: &grapnel.PluginTLS{Cert: "a.pem"}}
		edit(server)
		l, err := pool.Lease(map[string]*grapnel.PluginServer{"p": server, "q": {Name: "q", Target: "other"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.Release)
		return l
	}
	same := func(a, b *plugin.Lease, name string) bool {
		p, _ := a.Plugin(name)
		q, _ := b.Plugin(name)
		return p == q
	}
	first := lease(func(*grapnel.PluginServer) {})
	if again := lease(func(*grapnel.PluginServer) {}); !same(first, again, "p") || opened != 2 {
		t.Errorf("nothing changed, and %d servers were opened", opened)
	}
	for name, edit := range map[string]func(*grapnel.PluginServer){
		"address":     func(s *grapnel.PluginServer) { s.Targets[1] = "three" },
		"certificate": func(s *grapnel.PluginServer) { s.TLS.Cert = "b.pem" },
		"clear":       func(s *grapnel.PluginServer) { s.TLS = nil },
		"token":       func(s *grapnel.PluginServer) { s.TokenFile = "token" },
		"balance":     func(s *grapnel.PluginServer) { s.Balance.Method = "first" },
		"budget":      func(s *grapnel.PluginServer) { s.RetryBudget = 0.5 },
	} {
		if now := lease(edit); same(first, now, "p") || !same(first, now, "q") {
			t.Errorf("%s: the wrong servers are shared", name)
		}
	}
}

// A lease that fails leaves nothing open.
func TestPoolAllOrNothing(t *testing.T) {
	good := &fake{}
	pool := plugin.NewPool(func(s grapnel.PluginServer) (grapnel.Plugin, error) {
		if s.Target == "bad" {
			return nil, errors.New("no such place")
		}
		return good, nil
	})
	_, err := pool.Lease(map[string]*grapnel.PluginServer{"a": {Target: "good"}, "b": {Target: "bad"}})
	if err == nil || !strings.Contains(err.Error(), "plugins.b: no such place") {
		t.Errorf("got %v", err)
	}
	if good.timesClosed() != 1 {
		t.Errorf("closed %d times", good.timesClosed())
	}
}

// A choice between servers belongs to the lease; what it chooses from is shared.
func TestPoolVersions(t *testing.T) {
	opened := map[string]int{}
	pool := plugin.NewPool(func(s grapnel.PluginServer) (grapnel.Plugin, error) {
		opened[s.Target]++
		return &fake{}, nil
	})
	configured := func(weight int) map[string]*grapnel.PluginServer {
		return map[string]*grapnel.PluginServer{
			"a":  {Name: "a", Split: grapnel.Split{Versions: map[string]int{"v1": 1, "v2": weight}, Shadow: "v2"}},
			"v1": {Target: "one"}, "v2": {Target: "two"},
		}
	}
	first, err := pool.Lease(configured(1))
	if err != nil {
		t.Fatal(err)
	}
	second, err := pool.Lease(configured(2))
	if err != nil {
		t.Fatal(err)
	}
	a1, _ := first.Plugin("a")
	a2, _ := second.Plugin("a")
	if a1 == nil || a1 == a2 || opened["one"] != 1 || opened["two"] != 1 || len(opened) != 2 {
		t.Errorf("%v, %v, opened %v", a1, a2, opened)
	}
	first.Release()
	if got := second.States()["a"]; got.State != "ready" || got.Shadow == nil {
		t.Errorf("state %+v", got)
	}
	second.Release()
	if _, err := pool.Lease(map[string]*grapnel.PluginServer{"a": {Split: grapnel.Split{Versions: map[string]int{"none": 1}}}}); err == nil || err.Error() != `plugins.a: versions: no plugin "none"` {
		t.Errorf("got %v", err)
	}
}

// Who leaves does not wait for a server that takes long to open.
func TestPoolReleasesMeanwhile(t *testing.T) {
	opening, open := make(chan struct{}), make(chan struct{})
	old := &fake{}
	pool := plugin.NewPool(func(s grapnel.PluginServer) (grapnel.Plugin, error) {
		if s.Target == "old" {
			return old, nil
		}
		close(opening)
		<-open
		return &fake{}, nil
	})
	first, err := pool.Lease(map[string]*grapnel.PluginServer{"p": {Target: "old"}})
	if err != nil {
		t.Fatal(err)
	}
	leased := make(chan error)
	go func() {
		second, err := pool.Lease(map[string]*grapnel.PluginServer{"p": {Target: "slow"}})
		if err == nil {
			second.Release()
		}
		leased <- err
	}()
	<-opening
	first.Release()
	if old.timesClosed() != 1 {
		t.Error("the old server is still open")
	}
	close(open)
	if err := <-leased; err != nil {
		t.Error(err)
	}
}
