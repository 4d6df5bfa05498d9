package server_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
)

// proxy starts a gateway with one API that has no hooks, in front of target.
func proxy(t testing.TB, target string) *running {
	t.Helper()
	return proxyBy(t, "", target)
}

// proxyBy is proxy with this client for the way upstream; empty is the usual one.
func proxyBy(t testing.TB, client grapnel.UpstreamClient, target string) *running {
	t.Helper()
	return start(t, configuration(t, `
apis:
  - {id: a, listen_path: /, target: %q, upstream_client: %q}
`, target, client), io.Discard)
}

// upstream starts an upstream that speaks HTTP/1.1 and h2c.
func upstream(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// client speaks one version of HTTP.
func client(t testing.TB, set func(*http.Protocols)) *http.Client {
	t.Helper()
	p := new(http.Protocols)
	set(p)
	transport := &http.Transport{Protocols: p, DisableCompression: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func http1(p *http.Protocols) { p.SetHTTP1(true) }
func http2(p *http.Protocols) { p.SetHTTP2(true) }
func h2c(p *http.Protocols)   { p.SetUnencryptedHTTP2(true) }

// everyPair runs a test with HTTP/1.1 and HTTP/2 on either side of the gateway.
func everyPair(t *testing.T, h http.HandlerFunc, test func(t *testing.T, c *http.Client, url string)) {
	t.Helper()
	up := upstream(t, h)
	address := up.Listener.Addr()
	g := start(t, configuration(t, `
apis:
  - {id: h1, listen_path: /h1/, target: "http://%s"}
  - {id: h2, listen_path: /h2/, target: "h2c://%s"}
  - {id: standard, listen_path: /standard/, target: "http://%s", upstream_client: standard}
`, address, address, address), io.Discard)
	for name, c := range map[string]*http.Client{"h1": client(t, http1), "h2": client(t, h2c)} {
		for _, up := range []string{"h1", "h2", "standard"} {
			t.Run(name+" to "+up, func(t *testing.T) { test(t, c, g.url+"/"+up) })
		}
	}
}

func request(t testing.TB, ctx context.Context, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func do(t testing.TB, c *http.Client, r *http.Request) *http.Response {
	t.Helper()
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func TestClientProtocols(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Header.Get("X-Forwarded-Proto")) })
	api := fmt.Sprintf("apis: [{id: a, listen_path: /, target: %q}]\n", up.URL)
	plain := start(t, configuration(t, "%s", api), io.Discard)
	cert, key := certificate(t)
	secure := start(t, configuration(t, "tls: {certificates: [{cert: %q, key: %q}]}\n%s", cert, key, api), io.Discard)
	for _, c := range []struct {
		name          string
		g             *running
		set           func(*http.Protocols)
		proto, scheme string
	}{
		{"HTTP/1.1", plain, http1, "HTTP/1.1", "http"},
		{"h2c", plain, h2c, "HTTP/2.0", "http"},
		{"HTTP/1.1 over TLS", secure, http1, "HTTP/1.1", "https"},
		{"HTTP/2 over TLS", secure, http2, "HTTP/2.0", "https"},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp := do(t, client(t, c.set), request(t, t.Context(), http.MethodGet, c.g.url, nil))
			body, _ := io.ReadAll(resp.Body)
			if resp.Proto != c.proto || string(body) != c.scheme {
				t.Errorf("%s, the upstream was told %q; want %s, %q", resp.Proto, body, c.proto, c.scheme)
			}
		})
	}
}

// certificate writes a certificate and its key to files.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	c := s.TLS.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", c.Certificate[0]), write("key.pem", "PRIVATE KEY", der)
}

func TestRepliesWithoutBody(t *testing.T) {
	everyPair(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(http.StatusNoContent)
		case "/304":
			w.Header().Set("Etag", `"1"`)
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("Content-Length", "1234")
		}
	}, func(t *testing.T, c *http.Client, url string) {
		head := do(t, c, request(t, t.Context(), http.MethodHead, url+"/x", nil))
		if head.StatusCode != 200 || head.ContentLength != 1234 {
			t.Errorf("HEAD: status %d, length %d; want the length that the upstream said", head.StatusCode, head.ContentLength)
		}
		for path, want := range map[string]int{"/204": 204, "/304": 304} {
			resp := do(t, c, request(t, t.Context(), http.MethodGet, url+path, nil))
			body, err := io.ReadAll(resp.Body)
			if resp.StatusCode != want || len(body) != 0 || err != nil {
				t.Errorf("%s: status %d, body %q, %v", path, resp.StatusCode, body, err)
			}
		}
	})
}

func TestReplyHeaders(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Content-Type"] = nil // none, and none guessed
		h["X-Multi"] = []string{"1", "2"}
		h.Set("Connection", "X-Hop")
		h.Set("X-Hop", "1")
		h.Set("Keep-Alive", "timeout=5")
		h.Set("Proxy-Authenticate", "Basic")
		h.Set("Date", "Sat, 01 Jan 2000 00:00:00 GMT")
		io.WriteString(w, "<html>")
	})
	resp := do(t, client(t, http1), request(t, t.Context(), http.MethodGet, proxy(t, up.URL).url, nil))
	want := http.Header{"X-Multi": {"1", "2"}, "Date": {"Sat, 01 Jan 2000 00:00:00 GMT"}, "Content-Length": {"6"}}
	if diff := cmp.Diff(want, resp.Header); diff != "" {
		t.Error(diff)
	}
}

func TestClientAbortCancelsUpstream(t *testing.T) {
	entered, cancelled := make(chan struct{}), make(chan struct{})
	h := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/amid" {
			w.(http.Flusher).Flush()
		}
		entered <- struct{}{}
		<-r.Context().Done()
		cancelled <- struct{}{}
	}
	everyPair(t, h, func(t *testing.T, c *http.Client, url string) {
		for _, path := range []string{"/before", "/amid"} {
			ctx, cancel := context.WithCancel(t.Context())
			failed := make(chan error, 1)
			go func() {
				resp, err := c.Do(request(t, ctx, http.MethodGet, url+path, nil))
				if err == nil {
					_, err = io.ReadAll(resp.Body)
					resp.Body.Close()
				}
				failed <- err
			}()
			<-entered
			cancel()
			if err := <-failed; err == nil {
				t.Error("the request was answered")
			}
			<-cancelled
		}
	})
}

func TestUpstreamAbortIsSeen(t *testing.T) {
	everyPair(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/announced" {
			w.Header().Set("Content-Length", "100")
		}
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}, func(t *testing.T, c *http.Client, url string) {
		for _, path := range []string{"/announced", "/chunked"} {
			resp := do(t, c, request(t, t.Context(), http.MethodGet, url+path, nil))
			body, err := io.ReadAll(resp.Body)
			if err == nil || string(body) != "half" {
				t.Errorf("%s: body %q, %v; the client takes half a body for a whole one", path, body, err)
			}
		}
	})
}

// TestHookMakesUpInterimStatus: 1xx ends no exchange, so the client cannot be
// left with one.
func TestHookMakesUpInterimStatus(t *testing.T) {
	up, hooks := echo(t, "up"), plugintest.Serve(t)
	g := start(t, configuration(t, `
plugins: { p: { target: %q, timeout: 5s } }
apis:
  - { id: a, listen_path: /, target: %q, hooks: { response: [{ plugin: p, hook: "rstatus 101" }] } }
`, hooks.Target, up.URL), io.Discard)
	resp := do(t, client(t, http1), request(t, t.Context(), http.MethodGet, g.url, nil))
	if resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("got %d", resp.StatusCode)
	}
}
