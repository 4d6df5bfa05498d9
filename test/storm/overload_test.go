package storm

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// crowd is how many requests come at once, and weight what each of them carries.
const (
	crowd  = 100
	weight = 128 << 10
)

// TestOverload: a plugin server that does not come to an end gets as many calls as
// it may have. All others are answered at once, with 503 and when to come again,
// and leave nothing behind; other APIs are served as ever.
func TestOverload(t *testing.T) {
	const most = 20
	busy, good := startReplica(t), startReplica(t)
	s := newSite(t, object{
		"busy": object{"target": busy.addr, "timeout": "0", "limits": object{"in_flight": most, "queue": 10, "wait": "50ms"}},
		"good": object{"target": good.addr, "timeout": patience.String()},
	}, api("busy", object{"plugin": "busy", "hook": "hang"}), api("other", object{"plugin": "good", "hook": mark}))
	other := s.load(*rate/4, "other")
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	held := make(chan string, crowd)
	s.crowd(ctx, crowd, held)
	for range crowd - most { // while those that got in are still under way
		if text := <-held; text != turnedAway {
			t.Fatalf("a request too many got %s", text)
		}
	}
	const again = 12
	for range again {
		s.crowd(ctx, crowd, held)
		for range crowd {
			if text := <-held; text != turnedAway {
				t.Fatalf("a request too many got %s", text)
			}
		}
	}
	if heap := s.metric(t, "go_memstats_heap_inuse_bytes"); heap > again*crowd*weight/2 {
		t.Errorf("the gateway's heap is %d MiB large, and all that was sent is %d MiB", heap>>20, again*crowd*weight>>20)
	}
	if calls := len(busy.Calls(t, "")); calls != most {
		t.Errorf("the plugin server was asked %d times, want %d", calls, most)
	}
	leave()
	for range most {
		if text := <-held; !strings.Contains(text, context.Canceled.Error()) {
			t.Errorf("a request that waited got %s", text)
		}
	}
	for _, a := range other.end() {
		if a.bad != "" {
			t.Errorf("a request of another API: %+v", a)
		}
	}
}

// turnedAway is the reply to a request too many.
const turnedAway = "503, Retry-After 1"

// crowd sends requests to the busy API, all at once, and the replies where they are
// awaited.
func (s *site) crowd(ctx context.Context, n int, replies chan<- string) {
	body := strings.Repeat("x", weight)
	for range n {
		go func() {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.Addr+"/busy/", strings.NewReader(body))
			if err != nil {
				replies <- err.Error()
				return
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				replies <- err.Error()
				return
			}
			resp.Body.Close()
			replies <- fmt.Sprintf("%d, Retry-After %s", resp.StatusCode, resp.Header.Get("Retry-After"))
		}()
	}
}

// TestOverloadAtScale: a plugin server that takes a second is offered more than it
// may have; what that costs it and others is for the report. So is what as many
// requests cost others that are served and refused without delay.
func TestOverloadAtScale(t *testing.T) {
	lasts, offered, calm, most := *pause, *rate, *rate/4, 20
	if *report != "" {
		quiet(t)
		uncollected(t)
		lasts, offered, calm, most = 6**pause, 5000, 500, 1000
	}
	busy, good := startReplica(t), startReplica(t)
	s := newSite(t, object{
		"busy": object{"target": busy.addr, "timeout": "5s", "limits": object{"in_flight": most}}, "good": object{"target": good.addr, "timeout": patience.String()},
	},
		api("busy", object{"plugin": "busy", "hook": "sleep 1s;" + mark}), api("other", object{"plugin": "good", "hook": mark}),
		api("quick", object{"plugin": "good", "hook": mark}), object{"id": "shut", "listen_path": "/shut/", "auth": []object{{"token": object{}}}})
	other := s.load(calm, "other")
	other.pass(t, lasts)
	begin := other.now()
	quick, shut := s.load(most, "quick"), s.load(max(offered-most, 1), "shut")
	quick.pass(t, lasts)
	served, refused := sorted(t, quick.end(), "503 "), sorted(t, shut.end(), "401 ")
	if len(served[1])+len(refused[0]) > 0 {
		t.Errorf("%d requests that were to be served were not, %d that were to be refused", len(served[1]), len(refused[0]))
	}
	likewise, idle := other.now(), s.PeakMemory(t)
	load := s.load(offered, "busy")
	load.pass(t, lasts)
	answers := load.end()
	end, peak := other.now(), s.PeakMemory(t)
	all := other.end()
	if failed := bad(all, "other"); len(failed) > 0 {
		t.Errorf("%d requests of another API failed, the first with %+v", len(failed), failed[0])
	}
	came := sorted(t, answers, "503 ")
	admitted, rejected := came[0], came[1]
	if len(admitted) < most || len(rejected) == 0 || s.unmarked.Load() > 0 {
		t.Errorf("%d requests got in, %d were rejected, %d reached the upstream without a mark", len(admitted), len(rejected), s.unmarked.Load())
	}
	p99 := func(from, to time.Duration) string { return ms(quantile(between(all, from, to), 0.99)) }
	record(t, "overload", row(fmt.Sprintf("%d | %d | %d | %s | %s | %s | %s | %s | %d MiB | %d MiB", len(answers), len(admitted), len(rejected),
		ms(quantile(rejected, 0.5)), ms(quantile(rejected, 0.99)), p99(begin/2, begin), p99(begin, likewise), p99(likewise, end), idle>>20, peak>>20)))
}

// sorted are the answers that are good, and those that are refusals of this kind;
// there must be no others.
func sorted(t *testing.T, all []answer, refusal string) (kinds [2][]answer) {
	t.Helper()
	for _, a := range all {
		switch {
		case a.bad == "":
			kinds[0] = append(kinds[0], a)
		case strings.HasPrefix(a.bad, refusal):
			kinds[1] = append(kinds[1], a)
		default:
			t.Errorf("%+v", a)
		}
	}
	return kinds
}

type row string

// String is the row.
func (r row) String() string { return string(r) }
