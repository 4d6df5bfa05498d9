package observe

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
	model "github.com/prometheus/client_model/go"

	"github.com/grapnel-gateway/grapnel"
)

// Figures sum up the hook calls by plugin server, and by endpoint of it; those of
// the whole plugin server are at the empty endpoint.
func (m *Metrics) Figures() map[string]map[string]grapnel.Figures {
	out := map[string]map[string]grapnel.Figures{}
	if m == nil {
		return out
	}
	sums := map[place]*sum{}
	for labels, v := range samples(m.took) {
		for _, at := range places(labels) {
			sumOf(sums, at).took(v.GetHistogram())
		}
	}
	for labels, v := range samples(m.calls) {
		if failed(grapnel.Outcome(labels["outcome"])) {
			for _, at := range places(labels) {
				sumOf(sums, at).failed += uint64(v.GetCounter().GetValue())
			}
		}
	}
	for at, s := range sums {
		if out[at.plugin] == nil {
			out[at.plugin] = map[string]grapnel.Figures{}
		}
		out[at.plugin][at.endpoint] = grapnel.Figures{Calls: s.calls, Failed: s.failed, P50: 1000 * s.quantile(.5), P99: 1000 * s.quantile(.99)}
	}
	return out
}

// failed reports whether an outcome means that the plugin server gave no answer
// that counts, whatever came of the exchange.
func failed(o grapnel.Outcome) bool {
	switch o {
	case grapnel.OutcomeFailed, grapnel.OutcomeTimeout, grapnel.OutcomeIgnored, grapnel.OutcomeCached, grapnel.OutcomeBackup:
		return true
	}
	return false
}

type place struct{ plugin, endpoint string }

// places are where a call counts: at its endpoint and at its plugin server.
func places(labels map[string]string) [2]place {
	return [2]place{{labels["plugin"], labels["endpoint"]}, {labels["plugin"], ""}}
}

func sumOf(sums map[place]*sum, at place) *sum {
	if sums[at] == nil {
		sums[at] = &sum{buckets: make([]uint64, len(callBuckets()))}
	}
	return sums[at]
}

// A sum is what several histograms of calls say together.
type sum struct {
	calls, failed uint64
	buckets       []uint64 // how many calls were over by then
}

func (s *sum) took(h *model.Histogram) {
	s.calls += h.GetSampleCount()
	for i, b := range h.GetBucket() {
		s.buckets[i] += b.GetCumulativeCount()
	}
}

// quantile is the time within which a share of the calls were over, in seconds,
// taken to be spread evenly within a bucket. What is beyond all buckets counts as
// the longest of them.
func (s *sum) quantile(share float64) float64 {
	rank, below, from := share*float64(s.calls), 0.0, 0.0
	for i, to := range callBuckets() {
		n := float64(s.buckets[i])
		if n >= rank && n > below {
			return from + (to-from)*math.Max(0, rank-below)/(n-below)
		}
		below, from = n, to
	}
	if s.calls == 0 {
		return 0
	}
	return from
}

// samples are what a collector has, by labels.
func samples(c prometheus.Collector) func(func(map[string]string, *model.Metric) bool) {
	return func(yield func(map[string]string, *model.Metric) bool) {
		ch := make(chan prometheus.Metric)
		go func() {
			defer close(ch)
			c.Collect(ch)
		}()
		more := true
		for metric := range ch { // to the end: the collector waits for it
			var v model.Metric
			if !more || metric.Write(&v) != nil {
				continue
			}
			labels := map[string]string{}
			for _, l := range v.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			more = yield(labels, &v)
		}
	}
}
