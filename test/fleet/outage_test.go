package fleet

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/store/storetest"
)

// An answer is what one kind of request got, and when.
type answer struct {
	begin, end time.Time
	status     int
}

// A watch asks for the same thing all the time.
type watch struct {
	name string
	ask  func() (reply, error)

	mu      sync.Mutex
	answers []answer
}

// run asks until done is closed.
func (w *watch) run(t *testing.T, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-time.After(2 * time.Millisecond): // leaves the machine to the others
		}
		a := answer{begin: time.Now()}
		r, err := w.ask()
		if err != nil {
			t.Errorf("%s: %v", w.name, err)
			return
		}
		a.end, a.status = time.Now(), r.status
		w.mu.Lock()
		w.answers = append(w.answers, a)
		w.mu.Unlock()
	}
}

// since returns the statuses of what was asked after a time.
func (w *watch) since(begin time.Time) map[int]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[int]int{}
	for _, a := range w.answers {
		if a.begin.After(begin) {
			out[a.status]++
		}
	}
	return out
}

// slowest is the longest wait for any answer.
func (w *watch) slowest() (longest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.answers {
		longest = max(longest, a.end.Sub(a.begin))
	}
	return longest
}

// bound is how long a request may take while Redis is away, be it dead or mute.
// The gateway waits a second for each answer; a request asks at most twice before
// that is known.
const bound = 3 * time.Second

// TestRedisDies: without Redis, who needs it gets 503 within a bounded time.
// Everyone else goes on, and all is well soon after it is back.
func TestRedisDies(t *testing.T) {
	redis := storetest.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
	outage(t, redis, redis.Kill, redis.Start)
}

// TestRedisHangs: the same when it accepts connections and never answers.
func TestRedisHangs(t *testing.T) {
	redis := storetest.Redis(t)
	outage(t, redis, redis.Freeze, redis.Thaw)
}

func outage(t *testing.T, redis *storetest.Server, away, back func()) {
	spared, hit := watches(t, redis)
	all := append(slices.Clone(spared), hit...)
	done := make(chan struct{})
	var running sync.WaitGroup
	for _, w := range all {
		running.Go(func() { w.run(t, done) })
	}
	begin := time.Now()
	awaitAll(t, all, begin, http.StatusOK)

	away()
	gone := time.Now()
	awaitAll(t, hit, gone, http.StatusServiceUnavailable)
	awaitAll(t, spared, gone, http.StatusOK)
	back()
	there := time.Now()
	awaitAll(t, all, there, http.StatusOK)
	well := time.Now()
	if took := well.Sub(there); took > 5*time.Second {
		t.Errorf("all served again after %v, want a few seconds", took)
	}
	awaitAll(t, all, well, http.StatusOK)
	close(done)
	running.Wait()
	verdict(t, all, spared, begin, well)
}

// verdict: nobody waited long, nobody got anything but an answer or a 503, none of
// them since all is well, and those who needed nothing of Redis noticed nothing.
func verdict(t *testing.T, all, spared []*watch, begin, well time.Time) {
	t.Helper()
	for _, w := range all {
		t.Logf("%-26s slowest %v, statuses %v", w.name, w.slowest(), w.since(begin))
		if w.slowest() > bound {
			t.Errorf("%s: an answer took %v, want at most %v", w.name, w.slowest(), bound)
		}
		only(t, w.name, w.since(begin), http.StatusOK, http.StatusServiceUnavailable)
		only(t, w.name+", in the end", w.since(well), http.StatusOK)
	}
	for _, w := range spared {
		only(t, w.name, w.since(begin), http.StatusOK)
	}
}

// watches starts a gateway, and returns what asks it: for what needs no Redis, or
// needs none for a while, and for what does.
func watches(t *testing.T, redis *storetest.Server) (spared, hit []*watch) {
	t.Helper()
	s := newSite(t, redis.URL(), api("open"), api("keyed", tokenAuth()), api("limited", tokenAuth()), api("custom", pluginAuth("let in", nil)))
	s.config["keys"] = object{"cache_for": "100ms", "grace": "1m"}
	s.plugin.on("let in", accept(unlimited))
	g := s.start(t)
	publish(t, s, g, "published")
	free := g.createKey(t, object{"access_rights": rights("keyed")})
	counted := g.createKey(t, object{"rate": 1e6, "per": 1, "access_rights": rights("limited")})
	ask := func(name, path, credential string) *watch {
		return &watch{name: name, ask: func() (reply, error) { return g.try(path, credential) }}
	}
	spared = []*watch{
		ask("open", "/open/", ""),
		ask("published", "/published/", ""),
		ask("remembered", "/keyed/", free),
		ask("remembered of the plugin", "/custom/", "someone"),
	}
	stranger := 0
	hit = []*watch{
		ask("limited", "/limited/", counted),
		{name: "unknown to the gateway", ask: func() (reply, error) {
			stranger++
			return g.try("/custom/", fmt.Sprint("stranger-", stranger))
		}},
	}
	return spared, hit
}

// awaitAll waits until each has been answered with the status ten times since a
// time.
func awaitAll(t *testing.T, all []*watch, begin time.Time, status int) {
	t.Helper()
	for _, w := range all {
		await(t, fmt.Sprint(w.name, " answered with ", status), func() bool { return w.since(begin)[status] >= 10 })
	}
}

// only checks that there were no other statuses.
func only(t *testing.T, name string, statuses map[int]int, want ...int) {
	t.Helper()
	for _, status := range want {
		delete(statuses, status)
	}
	if len(statuses) > 0 {
		t.Errorf("%s: also got %v (status: times)", name, statuses)
	}
}

// TestReloadWithoutRedis: a reload while Redis is away takes nothing away that the
// control API has published.
func TestReloadWithoutRedis(t *testing.T) {
	redis := storetest.Redis(t)
	s := newSite(t, redis.URL(), api("open"))
	g := s.start(t)
	publish(t, s, g, "published")
	reloads := func() int {
		return strings.Count(g.Log(), `"reloaded"`) + strings.Count(g.Log(), `"reload failed`)
	}
	before := reloads()
	redis.Kill()
	g.Signal(t, syscall.SIGHUP)
	await(t, "reloaded", func() bool { return reloads() > before })
	for _, id := range []string{"open", "published"} {
		if r := g.get(t, "/"+id+"/", ""); r.status != http.StatusOK {
			t.Errorf("%s: %d %s, want 200", id, r.status, r.body)
		}
	}
}

// TestStartWithoutRedis: a gateway that starts while Redis is away serves what its
// files say, and the rest when Redis is there.
func TestStartWithoutRedis(t *testing.T) {
	redis := storetest.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
	s := newSite(t, redis.URL(), api("open"), api("keyed", tokenAuth()))
	publish(t, s, s.start(t), "published")

	redis.Kill()
	g := s.start(t)
	for path, want := range map[string]int{"/open/": http.StatusOK, "/keyed/": http.StatusServiceUnavailable, "/published/": http.StatusNotFound} {
		if r := g.get(t, path, "some-key"); r.status != want {
			t.Errorf("%s without Redis: %d %s, want %d", path, r.status, r.body, want)
		}
	}
	redis.Start()
	for path, want := range map[string]int{"/keyed/": http.StatusForbidden, "/published/": http.StatusOK} {
		await(t, path+" well", func() bool { return g.get(t, path, "some-key").status == want })
	}
}
