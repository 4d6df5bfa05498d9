package examples_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/grapnel-gateway/grapnel/test/program"
)

// object is one of a configuration.
type object = map[string]any

// A site is a gateway that asks one sample, and an upstream.
type site struct {
	*program.Gateway
	upstream *upstream
	client   *http.Client
}

// newSite starts a gateway with an API for each of the table's.
func newSite(t *testing.T, s *sample) *site {
	t.Helper()
	site := &site{upstream: newUpstream(t), client: &http.Client{Timeout: patience}}
	t.Cleanup(site.client.CloseIdleConnections)
	addr := program.FreeAddr(t)
	config, err := json.Marshal(object{ // which is YAML, too
		"listen":  addr,
		"admin":   object{"listen": ""},
		"store":   "memory:",
		"log":     object{"access": false},
		"plugins": object{"sample": object{"target": s.target, "timeout": patience.String(), "max_receive": "64MiB"}},
		"apis":    apis(site.upstream.URL),
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "grapnel.yaml")
	if err := os.WriteFile(file, config, 0o644); err != nil {
		t.Fatal(err)
	}
	site.Gateway = program.Start(t, addr, "run", "--config", file)
	return site
}

// apis are the APIs that the table of cases asks for.
func apis(upstream string) []object {
	hook := func(name string) []object { return []object{{"plugin": "sample", "hook": name}} }
	list := map[string]object{
		"headers": {"hooks": object{"pre": hook("Headers")}},
		"deny":    {"hooks": object{"pre": hook("Deny")}},
		"teapot":  {"hooks": object{"pre": hook("Teapot")}},
		"tenant":  {"hooks": object{"pre": hook("Tenant")}, "config_data": object{"tenant": "Zoë & Söhne"}},
		"token":   {"auth": hook("CheckToken")},
		"session": {"auth": hook("CheckToken"), "hooks": object{"post_key_auth": hook("ReadSession")}},
		"rewrite": {"hooks": object{"post": hook("Rewrite")}},
		"reply":   {"hooks": object{"response": hook("Reply")}},
		"crash":   {"hooks": object{"pre": hook("Crash")}},
		"nobody":  {"hooks": object{"pre": hook("NoSuchHook"), "response": hook("NoSuchHook")}},
		"echo": {"auth": hook("CheckToken"), "hooks": object{
			"pre": hook("Echo"), "post_key_auth": hook("Echo"), "post": hook("Echo"), "response": hook("Echo"),
		}},
		"all": {"auth": hook("CheckToken"), "config_data": object{"tenant": "acme"}, "hooks": object{
			"pre":           append(append(hook("Headers"), hook("Deny")...), hook("Tenant")...),
			"post_key_auth": hook("ReadSession"), "post": hook("Rewrite"), "response": hook("Reply"),
		}},
	}
	var all []object
	for id, a := range list {
		a["id"], a["listen_path"], a["target"] = id, "/"+id+"/", upstream
		a["events"] = object{"AuthFailure": []object{{"plugin": "sample", "handler": "on_failure"}}}
		all = append(all, a)
	}
	return all
}

// A message is a request as the upstream got it, or a reply as the client did:
// what the samples could have changed.
type message struct {
	Line   string            // method and URI, or status
	Header map[string]string // those that matter, with all values
	Body   string
}

// ask sends a request, and returns the reply and what the upstream got, if it
// did.
func (s *site) ask(method, path string, header map[string]string, body string) (reply, received message, err error) {
	r, err := http.NewRequest(method, "http://"+s.Addr+path, strings.NewReader(body))
	if err != nil {
		return reply, received, err
	}
	for name, value := range header {
		r.Header[name] = []string{value}
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return reply, received, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	reply = message{fmt.Sprint(resp.StatusCode), relevant(resp.Header), short(b)}
	return reply, s.upstream.take(resp.Header.Get("X-Exchange")), err
}

// relevant are the headers that samples see and change: those of the tests
// begin with X-.
func relevant(h http.Header) map[string]string {
	kept := map[string]string{}
	for name, values := range h {
		switch {
		case strings.HasPrefix(name, "X-Forwarded"), name == "X-Request-Id", name == "X-Exchange", name == "X-Real-Ip":
		case strings.HasPrefix(name, "X-"), name == "Content-Type", name == "Set-Cookie":
			kept[name] = strings.Join(values, ", ")
		}
	}
	return kept
}

// short is a body, or what a long one is known by.
func short(body []byte) string {
	if len(body) <= 1000 {
		return string(body)
	}
	return fmt.Sprintf("%d bytes, SHA-256 %x", len(body), sha256.Sum256(body))
}

// An upstream sends every body back and keeps what it got. Its replies have
// headers for the Reply hook, and the status in the parameter status.
type upstream struct {
	*httptest.Server
	mu  sync.Mutex
	got map[string]message // by the X-Exchange of their replies
}

func newUpstream(t *testing.T) *upstream {
	u := &upstream{got: map[string]message{}}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		u.mu.Lock()
		id := fmt.Sprint(len(u.got) + 1)
		u.got[id] = message{r.Method + " " + r.RequestURI, relevant(r.Header), short(body)}
		u.mu.Unlock()
		h := w.Header()
		h.Set("X-Exchange", id)
		h.Set("X-Internal", "upstream-7")
		h.Set("X-Utf-8", "Größe ☃")
		h["Set-Cookie"] = []string{"a=1", "b=2"}
		h.Set("Content-Type", "application/octet-stream")
		if r.URL.Query().Has("missing") {
			w.WriteHeader(http.StatusNotFound)
		}
		io.Copy(w, bytes.NewReader(body))
	}))
	t.Cleanup(u.Close)
	return u
}

// take returns the request that a reply answers; it is empty for a reply that
// is not the upstream's.
func (u *upstream) take(id string) message {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.got[id]
}
