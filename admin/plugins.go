package admin

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/grapnel-gateway/grapnel"
)

// A PluginStatus is how a plugin server stands and what its calls came to.
type PluginStatus struct {
	// Name is the server's in the configuration.
	Name string `json:"name"`
	// Versions are the servers that it is a choice of, and their weights.
	Versions map[string]int `json:"versions,omitempty"`
	grapnel.PluginState
	// Figures are those of its hook calls; they are zero while metrics are
	// off.
	Figures grapnel.Figures `json:"figures"`
	// Replicas are its endpoints, by address, each with the figures of the
	// hook calls that it answered last.
	Replicas []ReplicaStatus `json:"endpoints"`
}

// A ReplicaStatus is how one endpoint of a plugin server stands.
type ReplicaStatus struct {
	grapnel.EndpointState
	Figures grapnel.Figures `json:"figures"` // of its hook calls
}

type pluginList struct {
	Plugins []PluginStatus `json:"plugins"`
}

// pluginCalls are the calls about plugin servers, which the original has not.
type pluginCalls struct{ Options }

// list tells of all plugin servers, by name.
func (c pluginCalls) list(*http.Request) (any, error) {
	all := slices.Clone(c.Plugins())
	slices.SortFunc(all, func(a, b PluginStatus) int { return cmp.Compare(a.Name, b.Name) })
	for i := range all {
		if all[i].Replicas == nil {
			all[i].Replicas = []ReplicaStatus{}
		}
	}
	return pluginList{append([]PluginStatus{}, all...)}, nil
}

// Plugins lists the plugin servers of the gateway.
func (c *Client) Plugins(ctx context.Context) ([]PluginStatus, error) {
	list, err := ask[pluginList](ctx, c, http.MethodGet, nil, nil, "grapnel", "plugins")
	return list.Plugins, err
}
