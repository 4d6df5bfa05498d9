// Package oauth looks at the authorization server of an API from outside: a
// gateway as a process, over TLS, with a client that others have written.
package oauth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	xoauth2 "golang.org/x/oauth2"
	"google.golang.org/grpc"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
	"github.com/grapnel-gateway/grapnel/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

const (
	patience = 20 * time.Second
	secret   = "the-operator"
	back     = "https://app.example/back"
)

type object = map[string]any

// A plugin server whose hook notes the session that it sees, and changes it.
type plugin struct {
	coprocess.UnimplementedDispatcherServer
	mu   sync.Mutex
	seen []*coprocess.SessionState
}

// Dispatch notes the session. Rename, which says who is calling, makes one of
// another client; it is sent none.
func (p *plugin) Dispatch(_ context.Context, o *coprocess.Object) (*coprocess.Object, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := o.GetSession()
	p.seen = append(p.seen, &coprocess.SessionState{OauthClientId: s.GetOauthClientId(), OauthKeys: s.GetOauthKeys(), Alias: s.GetAlias()})
	if o.GetHookName() == "Rename" {
		o.Session = &coprocess.SessionState{OauthClientId: "renamed", OauthKeys: map[string]string{"renamed": "by the plugin"}}
		o.Metadata = map[string]string{"token": "renamed-by-plugin"}
	}
	return o, nil
}

// last returns what the latest hooks have seen, the oldest first.
func (p *plugin) last(t *testing.T, n int) []*coprocess.SessionState {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seen) < n {
		t.Fatalf("hooks were asked %d times, want %d", len(p.seen), n)
	}
	return p.seen[len(p.seen)-n:]
}

// A site is a gateway with the APIs orders and stock, each with a server of its
// own, and renamed, where a plugin has a say too in who is calling.
type site struct {
	*program.Gateway
	plugin  *plugin
	control string
	client  *http.Client // which trusts the gateway, and follows no redirect
	ctx     context.Context
	dir     string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{plugin: &plugin{}, control: program.FreeAddr(t), dir: t.TempDir()}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	coprocess.RegisterDispatcherServer(server, s.plugin)
	go server.Serve(l) // ends when the server is stopped
	t.Cleanup(server.Stop)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "upstream "+r.URL.Path) }))
	t.Cleanup(upstream.Close)
	api := func(id string, more ...object) object {
		return object{
			"id": id, "listen_path": "/" + id + "/", "target": upstream.URL, "org_id": "acme",
			"auth":  append([]object{{"oauth": object{"login": "https://login.example/in"}}}, more...),
			"hooks": object{"post_key_auth": []object{{"plugin": "p", "hook": "See"}}, "post": []object{{"plugin": "p", "hook": "Look"}}},
		}
	}
	pool := s.certificate(t)
	config, err := json.Marshal(object{
		"listen": program.FreeAddr(t), "store": filepath.Join(s.dir, "grapnel.db"),
		"tls":     object{"certificates": []object{{"cert": filepath.Join(s.dir, "cert.pem"), "key": filepath.Join(s.dir, "key.pem")}}},
		"admin":   object{"listen": s.control, "secret": secret},
		"log":     object{"level": "debug", "format": "json", "access": true},
		"plugins": object{"p": object{"target": l.Addr().String(), "timeout": patience.String()}},
		"apis":    []object{api("orders"), api("stock"), api("renamed", object{"plugin": "p", "hook": "Rename"})},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.dir, "grapnel.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	var read struct{ Listen string }
	if err := json.Unmarshal(config, &read); err != nil {
		t.Fatal(err)
	}
	s.Gateway = program.Start(t, read.Listen, "run", "--config", file)
	s.client = &http.Client{
		Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(s.client.CloseIdleConnections)
	s.ctx = context.WithValue(t.Context(), xoauth2.HTTPClient, s.client)
	return s
}

// certificate writes the gateway's certificate, and returns who trusts it.
func (s *site) certificate(t *testing.T) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string][]byte{"cert.pem": public, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(filepath.Join(s.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(public)
	return pool
}

// url is that of a path on the gateway.
func (s *site) url(path string) string { return "https://" + s.Addr + path }

// admin calls the control API, and reads its reply.
func (s *site) admin(t *testing.T, method, path, body string, into any) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.control+"/tyk"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Tyk-Authorization", secret)
	if strings.Contains(path, "revoke") {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatalf("%s %s: %d, %v", method, path, resp.StatusCode, err)
	}
	return resp.StatusCode
}

// application makes a client over the control API, as the library wants it.
func (s *site) application(t *testing.T, api, body string) *xoauth2.Config {
	t.Helper()
	var c struct {
		ID     string `json:"client_id"`
		Secret string `json:"secret"`
	}
	if status := s.admin(t, "POST", "/oauth/clients/create", body, &c); status != 200 || c.ID == "" {
		t.Fatalf("%d %+v", status, c)
	}
	return &xoauth2.Config{ClientID: c.ID, ClientSecret: c.Secret, RedirectURL: back, Endpoint: xoauth2.Endpoint{
		AuthURL: s.url("/" + api + "/oauth/authorize/"), TokenURL: s.url("/" + api + "/oauth/token/"),
	}}
}

// agree is the user's browser and the login page: the user logs in as ann and
// agrees. It returns the code, and the state that came back.
func (s *site) agree(t *testing.T, to string) (code, state string) {
	t.Helper()
	resp, err := s.client.Get(to)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	page, err := resp.Location()
	if err != nil || page.Host != "login.example" {
		t.Fatalf("the user is sent to %v (%d), %v", page, resp.StatusCode, err)
	}
	form := page.Query()
	form.Set("key_rules", `{"alias":"ann"}`)
	api := strings.Split(strings.TrimPrefix(to, s.url("/")), "/")[0]
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.url("/"+api+"/tyk/oauth/authorize-client/"), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Tyk-Authorization", secret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if resp, err = s.client.Do(r); err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		To string `json:"redirect_to"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || !strings.HasPrefix(answer.To, back+"?") {
		t.Fatalf("%d %+v, %v", resp.StatusCode, answer, err)
	}
	u, err := url.Parse(answer.To)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("code"), u.Query().Get("state")
}

// status calls an API with an access token.
func (s *site) status(t *testing.T, path, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.url(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
