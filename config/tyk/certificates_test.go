package tyk

import (
	"os"
	"path/filepath"
	"testing"
)

// writePair writes a certificate and its key into one file.
func writePair(t *testing.T, file string) {
	t.Helper()
	key := file + ".key"
	writeCertificate(t, file, key)
	var both []byte
	for _, name := range []string{file, key} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, text...)
	}
	write(t, file, string(both))
}

// TestUpstreamCertificates: what the gateway proves itself by to an upstream is
// found by host, the API's own before that for all; ids of a store lead nowhere.
func TestUpstreamCertificates(t *testing.T) {
	dir := t.TempDir()
	own, all := filepath.Join(dir, "own.pem"), filepath.Join(dir, "all.pem")
	for _, file := range []string{own, all} {
		writePair(t, file)
	}
	conf := `{"security": {"certificates": {"upstream": {"*.example": "` + all + `"}}}}`
	for change, want := range map[string]string{
		`{"proxy": {"target_url": "https://up.example:8443"}}`:                                                                                           "all",
		`{"proxy": {"target_url": "https://up.example:8443"}, "upstream_certificates": {"*": "` + own + `"}}`:                                            "own",
		`{"proxy": {"target_url": "https://up.example:8443"}, "upstream_certificates": {"up.example:8443": "` + own + `"}}`:                              "own",
		`{"proxy": {"target_url": "https://up.example:8443"}, "upstream_certificates": {"up.example:1": "` + own + `"}}`:                                 "all",
		`{"proxy": {"target_url": "https://up.example"}, "upstream_certificates": {"*": "` + own + `"}, "upstream_certificates_disabled": true}`:         "all",
		`{"proxy": {"target_url": "https://elsewhere.test"}}`:                                                                                            "",
		`{"proxy": {"target_url": "https://up.example"}, "upstream_certificates": {"up.example": "5e9d0"}}`:                                              "refused",
		`{"proxy": {"enable_load_balancing": true, "target_list": ["https://up.example", "https://elsewhere.test"]}}`:                                    "refused",
		`{"proxy": {"enable_load_balancing": true, "target_list": ["https://a.test", "https://b.test"]}, "upstream_certificates": {"*": "` + own + `"}}`: "own",
	} {
		c, notices := load(t, setup(t, conf, map[string]string{"a.json": define(t, "a", change)}))
		switch {
		case want == "refused":
			if len(c.APIs) != 0 {
				t.Errorf("%s: served with %+v", change, c.APIs[0].TLS)
			}
		case len(c.APIs) != 1:
			t.Errorf("%s: %v", change, notices)
		default:
			got := c.APIs[0].TLS
			if want != "" {
				want = filepath.Join(dir, want+".pem")
			}
			if got.Cert != want || got.Key != want {
				t.Errorf("%s: %+v, want %s", change, got, want)
			}
		}
	}
}
