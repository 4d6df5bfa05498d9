// Package fleet looks at gateways from outside: as processes of their own that
// share a store, are killed, and lose their Redis.
package fleet

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

const (
	// patience bounds every wait; nothing that works comes near it.
	patience = 20 * time.Second
	// secret is the control API's, on all gateways.
	secret = "fleet-secret"
	// org owns all APIs.
	org = "fleet"
)

// object is one of a configuration, or of JSON.
type object = map[string]any

// A site is what its gateways have in common: the configuration, the plugin
// server and the upstream.
type site struct {
	config   object
	plugin   *plugin
	upstream *upstream
	client   *http.Client
	dir      string // the working folder of the test
}

// newSite starts everything but the gateways, which will use the store and serve
// the APIs.
func newSite(t *testing.T, store string, apis ...object) *site {
	t.Helper()
	s := &site{
		plugin: startPlugin(t), upstream: newUpstream(t), dir: t.TempDir(),
		client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
	}
	t.Cleanup(s.client.CloseIdleConnections)
	for _, a := range apis {
		a["target"], a["org_id"] = s.upstream.URL, org
	}
	s.config = object{
		"store": store, "apis": apis,
		"keys":    object{"hash": true, "cache_for": "1m"}, // so that news, not age, ends what is remembered
		"log":     object{"format": "json", "level": "info", "access": false},
		"plugins": object{"p": object{"target": s.plugin.target, "timeout": patience.String()}},
	}
	return s
}

// api is an API that is found under its id.
func api(id string, auth ...object) object {
	return object{"id": id, "listen_path": "/" + id + "/", "auth": append([]object{}, auth...)}
}

// tokenAuth takes stored keys as they are.
func tokenAuth() object { return object{"token": object{}} }

// pluginAuth asks the plugin's hook, with an id extractor if there is one.
func pluginAuth(hook string, extractor object) object {
	m := object{"plugin": "p", "hook": hook}
	if extractor != nil {
		m["id_extractor"] = extractor
	}
	return m
}

// byHeader extracts ids from the Authorization header.
func byHeader() object {
	return object{"extract_from": "header", "extract_with": "value", "header": "Authorization"}
}

// rights are the access rights to the APIs.
func rights(ids ...string) object {
	out := object{}
	for _, id := range ids {
		out[id] = object{"api_id": id, "api_name": id, "versions": []string{"Default"}}
	}
	return out
}

// A gateway is one gateway of a site.
type gateway struct {
	*program.Gateway
	control string // where its control API is
	file    string // its configuration
	client  *http.Client
}

// start starts a gateway of the site.
func (s *site) start(t *testing.T) *gateway {
	t.Helper()
	addr, control := program.FreeAddr(t), program.FreeAddr(t)
	config := maps.Clone(s.config)
	config["listen"], config["admin"] = addr, object{"listen": control, "secret": secret}
	file := filepath.Join(t.TempDir(), "grapnel.yaml")
	write(t, file, config) // JSON is YAML, too
	g := &gateway{control: "http://" + control + "/tyk", file: file, client: s.client}
	g.Gateway = program.Start(t, addr, "run", "--config", file)
	return g
}

// again starts the gateway anew, after it has ended.
func (g *gateway) again(t *testing.T) {
	t.Helper()
	g.Gateway = program.Start(t, g.Addr, "run", "--config", g.file)
}

// write writes v as JSON.
func write(t *testing.T, file string, v any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// A reply is what came back.
type reply struct {
	status int
	header http.Header
	body   string
}

// refusal is the text of an error reply.
func (r reply) refusal() string {
	var body struct{ Error string }
	if json.Unmarshal([]byte(r.body), &body) != nil {
		return r.body
	}
	return body.Error
}

// get asks for a path, with a credential in the Authorization header unless it
// is empty.
func (g *gateway) get(t testing.TB, path, credential string) reply {
	t.Helper()
	r, err := g.try(path, credential)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// try is get for gateways that may be gone.
func (g *gateway) try(path, credential string) (reply, error) {
	r, err := http.NewRequest(http.MethodGet, "http://"+g.Addr+path, nil)
	if err != nil {
		return reply{}, err
	}
	if credential != "" {
		r.Header.Set("Authorization", credential)
	}
	return send(g.client, r)
}

func send(client *http.Client, r *http.Request) (reply, error) {
	resp, err := client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(body)}, err
}

// command calls the control API, which must say yes, and returns what it says. A
// body is sent as JSON, unless it is text.
func (g *gateway) command(t testing.TB, method, path string, body any) string {
	t.Helper()
	r := g.ask(t, method, path, body)
	if r.status != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, r.status, r.body)
	}
	return r.body
}

// ask is command for calls that may be refused.
func (g *gateway) ask(t testing.TB, method, path string, body any) reply {
	t.Helper()
	text, ok := body.(string)
	if !ok && body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		text = string(b)
	}
	r, err := http.NewRequest(method, g.control+path, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Tyk-Authorization", secret)
	got, err := send(g.client, r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// createKey creates a key, and returns it.
func (g *gateway) createKey(t testing.TB, session object) string {
	t.Helper()
	session["org_id"] = org
	var created struct{ Key string }
	decode(t, g.command(t, http.MethodPost, "/keys/create", session), &created)
	return created.Key
}

// keyPath is a key's path in the control API.
func keyPath(key string) string { return "/keys/" + url.PathEscape(key) }

func decode(t testing.TB, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// await waits until the condition holds, and returns how long that took.
func await(t testing.TB, what string, holds func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	for !holds() {
		if time.Since(begin) > patience {
			t.Fatalf("after %v: still not %s", patience, what)
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(begin)
}

// An upstream counts the requests that reach it, and remembers the last one.
type upstream struct {
	*httptest.Server
	hits atomic.Int64

	mu   sync.Mutex
	last *http.Request
	body string
}

func newUpstream(t *testing.T) *upstream {
	u := &upstream{}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.hits.Add(1)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		u.last, u.body = r, string(body)
	}))
	t.Cleanup(u.Close)
	return u
}

// seen is the last request, and its body.
func (u *upstream) seen() (*http.Request, string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last, u.body
}
