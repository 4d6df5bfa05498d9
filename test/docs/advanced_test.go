package docs_test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/test/program"
)

// The hooks that the page shows are those of the sample, and do what it says behind
// a gateway with its configuration.
func TestAdvancedPlugins(t *testing.T) {
	page := document(t, "plugins-advanced.md")
	sample, err := os.ReadFile(root + "/examples/python/advanced/plugin.py")
	if err != nil {
		t.Fatal(err)
	}
	shown := blocks(page, "python")
	for _, block := range shown {
		if !strings.Contains(string(sample), block) {
			t.Errorf("not in examples/python/advanced/plugin.py:\n%s", block)
		}
	}
	if hooks := strings.Count(string(sample), "\n@hook(") + strings.Count(string(sample), "\n@stream_hook("); len(shown) != hooks {
		t.Errorf("the page shows %d of %d hooks", len(shown), hooks)
	}
	addr, control := serveAdvanced(t, blocks(page, "yaml")[0])
	partner := caller(t)
	nobody := caller(t)
	partner.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		c, err := tls.LoadX509KeyPair("certs/gateway.pem", "certs/gateway.key") // of the authority itself
		return &c, err
	}
	token := tokenOfApp(t, nobody, addr, control)
	for _, c := range []struct {
		client             *http.Client
		path, secret, body string
		want               string // in the reply, which has what the upstream got
	}{
		{partner, "/partners/?tag=b&a=%zz&tag=a", "", "", `?a=%zz map[X-From:[127.0.0.1 by TLS 1.3] X-Partner:[CN=partners] X-Tag:[b a]]`},
		{nobody, "/partners/", "", "", "come back with a certificate"},
		{nobody, "/shop/", "wrong", `{"query":"{me{name}}"}`, "who is there?"},
		{nobody, "/shop/", "let-me-in", `{"query":"{me{name}}"}`, " map[X-Client:[shop]]"},
		{nobody, "/shop/", "let-me-in", `{"query":"{me{friends{name}}}"}`, "depth limit exceeded"},
		{nobody, "/shop/", "let-me-in", `{"query":"mutation{buy(n:1)}"}`, "no buy in your plan"},
		{nobody, "/files/", "", `{"pin":1234}`, ` map[X-Masked:[digits]] {"pin":####}`},
		{nobody, "/app/", "Bearer " + token, "", " map[X-Client:[our-app]]"},
		{nobody, "/app/", "Bearer " + token, "", " map[X-Client:[our-app]]"},
	} {
		if got := call(t, c.client, "https://"+addr+c.path, "Authorization", c.secret, c.body); !strings.Contains(got, c.want) {
			t.Errorf("%s, %s: %s, want %s", c.path, c.body, got, c.want)
		}
	}
	if stored := call(t, nobody, "http://"+control+"/tyk/keys/"+token, "X-Tyk-Authorization", "change-me", ""); !strings.Contains(stored, `"visits":2`) {
		t.Errorf("the key is %s", stored)
	}
}

// serveAdvanced starts the sample and a gateway, with the page's configuration, and
// returns where that and its control API are.
func serveAdvanced(t *testing.T, yaml string) (addr, control string) {
	t.Helper()
	if out, err := exec.Command(root + "/examples/python/install.sh").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	plugin := program.FreeAddr(t)
	server := exec.Command(root+"/examples/python/.venv/bin/python", root+"/examples/python/advanced/plugin.py")
	server.Env = append(os.Environ(), "GRAPNEL_PLUGIN_SOCKET=", "PLUGIN_LISTEN="+plugin)
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Process.Kill(); server.Wait() })
	if line, err := bufio.NewReader(stdout).ReadString('\n'); !strings.HasPrefix(line, "listening") {
		t.Fatalf("the sample printed %q, %v", line, err)
	}
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own := http.Header{}
		for _, name := range []string{"X-Tag", "X-Partner", "X-From", "X-Client", "X-Masked"} {
			if values := r.Header[name]; values != nil {
				own[name] = values
			}
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintf(w, "%s %v %s", r.RequestURI, own, body)
	}))
	t.Cleanup(up.Close)
	addr, control = program.FreeAddr(t), program.FreeAddr(t)
	yaml = strings.NewReplacer("listen: :8443", "listen: "+addr, `"127.0.0.1:5555"`, `"`+plugin+`", timeout: 20s`, "http://127.0.0.1:9000", up.URL).Replace(yaml)
	t.Chdir(writeCertificates(t))
	file := filepath.Join(t.TempDir(), "grapnel.yaml")
	if err := os.WriteFile(file, []byte(yaml+"store: \"memory:\"\nadmin: { listen: "+control+", secret: change-me }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program.Start(t, addr, "run", "--config", file)
	return addr, control
}

// caller is a client that takes any server, and shows no certificate.
func caller(t *testing.T) *http.Client {
	c := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// call sends a request, a POST of JSON if there is a body, and returns the reply's.
func call(t *testing.T, client *http.Client, url, header, secret, body string) string {
	t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(header, secret)
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tokenOfApp makes the client our-app of the API app, and returns a token of it.
func tokenOfApp(t *testing.T, client *http.Client, addr, control string) string {
	t.Helper()
	call(t, client, "http://"+control+"/tyk/oauth/clients/create", "X-Tyk-Authorization", "change-me", `{"api_id":"app","client_id":"our-app","secret":"s3cr3t"}`)
	resp, err := client.PostForm("https://"+addr+"/app/oauth/token/", url.Values{"grant_type": {"client_credentials"}, "client_id": {"our-app"}, "client_secret": {"s3cr3t"}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Token == "" {
		t.Fatalf("no token: %d, %v", resp.StatusCode, err)
	}
	return answer.Token
}
