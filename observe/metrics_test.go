package observe_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/observe"
)

// scrape returns the gateway's own figures, by name and labels as they are
// written.
func scrape(t testing.TB, m *observe.Metrics) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	out := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if at := strings.LastIndexByte(line, ' '); strings.HasPrefix(line, "grapnel_") {
			out[line[:at]] = strings.TrimSpace(line[at:])
		}
	}
	return out
}

func want(t *testing.T, got map[string]string, series, value string) {
	t.Helper()
	if got[series] != value {
		t.Errorf("%s is %q, want %q", series, got[series], value)
	}
}

// over makes an exchange that is over, with calls to the endpoints.
func over(endpoints ...string) *grapnel.Exchange {
	x := &grapnel.Exchange{Start: time.Now()}
	for _, e := range endpoints {
		x.Calls = append(x.Calls, grapnel.Call{
			Stage: grapnel.Pre, Plugin: "p", Hook: "h", Took: 3 * time.Millisecond, Outcome: grapnel.OutcomePassed, Endpoint: e,
		})
	}
	return x
}

// What is counted of an exchange: its status, its error, its time, its calls, and
// that it is under way.
func TestMetricsOfAnExchange(t *testing.T) {
	m := observe.NewMetrics("1.2.3")
	a := m.API("orders")
	a.Begin()
	want(t, scrape(t, m), `grapnel_requests_in_flight{api="orders"}`, "1")
	x := over("10.0.0.1:5555")
	x.Calls = append(x.Calls,
		grapnel.Call{Stage: grapnel.Auth, Plugin: "p", Hook: "who", Took: time.Second, Outcome: grapnel.OutcomeTimeout, Endpoint: "10.0.0.2:5555", Retries: 2},
		grapnel.Call{Stage: grapnel.Post, Plugin: "p", Hook: "more", Outcome: grapnel.OutcomeSkipped},
	)
	a.End(x, 403, grapnel.CodePluginFailed)
	a.Begin()
	a.End(over(), 799, "")
	got := scrape(t, m)
	const first, second = `api="orders",endpoint="10.0.0.1:5555",hook="h"`, `api="orders",endpoint="10.0.0.2:5555",hook="who"`
	for series, value := range map[string]string{
		`grapnel_requests_in_flight{api="orders"}`:                                                                       "0",
		`grapnel_requests_total{api="orders",status="403"}`:                                                              "1",
		`grapnel_requests_total{api="orders",status="other"}`:                                                            "1",
		`grapnel_request_duration_seconds_count{api="orders"}`:                                                           "2",
		`grapnel_errors_total{api="orders",code="plugin_failed",status="403"}`:                                           "1",
		`grapnel_plugin_calls_total{` + first + `,outcome="passed",plugin="p",stage="pre"}`:                              "1",
		`grapnel_plugin_calls_total{` + second + `,outcome="timeout",plugin="p",stage="auth"}`:                           "1",
		`grapnel_plugin_calls_total{api="orders",endpoint="none",hook="more",outcome="skipped",plugin="p",stage="post"}`: "1",
		`grapnel_plugin_call_duration_seconds_bucket{` + first + `,plugin="p",stage="pre",le="0.0025"}`:                  "0",
		`grapnel_plugin_call_duration_seconds_bucket{` + first + `,plugin="p",stage="pre",le="0.005"}`:                   "1",
		`grapnel_plugin_call_duration_seconds_count{api="orders",endpoint="none",hook="more",plugin="p",stage="post"}`:   "", // it was not made
		`grapnel_plugin_retries_total{` + second + `,plugin="p",stage="auth"}`:                                           "2",
	} {
		want(t, got, series, value)
	}
}

// Whatever is switched off keeps nothing, and nobody has to ask whether it is.
func TestMetricsOff(t *testing.T) {
	var m *observe.Metrics
	a := m.API("orders")
	a.Begin()
	a.End(over("e"), 200, "")
	m.Keep(nil)
	m.Reloaded(nil)
	if len(m.Figures()) != 0 {
		t.Error("figures of nothing")
	}
}

