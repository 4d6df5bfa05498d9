package storm

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
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
// may have; what that costs it and others is for the report.
func TestOverloadAtScale(t *testing.T) {
	lasts, offered, calm, most := *pause, *rate, *rate/4, 20
	if *report != "" {
		quiet(t)
		lasts, offered, calm, most = 6**pause, 5000, 500, 1000
	}
	busy, good := startReplica(t), startReplica(t)
	s := newSite(t, object{
		"busy": object{"target": busy.addr, "timeout": "5s", "limits": object{"in_flight": most}}, "good": object{"target": good.addr, "timeout": patience.String()},
	}, api("busy", object{"plugin": "busy", "hook": "sleep 1s;" + mark}), api("other", object{"plugin": "good", "hook": mark}))
	other := s.load(calm, "other")
	other.pass(t, lasts)
	begin, idle := other.now(), s.PeakMemory(t)
	load := s.load(offered, "busy")
	load.pass(t, lasts)
	answers := load.end()
	end, peak := other.now(), s.PeakMemory(t)
	other.pass(t, lasts)
	var admitted, rejected []answer
	for _, a := range answers {
		switch {
		case a.bad == "":
			admitted = append(admitted, a)
		case strings.HasPrefix(a.bad, "503 "):
			rejected = append(rejected, a)
		default:
			t.Errorf("a request to the busy plugin: %+v", a)
		}
	}
	all := other.end()
	for _, a := range all {
		if a.bad != "" {
			t.Errorf("a request of another API: %+v", a)
		}
	}
	if len(admitted) < most || len(rejected) == 0 || s.unmarked.Load() > 0 {
		t.Errorf("%d requests got in, %d were rejected, %d reached the upstream without a mark", len(admitted), len(rejected), s.unmarked.Load())
	}
	before, during := between(all, begin/2, begin), between(all, begin, end)
	record(t, "overload", row(fmt.Sprintf("%d | %d | %d | %s | %s | %s | %s | %d MiB | %d MiB", len(answers), len(admitted), len(rejected),
		ms(quantile(rejected, 0.5)), ms(quantile(rejected, 0.99)), ms(quantile(before, 0.99)), ms(quantile(during, 0.99)), idle>>20, peak>>20)))
}

type row string

// String is the row.
func (r row) String() string { return string(r) }
