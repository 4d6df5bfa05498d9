package storm

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"testing"
)

// asked puts so many requests to an API, each with a header, and returns what each
// of the replicas has recorded of them since.
func (s *site) asked(t *testing.T, api, header string, requests int, value func(int) string) {
	t.Helper()
	for n := range requests {
		r, err := http.NewRequest(http.MethodGet, "http://"+s.Addr+"/"+api+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Case", fmt.Sprint(api, "-", n))
		r.Header.Set(header, value(n))
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("request %d: %s", n, resp.Status)
		}
	}
}

// versionSite is a gateway with two versions of a plugin.
func versionSite(t *testing.T, split object, hook string, more ...string) *site {
	t.Helper()
	v1, v2 := startReplica(t), startReplica(t)
	a := api("api", object{"plugin": "both", "hook": hook})
	for _, stage := range more {
		a["hooks"].(object)[stage] = []object{{"plugin": "both", "hook": hook}}
	}
	s := newSite(t, object{"v1": object{"target": v1.addr}, "v2": object{"target": v2.addr}, "both": split}, a)
	s.replicas = []*replica{v1, v2}
	return s
}

// TestWeights: each version gets its share of the exchanges, and each exchange is
// one version's alone.
func TestWeights(t *testing.T) {
	const requests = 600
	s := versionSite(t, object{"versions": object{"v1": 95, "v2": 5}}, "noop", "post")
	s.asked(t, "api", "X-Any", requests, strconv.Itoa)
	first, second := s.replicas[0].Calls(t, ""), s.replicas[1].Calls(t, "")
	if len(first)+len(second) != 2*requests {
		t.Errorf("%d and %d calls, want %d in all", len(first), len(second), 2*requests)
	}
	// Thirty on the average; that these bounds are left is less likely than 1 in 10⁷.
	if n := len(second) / 2; n < 5 || n > 70 {
		t.Errorf("version 2 got %d of %d exchanges, want about 5 %%", n, requests)
	}
	hooks := map[string]int{}
	for _, c := range second {
		hooks[c.Object.Request.Headers["X-Case"]]++
	}
	for id, n := range hooks {
		if n != 2 {
			t.Errorf("exchange %s put %d of its two questions to version 2", id, n)
		}
	}
}

// TestSticky: a caller keeps to one version.
func TestSticky(t *testing.T) {
	const callers = 40
	s := versionSite(t, object{"versions": object{"v1": 1, "v2": 1}, "sticky": "X-Caller"}, "noop")
	s.asked(t, "api", "X-Caller", 5*callers, func(n int) string { return fmt.Sprint("caller-", n%callers) })
	seen := map[string]int{}
	for i, r := range s.replicas {
		calls := r.Calls(t, "")
		if len(calls) == 0 {
			t.Errorf("version %d got nobody", i+1)
		}
		for _, c := range calls {
			seen[c.Object.Request.Headers["X-Caller"]] |= i + 1
		}
	}
	if len(seen) != callers {
		t.Errorf("%d callers seen, want %d", len(seen), callers)
	}
	for caller, versions := range seen {
		if versions == 3 {
			t.Errorf("%s was put to both versions", caller)
		}
	}
}

// TestShadow: a shadow is asked what the version was asked, its answers count for
// nothing, and where they differ that is counted.
func TestShadow(t *testing.T) {
	const requests = 50
	for hook, differences := range map[string]int{"set X-Mark=1": 0, "self X-Mark": requests} {
		t.Run(hook, func(t *testing.T) {
			s := versionSite(t, object{"versions": object{"v1": 1}, "shadow": "v2"}, hook)
			for n := range requests {
				_, body, err := get(http.DefaultClient, "http://"+s.Addr+"/api/", fmt.Sprint("shadow-", n))
				if want := s.replicas[0].addr; err != nil || (body != "1" && body != want) {
					t.Fatalf("request %d: %q %v, want the mark of %s", n, body, err, want)
				}
			}
			eventually(t, "all are compared", func() bool { return s.metric(t, "grapnel_plugin_shadow_calls_total") == requests })
			eventually(t, "the differences are counted", func() bool { return s.metric(t, "grapnel_plugin_shadow_differences_total") == differences })
			if n := s.metric(t, "grapnel_plugin_shadow_failures_total") + s.metric(t, "grapnel_plugin_shadow_dropped_total"); n != 0 {
				t.Errorf("%d calls of the shadow failed or were dropped", n)
			}
			if got := len(s.replicas[1].Calls(t, "")); got != requests {
				t.Errorf("the shadow was asked %d times, want %d", got, requests)
			}
		})
	}
}

// metric is the first of a name among the figures that the gateway has for
// Prometheus.
func (s *site) metric(t *testing.T, name string) int {
	t.Helper()
	_, page, err := get(http.DefaultClient, s.admin.Base+"/metrics", "")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^` + name + `(?:\{.*\})? (\S+)$`).FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no %s in\n%s", name, page)
	}
	n, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}
