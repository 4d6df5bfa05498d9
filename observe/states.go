package observe

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/grapnel-gateway/grapnel"
)

// Sources are what is asked at each scrape.
type Sources struct {
	// Plugins tells how the plugin servers stand, by name.
	Plugins func() map[string]grapnel.PluginState
	// Store is what the store is called, and Ping asks whether it answers.
	Store string
	Ping  func(context.Context) error
	// Events tells how many events were dropped because too many waited, and
	// how many deliveries failed.
	Events func() (dropped, failed uint64)
}

// Watch adds what the sources tell. It is called once, before anything is served.
func (m *Metrics) Watch(s Sources) {
	m.plugins = s.Plugins
	m.registry.MustRegister(newStates(s))
}

// states are the figures that are not counted but looked up.
type states struct {
	Sources
	store           *prometheus.Desc
	dropped, failed *prometheus.Desc
	plugin          []figure[grapnel.PluginState]
	endpoint        []figure[grapnel.EndpointState]
	shadow          []figure[*grapnel.ShadowState]
	// One series for each state that there is, 1 for the one that holds.
	pluginState, breakerState, endpointState *prometheus.Desc
}

// A figure is one number of a state.
type figure[S any] struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(S) float64
}

// storeAnswers bounds the wait for the store.
const storeAnswers = 2 * time.Second

func newStates(s Sources) *states {
	plugin := func(name, help string, kind prometheus.ValueType, value func(grapnel.PluginState) float64) figure[grapnel.PluginState] {
		return figure[grapnel.PluginState]{prometheus.NewDesc("grapnel_plugin_"+name, help, []string{"plugin"}, nil), kind, value}
	}
	endpoint := func(name, help string, kind prometheus.ValueType, value func(grapnel.EndpointState) float64) figure[grapnel.EndpointState] {
		return figure[grapnel.EndpointState]{prometheus.NewDesc("grapnel_plugin_endpoint_"+name, help, []string{"plugin", "endpoint"}, nil), kind, value}
	}
	shadow := func(name, help string, value func(*grapnel.ShadowState) uint64) figure[*grapnel.ShadowState] {
		desc := prometheus.NewDesc("grapnel_plugin_shadow_"+name+"_total", help, []string{"plugin", "shadow"}, nil)
		return figure[*grapnel.ShadowState]{desc, prometheus.CounterValue, func(s *grapnel.ShadowState) float64 { return float64(value(s)) }}
	}
	const gauge, count = prometheus.GaugeValue, prometheus.CounterValue
	return &states{
		Sources: s,
		store:   prometheus.NewDesc("grapnel_store_up", "Whether the store answers.", []string{"store"}, nil),
		dropped: prometheus.NewDesc("grapnel_events_dropped_total", "Events that nobody was told of because too many waited.", nil, nil),
		failed:  prometheus.NewDesc("grapnel_events_failed_total", "Deliveries of events that failed.", nil, nil),
		plugin: []figure[grapnel.PluginState]{
			plugin("in_flight", "Calls to a plugin server under way.", gauge, func(p grapnel.PluginState) float64 { return float64(p.InFlight) }),
			plugin("queued", "Calls that wait for their turn.", gauge, func(p grapnel.PluginState) float64 { return float64(p.Queued) }),
			plugin("restarts_total", "How often a process of the gateway's own was started again.", count, func(p grapnel.PluginState) float64 { return float64(p.Restarts) }),
		},
		endpoint: []figure[grapnel.EndpointState]{
			endpoint("healthy", "Whether an endpoint is healthy, by its own word or when it has none.", gauge, func(e grapnel.EndpointState) float64 { return number(e.Healthy) }),
			endpoint("ejected", "Whether an endpoint is left out because of its failures.", gauge, func(e grapnel.EndpointState) float64 { return number(e.Ejected) }),
			endpoint("in_flight", "Calls to an endpoint under way.", gauge, func(e grapnel.EndpointState) float64 { return float64(e.InFlight) }),
			endpoint("connections", "Connections to an endpoint.", gauge, func(e grapnel.EndpointState) float64 { return float64(e.Connections) }),
			endpoint("calls_total", "Calls that were sent to an endpoint.", count, func(e grapnel.EndpointState) float64 { return float64(e.Calls) }),
			endpoint("failures_total", "Those that failed.", count, func(e grapnel.EndpointState) float64 { return float64(e.Failures) }),
			endpoint("retries_total", "Those that had failed elsewhere.", count, func(e grapnel.EndpointState) float64 { return float64(e.Retries) }),
		},
		shadow: []figure[*grapnel.ShadowState]{
			shadow("calls", "Calls to a plugin server whose answers count for nothing.", func(s *grapnel.ShadowState) uint64 { return s.Calls }),
			shadow("differences", "Answers of it that would have done something else.", func(s *grapnel.ShadowState) uint64 { return s.Differences }),
			shadow("failures", "Calls to it without an answer that counts.", func(s *grapnel.ShadowState) uint64 { return s.Failures }),
			shadow("dropped", "Calls to it that were not made because too many were under way.", func(s *grapnel.ShadowState) uint64 { return s.Dropped }),
		},
		pluginState:   prometheus.NewDesc("grapnel_plugin_state", "The best state that any endpoint of a plugin server has.", []string{"plugin", "state"}, nil),
		breakerState:  prometheus.NewDesc("grapnel_plugin_breaker_state", "The state of a plugin server's breaker.", []string{"plugin", "state"}, nil),
		endpointState: prometheus.NewDesc("grapnel_plugin_endpoint_state", "The state of an endpoint's connections.", []string{"plugin", "endpoint", "state"}, nil),
	}
}

