package storm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A tenant shares the gateway with another, and nothing else. In each generation
// the two have other settings, and each other's plugin servers.
type tenant struct {
	ID         string `json:"tenant"`
	Generation int    `json:"generation"`
}

// tenants are both in one generation.
func tenants(generation int) []tenant { return []tenant{{"a", generation}, {"b", generation}} }

// server is which of two servers the tenant has.
func (n tenant) server() int { return (int(n.ID[0]) + n.Generation) % 2 }

// hook is the tenant's hook.
func (n tenant) hook() string { return fmt.Sprintf("set X-Tenant=%s-%d;%s", n.ID, n.Generation, mark) }

// estate is the configuration of both tenants.
func estate(servers []*replica, generation int) (plugins object, apis []object) {
	plugins = object{}
	for _, n := range tenants(generation) {
		a := api(n.ID, object{"plugin": n.ID, "hook": n.hook()})
		a["config_data"] = n
		apis = append(apis, a)
		plugins[n.ID] = object{"target": servers[n.server()].addr, "timeout": patience.String()}
	}
	return plugins, apis
}

// TestTenants: two tenants' APIs with plugin servers and config_data of their own
// are reloaded again and again under load. No request fails, and none is put to
// the other's plugin, or told of the other's configuration, or of one that is not
// the hook's. The same holds where both ask one server over the same connections.
func TestTenants(t *testing.T) {
	for name, reloads := range map[string]int{"apart": 100, "shared": 20} {
		t.Run(name, func(t *testing.T) {
			servers := []*replica{startReplica(t), startReplica(t)}
			if name == "shared" {
				servers[1] = servers[0]
			}
			plugins, apis := estate(servers, 0)
			s := newSite(t, plugins, apis...)
			l := s.load(*rate/4, "a", "b")
			for g := 1; g <= reloads; g++ {
				s.config["plugins"], s.config["apis"] = estate(servers, g)
				s.reload(t)
				for _, n := range tenants(g) {
					s.tenantIs(t, n, servers[n.server()])
				}
			}
			for _, a := range l.end() {
				if a.bad != "" {
					t.Errorf("%+v", a)
				}
			}
			calls := checkCalls(t, servers[0], servers)
			if servers[0] != servers[1] {
				calls += checkCalls(t, servers[1], servers)
			}
			if calls < 2*reloads || s.unmarked.Load() > 0 {
				t.Errorf("%d calls, and %d requests without a mark", calls, s.unmarked.Load())
			}
		})
	}
}

// tenantIs asks once, and checks that it was the server of this generation that
// answered.
func (s *site) tenantIs(t *testing.T, n tenant, by *replica) {
	t.Helper()
	id := fmt.Sprintf("%s-is-%d", n.ID, n.Generation)
	status, body, err := get(http.DefaultClient, "http://"+s.Addr+"/"+n.ID+"/", id)
	if err != nil || status != http.StatusOK || body != id {
		t.Fatalf("%s: %d %s %v", id, status, body, err)
	}
	if calls := by.Calls(t, id); len(calls) != 1 || calls[0].Object.HookName != n.hook() {
		t.Errorf("%s: the server of this generation was asked %d times", id, len(calls))
	}
}

// checkCalls checks that every call of a server belongs to one tenant in one
// generation, and to this server. It returns how many there are.
func checkCalls(t *testing.T, r *replica, servers []*replica) int {
	t.Helper()
	calls := r.Calls(t, "")
	for _, c := range calls {
		o := c.Object
		var told tenant
		if err := json.Unmarshal([]byte(o.Spec["config_data"]), &told); err != nil {
			t.Fatalf("config_data %q: %v", o.Spec["config_data"], err)
		}
		if o.Spec["APIID"] != told.ID || o.HookName != told.hook() || servers[told.server()] != r || !strings.HasPrefix(o.Request.Headers["X-Case"], told.ID) {
			t.Errorf("%s was asked %q for API %s about request %s, with %+v", r.addr, o.HookName, o.Spec["APIID"], o.Request.Headers["X-Case"], told)
		}
	}
	return len(calls)
}
