package observe_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func read(t *testing.T, url string) (int, string) {
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

// The figures are on the control API's listener, for everyone who reaches it, and
// on the main one only where that is configured.
func TestMetricsPage(t *testing.T) {
	for more, want := range map[string]struct{ admin, main, path int }{
		"":                            {200, 404, 404},
		"metrics: { path: /figures }": {200, 404, 200},
		"metrics: { enabled: false }": {404, 404, 404},
	} {
		s := newSite(t, "0%", more)
		for url, status := range map[string]int{
			"http://" + s.admin + "/metrics": want.admin, "http://" + s.gateway.Addr + "/metrics": want.main, "http://" + s.gateway.Addr + "/figures": want.path,
		} {
			got, text := read(t, url)
			if got != status || (status == 200) != strings.Contains(text, "grapnel_build_info{") {
				t.Errorf("with %q, %s answers %d", more, url, got)
			}
		}
		if status, _ := read(t, "http://"+s.admin+"/grapnel/plugins"); status != 403 {
			t.Errorf("the list of plugin servers without the secret: %d", status)
		}
		s.gateway.Stop(t)
	}
}

// A gateway counts its reloads, and those that it refused.
func TestReloadsAreCounted(t *testing.T) {
	s := newSite(t, "0%", "")
	r, err := http.NewRequest("GET", "http://"+s.admin+"/tyk/reload?block=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Tyk-Authorization", "the-secret")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	_, text := read(t, "http://"+s.admin+"/metrics")
	for _, line := range []string{`grapnel_config_reloads_total{outcome="done"} 1`, `grapnel_config_reloads_total{outcome="refused"} 0`} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("no %s", line)
		}
	}
}
