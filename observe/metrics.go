package observe

import (
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/grapnel-gateway/grapnel"
)

// Metrics keep the figures of a gateway and serve them to Prometheus. They have
// a registry of their own. A nil *Metrics, and all that comes of it, keeps
// nothing and costs nothing.
//
// Label values are bounded: APIs, plugin servers and hooks come from the
// configuration, and each plugin server has at most [maxEndpoints] endpoints.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec   // api, status
	duration *prometheus.HistogramVec // api
	inFlight *prometheus.GaugeVec     // api
	errors   *prometheus.CounterVec   // api, code, status
	calls    *prometheus.CounterVec   // those of callLabels, outcome
	took     *prometheus.HistogramVec // those of callLabels
	retries  *prometheus.CounterVec   // those of callLabels
	reloads  *prometheus.CounterVec   // outcome

	mu        sync.Mutex
	apis      map[string]*APIMetrics
	endpoints map[string]map[string]bool // those that have label values, by plugin server
	plugins   func() map[string]grapnel.PluginState
}

// maxEndpoints is how many endpoints of a plugin server are told apart; calls to
// more are counted as those of the endpoint "other".
const maxEndpoints = 100

// What stands for an endpoint that has no label value of its own, and where an
// empty value would be no label at all.
const (
	labelOther = "other"
	labelNone  = "none"
)

// The bounds of the histograms, in seconds. Plugins answer sooner than upstreams.
func requestBuckets() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
}

func callBuckets() []float64 {
	return []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
}

func callLabels() []string { return []string{"plugin", "endpoint", "api", "hook", "stage"} }

// NewMetrics makes metrics in which nothing is counted yet.
func NewMetrics(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), apis: map[string]*APIMetrics{}, endpoints: map[string]map[string]bool{}}
	m.requests = counter("grapnel_requests_total", "Requests that are over, by the status of the reply; without an API of their own it is none.", "api", "status")
	m.duration = histogram("grapnel_request_duration_seconds", "From the header of a request to the end of its reply; tunnels apart.", requestBuckets(), "api")
	m.inFlight = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "grapnel_requests_in_flight", Help: "Requests under way."}, []string{"api"})
	m.errors = counter("grapnel_errors_total", "Requests that the gateway answered itself because something failed or was refused, by what it was.", "api", "code", "status")
	m.calls = counter("grapnel_plugin_calls_total", "Hook calls, by what came of them; endpoint is the one that answered last.", append(callLabels(), "outcome")...)
	m.took = histogram("grapnel_plugin_call_duration_seconds", "What hook calls took, retries and other steps after a failure included.", callBuckets(), callLabels()...)
	m.retries = counter("grapnel_plugin_retries_total", "How often hook calls were sent again.", callLabels()...)
	m.reloads = counter("grapnel_config_reloads_total", "Reloads of the configuration: done, or refused.", "outcome")
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "grapnel_build_info", Help: "Always 1; the labels say what runs."}, []string{"version", "go"})
	build.WithLabelValues(version, runtime.Version()).Set(1)
	for _, outcome := range []string{"done", "refused"} {
		m.reloads.WithLabelValues(outcome)
	}
	m.registry.MustRegister(m.requests, m.duration, m.inFlight, m.errors, m.calls, m.took, m.retries, m.reloads, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

// Handler serves the figures in the text format of Prometheus. Figures of
// endpoints that are gone are served once more, and then forgotten.
func (m *Metrics) Handler() http.Handler {
	const scrapesAtOnce = 4 // each of them asks the store
	h := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: scrapesAtOnce})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		m.forgetEndpoints()
	})
}

// Reloaded counts a reload, and whether it was refused.
func (m *Metrics) Reloaded(err error) {
	if m == nil {
		return
	}
	outcome := "done"
	if err != nil {
		outcome = "refused"
	}
	m.reloads.WithLabelValues(outcome).Inc()
}

