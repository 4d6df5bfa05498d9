package keys

import "testing"

// TestGenerous: of two limits, group by group, the one that allows more; 0 says
// nothing, -1 is no limit [S-20].
func TestGenerous(t *testing.T) {
	for _, c := range []struct {
		name       string
		a, b, want limit
	}{
		{"rate over its span", limit{Rate: 10, Per: 60}, limit{Rate: 5, Per: 1}, limit{Rate: 5, Per: 1}},
		{"the same rate, more at once", limit{Rate: 1, Per: 1}, limit{Rate: 60, Per: 60}, limit{Rate: 60, Per: 60}},
		{"no span is no limit", limit{Rate: 10, Per: 1}, limit{Rate: 1}, limit{Rate: 1}},
		{"no rate", limit{Rate: 10, Per: 1}, limit{}, limit{Rate: 10, Per: 1}},
		{"unlimited rate", limit{Rate: 10, Per: 1}, limit{Rate: -1}, limit{Rate: -1}},
		{"quota with its period", limit{QuotaMax: 10, QuotaRenewalRate: 60}, limit{QuotaMax: 20, QuotaRenewalRate: 3600}, limit{QuotaMax: 20, QuotaRenewalRate: 3600}},
		{"the same quota, sooner", limit{QuotaMax: 10, QuotaRenewalRate: 60}, limit{QuotaMax: 10, QuotaRenewalRate: 6}, limit{QuotaMax: 10, QuotaRenewalRate: 6}},
		{"the same quota, or never", limit{QuotaMax: 10}, limit{QuotaMax: 10, QuotaRenewalRate: 6}, limit{QuotaMax: 10, QuotaRenewalRate: 6}},
		{"unlimited quota", limit{QuotaMax: 10}, limit{QuotaMax: -1}, limit{QuotaMax: -1}},
		{"depth", limit{MaxQueryDepth: 3}, limit{MaxQueryDepth: 5}, limit{MaxQueryDepth: 5}},
		{"throttle", limit{ThrottleRetryLimit: 1, ThrottleInterval: 9}, limit{ThrottleRetryLimit: 2, ThrottleInterval: 1}, limit{ThrottleRetryLimit: 2, ThrottleInterval: 1}},
	} {
		if got := generous(c.a, c.b); got != c.want {
			t.Errorf("%s: %+v", c.name, got)
		}
		if got := generous(c.b, c.a); got != c.want {
			t.Errorf("%s, the other way round: %+v", c.name, got)
		}
	}
}
