package storm

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
)

// A load sends requests at a fixed rate, whatever becomes of them: one that waits
// delays no other, and its time counts from when it was due.
type load struct {
	rate   int // requests a second
	caller *caller
	begun  time.Time
	sent   atomic.Int64
	halt   chan struct{}
	all    sync.WaitGroup

	mu      sync.Mutex
	answers []answer
}

// An answer is what became of one request.
type answer struct {
	api  string
	due  time.Duration // since the load began
	took time.Duration // since it was due
	bad  string        // what is wrong with it; empty is nothing
}

// load begins to ask these APIs in turn.
func (s *site) load(rate int, apis ...string) *load {
	l := &load{
		rate: rate, caller: &caller{addr: s.Addr}, halt: make(chan struct{}), begun: time.Now(),
	}
	l.all.Go(func() {
		for n := int64(0); ; n++ {
			due := time.Duration(n) * time.Second / time.Duration(rate)
			select {
			case <-l.halt:
				return
			case <-time.After(time.Until(l.begun.Add(due))):
			}
			api := apis[n%int64(len(apis))]
			l.all.Go(func() { l.ask(api, due, n) })
			l.sent.Store(n + 1)
		}
	})
	return l
}

// ask sends one request. Good is the reply of an upstream that has seen the mark
// which the plugin made for this very request.
func (l *load) ask(api string, due time.Duration, n int64) {
	id := fmt.Sprint(api, "-", n)
	status, body, err := l.caller.get("/"+api+"/", id)
	a := answer{api: api, due: due, took: time.Since(l.begun) - due}
	switch {
	case err != nil:
		a.bad = err.Error()
	case status != http.StatusOK || body != id:
		a.bad = fmt.Sprint(status, " ", body)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers = append(l.answers, a)
}

// get sends one request with an id of its own.
func get(client *http.Client, url, id string) (status int, body string, err error) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set(plugintest.CaseHeader, id)
	resp, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// pass waits until as many requests have been sent as are in so much time.
func (l *load) pass(t *testing.T, d time.Duration) {
	t.Helper()
	until := l.sent.Load() + int64(d.Seconds()*float64(l.rate)) + 1
	eventually(t, "the load goes on", func() bool { return l.sent.Load() >= until })
}

// now is how long the load has lasted.
func (l *load) now() time.Duration { return time.Since(l.begun) }

// end ends the load when all requests are answered, and returns the answers in the
// order in which the requests were due.
func (l *load) end() []answer {
	close(l.halt)
	l.all.Wait()
	l.caller.close()
	slices.SortFunc(l.answers, func(a, b answer) int { return int(a.due - b.due) })
	return l.answers
}

// bad are the failed requests of an API.
func bad(all []answer, api string) (out []answer) {
	for _, a := range all {
		if a.bad != "" && a.api == api {
			out = append(out, a)
		}
	}
	return out
}
