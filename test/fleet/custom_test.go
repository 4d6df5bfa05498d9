package fleet

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
	"github.com/grapnel-gateway/grapnel/store/storetest"
)

// TestOneCallForManyFirstRequests: of many concurrent first requests with one id,
// one asks the plugin.
func TestOneCallForManyFirstRequests(t *testing.T) {
	const requests = 100
	s := newSite(t, storetest.Redis(t).URL(), api("custom", pluginAuth("slow", byHeader())))
	s.plugin.on("slow", func(o *coprocess.Object) {
		time.Sleep(100 * time.Millisecond) // so that the others come meanwhile
		accept(func() *coprocess.SessionState {
			return &coprocess.SessionState{QuotaMax: -1, IdExtractorDeadline: time.Now().Add(time.Hour).Unix()}
		})(o)
	})
	g := s.start(t)
	var all sync.WaitGroup
	for range requests {
		all.Go(func() {
			r, err := g.try("/custom/", "someone")
			if err != nil || r.status != http.StatusOK {
				t.Errorf("%d %s (%v), want 200", r.status, r.body, err)
			}
		})
	}
	all.Wait()
	if n := s.plugin.called("slow"); n != 1 || s.upstream.hits.Load() != requests {
		t.Errorf("the plugin was asked %d times, and %d requests reached the upstream; want 1 and %d", n, s.upstream.hits.Load(), requests)
	}
}

// TestUnchangedSessionIsNotWritten: a request whose session is as it was before
// costs Redis nothing, whether the plugin was asked or not [L-37].
func TestUnchangedSessionIsNotWritten(t *testing.T) {
	redis := storetest.Redis(t)
	forever, hour := api("forever", pluginAuth("let in", nil)), api("hour", pluginAuth("let in", nil))
	hour["session_lifetime"] = "1h"
	s := newSite(t, redis.URL(), forever, hour, api("extracted", pluginAuth("let in", byHeader())))
	s.plugin.on("let in", accept(func() *coprocess.SessionState {
		return &coprocess.SessionState{QuotaMax: -1, IdExtractorDeadline: 4e9}
	}))
	g := s.start(t)
	for _, id := range []string{"forever", "hour", "extracted"} {
		ask := func() {
			t.Helper()
			if r := g.get(t, "/"+id+"/", "someone-at-"+id); r.status != http.StatusOK {
				t.Fatalf("%s: %d %s", id, r.status, r.body)
			}
		}
		before := commands(t, redis)
		ask() // stores the session
		first := commands(t, redis)
		if first["set"] != before["set"]+1 {
			t.Fatalf("%s: the first request did not store the session: %v", id, first)
		}
		ask() // reads it again, at most
		second := commands(t, redis)
		for range 10 {
			ask()
		}
		for name, n := range commands(t, redis) {
			switch {
			case !slices.Contains([]string{"get", "ping", "info"}, name) && n != first[name]:
				t.Errorf("%s: an unchanged session cost %d commands %q", id, n-first[name], name)
			case name == "get" && n != second[name]:
				t.Errorf("%s: a session in memory was read %d times more", id, n-second[name])
			}
		}
	}
}

// commands counts the commands that Redis has had, by name.
func commands(t *testing.T, redis *storetest.Server) map[string]int {
	t.Helper()
	out := map[string]int{}
	for line := range strings.Lines(redis.Do("INFO", "commandstats")) {
		// cmdstat_get:calls=1,usec=2,…
		name, rest, ok := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":calls=")
		if !ok {
			continue
		}
		calls, _, _ := strings.Cut(rest, ",")
		n, err := strconv.Atoi(calls)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = n
	}
	return out
}
