package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/admin"
)

// The table for people: what is as it should be is not pointed out.
func TestPluginListTable(t *testing.T) {
	status := []admin.PluginStatus{
		{
			Name: "billing", PluginState: grapnel.PluginState{State: "ready", InFlight: 3, Queued: 2, Breaker: "half_open", Restarts: 4},
			Figures: grapnel.Figures{Calls: 1000, Failed: 7, P50: 1.234, P99: 123.4},
			Replicas: []admin.ReplicaStatus{
				{EndpointState: grapnel.EndpointState{Address: "10.0.0.1:5555", State: "ready", Healthy: true, InFlight: 2, Calls: 600}, Figures: grapnel.Figures{Calls: 600, P50: .12, P99: 9.99}},
				{EndpointState: grapnel.EndpointState{Address: "10.0.0.2:5555", State: "ready", Healthy: true, Ejected: true, Calls: 400, Failures: 9}},
				{EndpointState: grapnel.EndpointState{Address: "10.0.0.3:5555", State: "failing"}},
			},
		},
		{
			Name: "rules", Versions: map[string]int{"v1": 95, "v2": 5},
			PluginState: grapnel.PluginState{State: "idle", Breaker: "closed", Shadow: &grapnel.ShadowState{Plugin: "v3", Calls: 50, Differences: 2}},
		},
	}
	h := admin.Handler(admin.Options{Secret: testSecret, Plugins: func() []admin.PluginStatus { return status }, Log: slog.New(slog.DiscardHandler)})
	gateway := httptest.NewServer(http.StripPrefix("/tyk", h))
	t.Cleanup(gateway.Close)
	var out bytes.Buffer
	p := &program{ctx: t.Context(), stdout: &out, stderr: &out, env: []string{"GRAPNEL_ADMIN=" + gateway.URL, "GRAPNEL_ADMIN_SECRET=" + testSecret}}
	if code := p.run([]string{"plugin", "list"}); code != 0 {
		t.Fatalf("%d %s", code, &out)
	}
	const want = `PLUGIN   ENDPOINT                                 STATE    HEALTH                         IN FLIGHT  CALLS  FAILED  P50      P99
billing                                           ready    breaker half open, 4 restarts  3, 2 wait  1000   7       1.2 ms   123 ms
         10.0.0.1:5555                            ready    healthy                        2          600    0       0.12 ms  10 ms
         10.0.0.2:5555                            ready    ejected                        0          400    9       -        -
         10.0.0.3:5555                            failing  unhealthy                      0          0      0       -        -
rules    v1 95, v2 5, shadow v3 (2 of 50 differ)  idle                                    0          0      0       -        -
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}
