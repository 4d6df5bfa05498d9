package observe_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel/admin"
	"github.com/grapnel-gateway/grapnel/test/program"
)

// list runs grapnel plugin list.
func (s *site) list(t *testing.T, flags ...string) string {
	t.Helper()
	c := exec.Command(program.Path(t, "grapnel"), append([]string{"plugin", "list"}, flags...)...)
	c.Env = append(os.Environ(), "GRAPNEL_ADMIN=http://"+s.admin, "GRAPNEL_ADMIN_SECRET=the-secret")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// The list tells what the calls came to, of each plugin server and of each of
// its endpoints.
func TestPluginList(t *testing.T) {
	s := newSite(t, "0%", "")
	for range 4 {
		s.get(t, "/orders/1", 200)
	}
	s.get(t, "/broken/1", 500)
	s.gateway.AwaitLog(t, `"msg":"request"`, "/broken/1") // which is written when all is counted
	var all []admin.PluginStatus
	if err := json.Unmarshal([]byte(s.list(t, "--json")), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].Name != "down" || all[1].Name != "p" {
		t.Fatalf("%+v", all)
	}
	down, up := all[0], all[1]
	if down.State == "ready" || down.Figures.Calls != 1 || down.Figures.Failed != 1 {
		t.Errorf("down: %+v", down)
	}
	if f := up.Figures; up.State != "ready" || f.Calls != 8 || f.Failed != 0 || f.P50 <= 0 || f.P99 < f.P50 {
		t.Errorf("p: %+v", up)
	}
	if len(up.Replicas) != 1 || up.Replicas[0].Address != s.plugins || up.Replicas[0].Calls != 8 || up.Replicas[0].Figures.Calls != 8 {
		t.Errorf("endpoints of p: %+v, want %s", up.Replicas, s.plugins)
	}
	lines := strings.Split(s.list(t), "\n")
	if !strings.HasPrefix(lines[0], "PLUGIN  ENDPOINT") || !strings.HasPrefix(lines[len(lines)-2], "        "+s.plugins) || !strings.Contains(lines[len(lines)-2], " ms") {
		t.Errorf("%q", lines)
	}
}
