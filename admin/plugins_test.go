package admin_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/admin"
)

// The list is sorted, is as openapi.yaml says, and arrives as it was.
func TestPlugins(t *testing.T) {
	s := newSite(t, "memory:", plain())
	s.want(t, "GET", "/grapnel/plugins", "", 200, `{"plugins":[]}`)
	s.plugins = []admin.PluginStatus{
		{Name: "b", PluginState: grapnel.PluginState{State: "idle"}, Versions: map[string]int{"v1": 9}},
		{
			Name: "a", PluginState: grapnel.PluginState{State: "ready", InFlight: 1, Queued: 2, Breaker: "open", Restarts: 3, Shadow: &grapnel.ShadowState{Plugin: "c"}},
			Figures: grapnel.Figures{Calls: 4, Failed: 1, P50: .5, P99: 7},
			Replicas: []admin.ReplicaStatus{{
				EndpointState: grapnel.EndpointState{Address: "x:1", State: "ready", Healthy: true, Calls: 4}, Figures: grapnel.Figures{Calls: 4},
			}},
		},
	}
	if status, text := s.call(t, "GET", "/grapnel/plugins", ""); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	got, err := newClient(t, s).Plugins(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []admin.PluginStatus{s.plugins[1], s.plugins[0]}
	want[1].Replicas = []admin.ReplicaStatus{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