// API returns the figures of one API; they stay the same across reloads. An
// empty id is what belongs to none.
func (m *Metrics) API(id string) *APIMetrics {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.apis[id]
	if a == nil {
		a = &APIMetrics{all: m, name: id}
		if id == "" {
			a.name = labelNone
		}
		m.apis[id] = a
	}
	return a
}

// Keep forgets the figures of all APIs but these, and of those that belong to
// none.
func (m *Metrics) Keep(apis []*grapnel.API) {
	if m == nil {
		return
	}
	keep := map[string]bool{"": true}
	for _, api := range apis {
		keep[api.ID] = true
	}
	m.mu.Lock()
	var gone []*APIMetrics
	for id, a := range m.apis {
		if !keep[id] {
			gone = append(gone, a)
			delete(m.apis, id)
		}
	}
	m.mu.Unlock()
	for _, a := range gone {
		a.forget()
	}
}

// An APIMetrics keeps the figures of one API. What it counts in is found once
// and kept: counting takes no lock and no memory.
type APIMetrics struct {
	all  *Metrics
	name string
	gone atomic.Bool // the API is not configured any more

	begun    sync.Once // the two that follow are there from the first exchange on
	duration prometheus.Observer
	inFlight prometheus.Gauge
	statuses table[int, prometheus.Counter]
	errors   table[errorKind, prometheus.Counter]
	calls    table[callKind, *callMetrics]
}

type errorKind struct {
	code   grapnel.Code
	status int
}

// Begin counts an exchange as under way.
func (a *APIMetrics) Begin() {
	if a == nil {
		return
	}
	a.begun.Do(func() {
		a.duration, a.inFlight = a.all.duration.WithLabelValues(a.label()), a.all.inFlight.WithLabelValues(a.label())
	})
	a.inFlight.Inc()
}

// End counts an exchange that has begun and is over: its reply's status, the
// code of its error unless that is empty, and its hook calls.
func (a *APIMetrics) End(x *grapnel.Exchange, status int, code grapnel.Code) {
	if a == nil {
		return
	}
	a.inFlight.Dec()
	if status != http.StatusSwitchingProtocols { // a tunnel takes as long as it likes
		a.duration.Observe(time.Since(x.Start).Seconds())
	}
	found, ok := a.statuses.find(status)
	if !ok {
		found = a.statuses.add(status, a.status)
	}
	found.Inc()
	if code != "" {
		a.fail(errorKind{code, status})
	}
	for i := range x.Calls {
		a.count(&x.Calls[i])
	}
}

func (a *APIMetrics) status(status int) prometheus.Counter {
	return a.all.requests.WithLabelValues(a.label(), statusLabel(status))
}

func (a *APIMetrics) fail(f errorKind) {
	found, ok := a.errors.find(f)
	if !ok {
		found = a.errors.add(f, a.error)
	}
	found.Inc()
}

func (a *APIMetrics) error(f errorKind) prometheus.Counter {
	return a.all.errors.WithLabelValues(a.label(), string(f.code), statusLabel(f.status))
}

// statusLabel is a status as a label value: whatever a plugin makes up, there are
// no more than HTTP has.
func statusLabel(status int) string {
	if status < 100 || status > 599 {
		return labelOther
	}
	return strconv.Itoa(status)
}

// label is the API's label value. Exchanges that end when their API is gone count
// as belonging to none.
func (a *APIMetrics) label() string {
	if a.gone.Load() {
		return labelNone
	}
	return a.name
}

// forget removes the API's figures.
func (a *APIMetrics) forget() {
	a.gone.Store(true)
	of := prometheus.Labels{"api": a.name}
	for _, v := range []interface{ DeletePartialMatch(prometheus.Labels) int }{
		a.all.requests, a.all.duration, a.all.inFlight, a.all.errors, a.all.calls, a.all.took, a.all.retries,
	} {
		v.DeletePartialMatch(of)
	}
}