// APIs that are gone leave no figures, and what ends after they went belongs to
// none; those that stay keep theirs.
func TestMetricsOfAPIsThatGo(t *testing.T) {
	m := observe.NewMetrics("")
	stays, goes := m.API("stays"), m.API("goes")
	for _, a := range []*observe.APIMetrics{stays, goes, goes} {
		a.Begin()
	}
	stays.End(over("e"), 200, "")
	goes.End(over("e"), 200, "")
	m.Keep([]*grapnel.API{{ID: "stays"}})
	goes.End(over("e"), 404, grapnel.CodeNotFound)
	got := scrape(t, m)
	for series := range got {
		if strings.Contains(series, `"goes"`) {
			t.Errorf("%s is left", series)
		}
	}
	want(t, got, `grapnel_requests_total{api="none",status="404"}`, "1")
	want(t, got, `grapnel_requests_total{api="stays",status="200"}`, "1")
	if m.API("stays") != stays {
		t.Error("an API that stays has other figures")
	}
}

// Endpoints that come and go are forgotten after one more scrape, and there are
// never more label values than there may be.
func TestEndpointsAreBounded(t *testing.T) {
	m := observe.NewMetrics("")
	there := []grapnel.EndpointState{{Address: "stays"}}
	m.Watch(observe.Sources{
		Plugins: func() map[string]grapnel.PluginState { return map[string]grapnel.PluginState{"p": {Endpoints: there}} },
		Ping:    func(context.Context) error { return nil },
		Events:  func() (dropped, failed uint64) { return 0, 0 },
	})
	a := m.API("a")
	end := func(endpoint string) {
		a.Begin()
		a.End(over(endpoint), 200, "")
	}
	const series = `grapnel_plugin_calls_total{api="a",endpoint="%s",hook="h",outcome="passed",plugin="p",stage="pre"}`
	endpoints := func(got map[string]string) (n int) {
		for s := range got {
			if strings.HasPrefix(s, "grapnel_plugin_calls_total{") {
				n++
			}
		}
		return n
	}
	end("stays")
	for i := range 200 {
		end(strconv.Itoa(i))
	}
	got := scrape(t, m)
	want(t, got, fmt.Sprintf(series, "98"), "1")
	want(t, got, fmt.Sprintf(series, "other"), "101")
	if n := endpoints(got); n != 101 {
		t.Errorf("%d endpoints are told apart, want 100 and others", n)
	}
	got = scrape(t, m)
	want(t, got, fmt.Sprintf(series, "stays"), "1")
	if n := endpoints(got); n != 2 {
		t.Errorf("%d endpoints are left, want the one that is there and others", n)
	}
	end("98")
	want(t, scrape(t, m), fmt.Sprintf(series, "98"), "1")
}

