package fleet

import (
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// TestKilledAfterKey: a key that the control API has acknowledged is there after
// kill -9, and one that was deleted is not.
func TestKilledAfterKey(t *testing.T) {
	s := newSite(t, filepath.Join(t.TempDir(), "grapnel.db"), api("keyed", tokenAuth()))
	g := s.start(t)
	var kept []string
	for range 5 {
		deleted := g.createKey(t, object{"access_rights": rights("keyed")})
		g.command(t, http.MethodDelete, keyPath(deleted), nil)
		kept = append(kept, g.createKey(t, object{"access_rights": rights("keyed")}))
		g.Kill()
		g.again(t)
		for _, key := range kept {
			g.command(t, http.MethodGet, keyPath(key), nil)
			if r := g.get(t, "/keyed/", key); r.status != http.StatusOK {
				t.Errorf("after kill -9, a key is answered with %d %s", r.status, r.body)
			}
		}
		if r := g.get(t, "/keyed/", deleted); r.status != http.StatusForbidden {
			t.Errorf("after kill -9, a deleted key is answered with %d", r.status)
		}
	}
}

// TestKilledAfterRequest: what was spent of a quota stays spent after kill -9, and
// nothing else does.
func TestKilledAfterRequest(t *testing.T) {
	const quota, rounds = 50, 5
	s := newSite(t, filepath.Join(t.TempDir(), "grapnel.db"), api("counted", tokenAuth()))
	g := s.start(t)
	key := g.createKey(t, object{"quota_max": quota, "quota_renewal_rate": 3600, "access_rights": rights("counted")})
	for round := range int64(rounds) {
		for range quota / rounds {
			if r := g.get(t, "/counted/", key); r.status != http.StatusOK {
				t.Fatalf("round %d: %d %s", round, r.status, r.body)
			}
		}
		g.Kill()
		g.again(t)
		if left, want := remaining(t, g, key), quota-(round+1)*quota/rounds; left != want {
			t.Errorf("after kill -9 %d, %d of the quota remain, want %d", round+1, left, want)
		}
	}
	if r := g.get(t, "/counted/", key); r.status != http.StatusForbidden || r.refusal() != overQuota {
		t.Errorf("over the quota: %d %s", r.status, r.body)
	}
}

// TestKilledUnderLoad: a request that was answered is counted, whatever the moment
// of death, and none is counted twice.
func TestKilledUnderLoad(t *testing.T) {
	const clients, quota = 8, 100_000
	s := newSite(t, filepath.Join(t.TempDir(), "grapnel.db"), api("counted", tokenAuth()))
	g := s.start(t)
	key := g.createKey(t, object{"quota_max": quota, "quota_renewal_rate": 3600, "access_rights": rights("counted")})
	var sent, answered atomic.Int64
	for range 3 {
		var running sync.WaitGroup
		for range clients {
			running.Go(func() {
				for {
					sent.Add(1)
					r, err := g.try("/counted/", key)
					if err != nil {
						return // it is dead
					}
					if r.status != http.StatusOK {
						t.Errorf("%d %s", r.status, r.body)
						return
					}
					answered.Add(1)
				}
			})
		}
		enough := answered.Load() + 100
		await(t, "100 times answered", func() bool { return answered.Load() >= enough })
		g.Kill()
		running.Wait()
		g.again(t)
		used := quota - remaining(t, g, key)
		if used < answered.Load() || used > sent.Load() {
			t.Errorf("%d requests were sent and %d answered, and %d were counted", sent.Load(), answered.Load(), used)
		}
	}
}

// TestKilledCustomSession: so it is with the session of a plugin, and its quota.
func TestKilledCustomSession(t *testing.T) {
	s := newSite(t, filepath.Join(t.TempDir(), "grapnel.db"), api("custom", pluginAuth("let in", byHeader())))
	s.plugin.on("let in", gives(quotaOf(3)))
	g := s.start(t)
	for i, want := range []int{200, 200, 200, 403} {
		if r := g.get(t, "/custom/", "someone"); r.status != want {
			t.Errorf("request %d: %d %s, want %d", i+1, r.status, r.body, want)
		}
		g.Kill()
		g.again(t)
	}
	if n := s.plugin.called("let in"); n != 1 {
		t.Errorf("the plugin was asked %d times, want 1", n)
	}
}
