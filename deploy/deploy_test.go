// Package deploy_test keeps the dashboard and the alerts true: what they ask for
// is what a gateway exposes.
package deploy_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
	"github.com/grapnel-gateway/grapnel/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

const configuration = `
listen: %q
admin: { listen: %q }
store: "memory:"
plugins:
  p: { target: %q, timeout: 20s }
  next: { target: %q, timeout: 20s }
  both: { versions: { p: 1 }, shadow: next }
  down: { target: "127.0.0.1:1", timeout: 1s }
apis:
  - id: orders
    listen_path: /orders/
    target: %q
    rate_limit: { rate: 1, per: 3600 }
    hooks: { pre: [{ plugin: both, hook: noop }], response: [{ plugin: p, hook: noop }] }
  - { id: broken, listen_path: /broken/, target: %q, hooks: { post: [{ plugin: down, hook: noop }] } }
`

// exposed are the metrics of a gateway that has had some traffic: good, failed
// and refused.
func exposed(t *testing.T) map[string]metric {
	t.Helper()
	up := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(up.Close)
	plugin := plugintest.Serve(t).Target
	addr, admin := program.FreeAddr(t), program.FreeAddr(t)
	file := filepath.Join(t.TempDir(), "grapnel.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, configuration, addr, admin, plugin, plugin, up.URL, up.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	program.Start(t, addr, "run", "--config", file)
	for path, status := range map[string]int{"/orders/1": 200, "/broken/1": 500, "/nowhere": 404} {
		if got, body := get(t, "http://"+addr+path); got != status {
			t.Fatalf("%s: %d %s", path, got, body)
		}
	}
	get(t, "http://"+addr+"/orders/2")
	// An exchange counts when its reply is written, which is a little later.
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		status, text := get(t, "http://"+admin+"/metrics")
		if status != 200 {
			t.Fatalf("metrics: %d %s", status, text)
		}
		if strings.Contains(text, `grapnel_errors_total{api="orders",code="limited",status="429"} 1`) {
			return readMetrics(text)
		}
	}
	t.Fatal("the metrics do not tell of the request that was refused")
	return nil
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// Every query of the dashboard and of the alerts asks for metrics, labels and
// values that a gateway has.
func TestQueries(t *testing.T) {
	metrics := exposed(t)
	checkManual(t, metrics)
	for where, expr := range queries(t) {
		for _, fault := range check(expr, metrics) {
			t.Errorf("%s\n\t%s", fault, where)
		}
	}
}

// checkManual holds the manual's table of metrics to those that there are.
func checkManual(t *testing.T, metrics map[string]metric) {
	t.Helper()
	manual, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for name := range metrics {
		if strings.HasPrefix(name, "grapnel_") {
			want = append(want, regexp.MustCompile("_(bucket|sum|count)$").ReplaceAllString(name, ""))
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `grapnel_.*").FindAllString(string(manual), -1) {
		for _, name := range regexp.MustCompile("`(grapnel_\\w+)`").FindAllStringSubmatch(row, -1) {
			got = append(got, name[1])
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(slices.Compact(want), got); diff != "" {
		t.Errorf("docs/operations.md (-exposed +told of):\n%s", diff)
	}
}

// queries are those of the dashboard, its variables included, and of the alerts.
func queries(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, r := range alerts(t) {
		out["alert "+r.Alert] = r.Expr
	}
	text, err := os.ReadFile("grafana/grapnel.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard any
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	expressions(dashboard, "dashboard", out)
	if len(out) < 50 {
		t.Fatalf("only %d queries found", len(out))
	}
	return out
}

// expressions finds the PromQL in a dashboard, wherever it is.
func expressions(v any, title string, into map[string]string) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			expressions(item, title, into)
		}
	case map[string]any:
		for _, key := range []string{"title", "name", "refId"} {
			if name, ok := v[key].(string); ok {
				title += "/" + name
			}
		}
		if expr, ok := v["expr"].(string); ok {
			into[title+": "+expr] = expr
		}
		if values, ok := v["query"].(string); ok && strings.HasPrefix(values, "label_values(") {
			metric, label, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(values, "label_values("), ")"), ", ")
			into[title+": "+values] = "sum by (" + label + ") (" + metric + ")"
		}
		for _, member := range v {
			expressions(member, title, into)
		}
	}
}

// The check finds what is wrong with a query.
func TestQueryCheck(t *testing.T) {
	metrics := readMetrics("a_total{x=\"1\"} 5\nb{x=\"1\",y=\"2\"} 1 \nplain 1\n")
	for expr, want := range map[string]string{
		`sum by (x, instance) (rate(a_total{x="1", instance=~"$i"}[5m])) / sum by (x) (b) > 0.5`: "",
		`plain and on (instance) a_total{x=~"1|1"}`:                                              "",
		`sum by (y) (a_total)`:      "a_total has no label y",
		`rate(c_total[5m])`:         "there is no metric c_total",
		`a_total{y="1"}`:            "a_total has no label y",
		`a_total{x="2"}`:            `a_total has no x "2"`,
		`a_total{x=~"1|2"}`:         `a_total has no x "2"`,
		`5 > 3`:                     "it asks for nothing",
		`rates(a_total[5m])`:        "rates is no known function",
		`sum(a_total) by (x)`:       "write by before what is summed up",
		`b and on (y) a_total`:      "a_total has no label y",
		`sum by (x) (a_total + c[1`: "there is no metric c; a bracket does not close",
	} {
		got := strings.Join(check(expr, metrics), "; ")
		if (want == "") != (got == "") || !strings.Contains(got, strings.Split(want, "; ")[0]) {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
}

type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func alerts(t *testing.T) []rule {
	t.Helper()
	text, err := os.ReadFile("prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file.Groups[0].Rules
}

// Every alert says how bad it is, and the operator's manual what to do.
func TestAlertsHaveARunbook(t *testing.T) {
	manual, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	label := regexp.MustCompile(`\$labels\.(\w+)`)
	for _, r := range alerts(t) {
		if !strings.Contains(string(manual), "\n### "+r.Alert+"\n") || r.Annotations["runbook_url"] != "docs/operations.md#"+strings.ToLower(r.Alert) {
			t.Errorf("docs/operations.md has no section %s, or the alert leads elsewhere", r.Alert)
		}
		if s := r.Labels["severity"]; s != "warning" && s != "critical" {
			t.Errorf("%s: severity %q", r.Alert, s)
		}
		if r.For != "" {
			if _, err := time.ParseDuration(r.For); err != nil {
				t.Errorf("%s: %v", r.Alert, err)
			}
		}
		// What is summed up keeps only the labels that it names.
		for _, l := range label.FindAllStringSubmatch(r.Annotations["summary"], -1) {
			by := regexp.MustCompile(`by \([^)]*\b` + l[1] + `\b`)
			if strings.Contains(r.Expr, "by (") && !by.MatchString(r.Expr) {
				t.Errorf("%s: its result has no label %s", r.Alert, l[1])
			}
		}
	}
	for _, heading := range regexp.MustCompile(`(?m)^### (Grapnel\w+)$`).FindAllStringSubmatch(string(manual), -1) {
		known := false
		for _, r := range alerts(t) {
			known = known || r.Alert == heading[1]
		}
		if !known {
			t.Errorf("docs/operations.md explains %s, which is no alert", heading[1])
		}
	}
}
