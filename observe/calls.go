package observe

import (
	"cmp"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/grapnel-gateway/grapnel"
)

// A callKind is what makes the figures of one hook call differ from those of another.
type callKind struct {
	stage                  grapnel.Stage
	plugin, hook, endpoint string
	outcome                grapnel.Outcome
}

// callMetrics are what equal calls are counted in.
type callMetrics struct {
	calls   prometheus.Counter
	retries prometheus.Counter
	took    prometheus.Observer // nil for calls that were not made
}

// count counts a hook call of an exchange that is over.
func (a *APIMetrics) count(c *grapnel.Call) {
	k := callKind{c.Stage, c.Plugin, c.Hook, c.Endpoint, outcomeOf(c)}
	found, ok := a.calls.find(k)
	if !ok {
		found = a.resolve(k)
	}
	found.calls.Inc()
	if found.took != nil {
		found.took.Observe(c.Took.Seconds())
	}
	if c.Retries > 0 {
		found.retries.Add(float64(c.Retries))
	}
}

// outcomeOf is the call's outcome; one that was cut short by something else has
// none.
func outcomeOf(c *grapnel.Call) grapnel.Outcome {
	switch {
	case c.Outcome != "":
		return c.Outcome
	case c.Failed:
		return grapnel.OutcomeFailed
	}
	return grapnel.OutcomePassed
}

// resolve finds what a call is counted in that is the first of its kind, or that
// goes to an endpoint without a label value of its own.
func (a *APIMetrics) resolve(k callKind) *callMetrics {
	k.endpoint = a.all.endpoint(k.plugin, k.endpoint)
	return a.calls.add(k, func(k callKind) *callMetrics {
		labels := []string{k.plugin, cmp.Or(k.endpoint, labelNone), a.label(), k.hook, k.stage.String()}
		m := &callMetrics{
			calls:   a.all.calls.WithLabelValues(append(labels, string(k.outcome))...),
			retries: a.all.retries.WithLabelValues(labels...),
		}
		if k.outcome != grapnel.OutcomeSkipped {
			m.took = a.all.took.WithLabelValues(labels...)
		}
		return m
	})
}

// endpoint gives an endpoint its label value.
func (m *Metrics) endpoint(plugin, address string) string {
	if address == "" {
		return ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.endpoints[plugin]
	switch {
	case known == nil:
		m.endpoints[plugin] = map[string]bool{address: true}
	case known[address]:
	case len(known) >= maxEndpoints:
		return labelOther
	default:
		known[address] = true
	}
	return address
}

// forgetEndpoints removes the figures of calls to endpoints that no plugin server
// has any more, so that servers which come and go leave nothing behind.
func (m *Metrics) forgetEndpoints() {
	if m.plugins == nil {
		return
	}
	there := map[string]bool{}
	for _, p := range m.plugins() {
		for _, e := range p.Endpoints {
			there[e.Address] = true
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	gone := map[string]bool{}
	for _, known := range m.endpoints {
		for address := range known {
			if !there[address] {
				gone[address] = true
				delete(known, address)
			}
		}
	}
	if len(gone) == 0 {
		return
	}
	for _, a := range m.apis {
		a.calls.drop(func(k callKind, _ *callMetrics) bool { return gone[k.endpoint] })
	}
	for address := range gone {
		of := prometheus.Labels{"endpoint": address}
		m.calls.DeletePartialMatch(of)
		m.took.DeletePartialMatch(of)
		m.retries.DeletePartialMatch(of)
	}
}