// The states are looked up when they are asked for.
func TestStates(t *testing.T) {
	m := observe.NewMetrics("")
	state := grapnel.PluginState{State: "ready", InFlight: 3, Queued: 2, Breaker: "half_open", Restarts: 4, Endpoints: []grapnel.EndpointState{
		{Address: "e", State: "ready", Healthy: true, Ejected: true, InFlight: 1, Connections: 2, Calls: 7, Failures: 5, Retries: 1}, {Address: "e"},
	}, Shadow: &grapnel.ShadowState{Plugin: "next", Calls: 9, Differences: 8, Failures: 7, Dropped: 6}}
	m.Watch(observe.Sources{
		Plugins: func() map[string]grapnel.PluginState { return map[string]grapnel.PluginState{"p": state} },
		Store:   "redis", Ping: func(context.Context) error { return errors.New("down") },
		Events: func() (dropped, failed uint64) { return 1, 2 },
	})
	got := scrape(t, m)
	for series, value := range map[string]string{
		`grapnel_store_up{store="redis"}`: "0", `grapnel_events_dropped_total`: "1", `grapnel_events_failed_total`: "2",
		`grapnel_plugin_state{plugin="p",state="ready"}`: "1", `grapnel_plugin_state{plugin="p",state="failing"}`: "0",
		`grapnel_plugin_shadow_calls_total{plugin="p",shadow="next"}`: "9", `grapnel_plugin_shadow_differences_total{plugin="p",shadow="next"}`: "8",
		`grapnel_plugin_shadow_failures_total{plugin="p",shadow="next"}`: "7", `grapnel_plugin_shadow_dropped_total{plugin="p",shadow="next"}`: "6",
		`grapnel_plugin_in_flight{plugin="p"}`: "3", `grapnel_plugin_queued{plugin="p"}`: "2", `grapnel_plugin_restarts_total{plugin="p"}`: "4",
		`grapnel_plugin_breaker_state{plugin="p",state="half_open"}`: "1", `grapnel_plugin_breaker_state{plugin="p",state="closed"}`: "0",
		`grapnel_plugin_endpoint_healthy{endpoint="e",plugin="p"}`: "1", `grapnel_plugin_endpoint_ejected{endpoint="e",plugin="p"}`: "1",
		`grapnel_plugin_endpoint_in_flight{endpoint="e",plugin="p"}`: "1", `grapnel_plugin_endpoint_connections{endpoint="e",plugin="p"}`: "2",
		`grapnel_plugin_endpoint_calls_total{endpoint="e",plugin="p"}`: "7", `grapnel_plugin_endpoint_failures_total{endpoint="e",plugin="p"}`: "5",
		`grapnel_plugin_endpoint_retries_total{endpoint="e",plugin="p"}`: "1", `grapnel_plugin_endpoint_state{endpoint="e",plugin="p",state="ready"}`: "1",
	} {
		want(t, got, series, value)
	}
}

// The figures for people: sums over APIs and hooks, and quantiles within the
// bucket where they are.
func TestFigures(t *testing.T) {
	m := observe.NewMetrics("")
	end := func(api string, took time.Duration, o grapnel.Outcome, endpoint string) {
		a := m.API(api)
		a.Begin()
		x := over(endpoint)
		x.Calls[0].Took, x.Calls[0].Outcome = took, o
		a.End(x, 200, "")
	}
	for range 98 {
		end("a", 700*time.Microsecond, grapnel.OutcomePassed, "e")
	}
	end("b", 70*time.Millisecond, grapnel.OutcomeIgnored, "e")
	end("b", time.Minute, grapnel.OutcomeTimeout, "f")
	end("b", 0, grapnel.OutcomeSkipped, "")
	got := m.Figures()["p"]
	round := cmp.Transformer("round", func(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) })
	// Of a hundred calls, half take (0.5 + 0.5·50/98) ms, 99 take 100 ms or less.
	if diff := cmp.Diff(grapnel.Figures{Calls: 100, Failed: 2, P50: .7551, P99: 100}, got[""], round); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(grapnel.Figures{Calls: 1, Failed: 1, P50: 10_000, P99: 10_000}, got["f"], round); diff != "" {
		t.Error(diff)
	}
}

// Counting an exchange takes no memory.
func TestMetricsAllocateNothing(t *testing.T) {
	a := observe.NewMetrics("").API("a")
	x := over("a", "b", "c")
	if n := testing.AllocsPerRun(100, func() { a.Begin(); a.End(x, 200, grapnel.CodeLimited) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkMetrics measures what the metrics of one exchange cost.
func BenchmarkMetrics(b *testing.B) {
	for _, calls := range []int{0, 1, 5} {
		b.Run(fmt.Sprintf("calls=%d", calls), func(b *testing.B) {
			b.ReportAllocs()
			a := observe.NewMetrics("").API("orders")
			x := over([]string{"10.0.0.1:5555", "10.0.0.2:5555", "10.0.0.3:5555", "10.0.0.1:5555", "10.0.0.2:5555"}[:calls]...)
			for b.Loop() {
				a.Begin()
				a.End(x, 200, "")
			}
		})
	}
}