// Describe tells what there is.
func (s *states) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.store, s.dropped, s.failed, s.pluginState, s.breakerState, s.endpointState} {
		to <- d
	}
	for _, f := range s.plugin {
		to <- f.desc
	}
	for _, f := range s.endpoint {
		to <- f.desc
	}
	for _, f := range s.shadow {
		to <- f.desc
	}
}

// Collect asks the sources.
func (s *states) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), storeAnswers)
	defer cancel()
	to <- prometheus.MustNewConstMetric(s.store, prometheus.GaugeValue, number(s.Ping(ctx) == nil), s.Store)
	dropped, failed := s.Events()
	to <- prometheus.MustNewConstMetric(s.dropped, prometheus.CounterValue, float64(dropped))
	to <- prometheus.MustNewConstMetric(s.failed, prometheus.CounterValue, float64(failed))
	for name, p := range s.Plugins() {
		for _, f := range s.plugin {
			to <- prometheus.MustNewConstMetric(f.desc, f.kind, f.value(p), name)
		}
		for _, state := range connectionStates() {
			to <- prometheus.MustNewConstMetric(s.pluginState, prometheus.GaugeValue, number(p.State == state), name, state)
		}
		for _, state := range []string{"closed", "open", "half_open"} {
			to <- prometheus.MustNewConstMetric(s.breakerState, prometheus.GaugeValue, number(cmp.Or(p.Breaker, "closed") == state), name, state)
		}
		if p.Shadow != nil {
			for _, f := range s.shadow {
				to <- prometheus.MustNewConstMetric(f.desc, f.kind, f.value(p.Shadow), name, p.Shadow.Plugin)
			}
		}
		s.collectEndpoints(to, name, p.Endpoints)
	}
}

// collectEndpoints tells of the first endpoints by address; those beyond
// [maxEndpoints] are in nobody's figures but the plugin server's.
func (s *states) collectEndpoints(to chan<- prometheus.Metric, plugin string, endpoints []grapnel.EndpointState) {
	sorted := slices.SortedFunc(slices.Values(endpoints), func(a, b grapnel.EndpointState) int { return cmp.Compare(a.Address, b.Address) })
	sorted = slices.CompactFunc(sorted, func(a, b grapnel.EndpointState) bool { return a.Address == b.Address })
	for _, e := range sorted[:min(len(sorted), maxEndpoints)] {
		for _, f := range s.endpoint {
			to <- prometheus.MustNewConstMetric(f.desc, f.kind, f.value(e), plugin, e.Address)
		}
		for _, state := range connectionStates() {
			to <- prometheus.MustNewConstMetric(s.endpointState, prometheus.GaugeValue, number(e.State == state), plugin, e.Address, state)
		}
	}
}

func connectionStates() []string { return []string{"ready", "idle", "connecting", "failing"} }

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
