// Package secrets searches everything that a gateway says and stores for what
// must stay secret.
package secrets

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
	"github.com/grapnel-gateway/grapnel/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// What must stay secret, beside what the gateway makes itself. No text of the
// configuration's structure contains any of it.
const (
	org            = "acme"
	controlSecret  = "Zq1-control-secret"
	wrongControl   = "Zq2-wrong-control-secret"
	customKey      = "Zq3-custom-key"
	unknownKey     = "Zq4-unknown-key"
	password       = "Zq5-password"
	wrongPassword  = "Zq6-wrong-password"
	tokenSecret    = "Zq7-secret-of-tokens"
	pluginToken    = "Zq8-token-for-the-plugin"
	refusedToken   = "Zq9-token-that-the-plugin-refuses"
	webhookSecret  = "Zq10-secret-of-the-webhook"
	storePassword  = "Zq11-password-of-the-store"
	targetPassword = "Zq12-password-of-the-upstream"
)

// object is one of a configuration, or of JSON.
type object = map[string]any

// A site is a gateway, and what it has said so far.
type site struct {
	*program.Gateway
	control string
	secrets []string // that must not be found
	errors  strings.Builder
}

// newSite starts a gateway with the store and a log of the format.
func newSite(t *testing.T, store, format string) *site {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(upstream.Close)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) }))
	t.Cleanup(hook.Close)
	nowhere := "http://user:" + targetPassword + "@" + program.FreeAddr(t)

	s := &site{secrets: []string{
		controlSecret, wrongControl, customKey, unknownKey, password, wrongPassword, tokenSecret, pluginToken, refusedToken,
		webhookSecret, storePassword, targetPassword,
	}}
	addr, control := program.FreeAddr(t), program.FreeAddr(t)
	s.control = "http://" + control + "/tyk"
	config, err := json.Marshal(object{
		"listen": addr, "store": store,
		"admin":   object{"listen": control, "secret": controlSecret},
		"log":     object{"level": "debug", "format": format},
		"plugins": object{"p": object{"target": startPlugin(t), "timeout": "20s"}, "gone": object{"target": program.FreeAddr(t)}},
		"apis":    apis(upstream.URL, nowhere, hook.URL),
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "grapnel.yaml")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Gateway = program.Start(t, addr, "run", "--config", file)
	return s
}

// apis are one API for each method, twice: with an upstream that answers, and with
// one that is down. All tell of everything.
func apis(upstream, nowhere, webhook string) []object {
	handlers := []object{
		{"handler": "told"}, {"plugin": "p", "handler": "Refuses"}, {"plugin": "gone", "handler": "Never"},
		{"webhook": object{"url": webhook, "headers": object{"Authorization": "Bearer " + webhookSecret}}},
	}
	events := object{}
	for _, name := range []string{"AuthFailure", "KeyExpired", "RatelimitExceeded", "QuotaExceeded", "TokenCreated", "TokenUpdated", "TokenDeleted"} {
		events[name] = handlers
	}
	byHeader := object{"extract_from": "header", "extract_with": "value", "header": "Authorization"}
	var out []object
	for id, method := range map[string]object{
		"token":     {"token": object{"param": "key", "cookie": "key"}},
		"basic":     {"basic": object{}},
		"jwt":       {"jwt": object{"algorithms": []string{"HS256"}, "secret": tokenSecret}},
		"hmac":      {"hmac": object{}},
		"custom":    {"plugin": "p", "hook": "check"},
		"extracted": {"plugin": "p", "hook": "check", "id_extractor": byHeader},
		"broken":    {"plugin": "p", "hook": "fails"},
		"gone":      {"plugin": "gone", "hook": "check"},
	} {
		for at, target := range map[string]string{id: upstream, id + "-down": nowhere} {
			out = append(out, object{
				"id": at, "org_id": org, "listen_path": "/" + at + "/", "target": target, "auth": []object{method}, "events": events,
				"hooks": object{"pre": []object{{"plugin": "p", "hook": "echo"}}, "response": []object{{"plugin": "p", "hook": "echo"}}},
			})
		}
	}
	return out
}

// call makes a request, and keeps what an error reply says.
func (s *site) call(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		resp.Header.Write(&s.errors) // a strings.Builder takes everything
		s.errors.Write(append(body, '\n'))
	}
	return resp.StatusCode, string(body)
}

// request makes a request to an API, with a header unless it is empty.
func (s *site) request(t *testing.T, path, name, value string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://"+s.Addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if name != "" {
		r.Header.Set(name, value)
	}
	return r
}

// command calls the control API.
func (s *site) command(t *testing.T, secret, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, s.control+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Tyk-Authorization", secret)
	return s.call(t, r)
}

// search fails the test for every secret that the text has, in any of the forms in
// which it may have travelled.
func (s *site) search(t *testing.T, where, text string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		quoted, err := json.Marshal(secret)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(string(quoted), `"`),
			base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
		} {
			at := strings.Index(text, form)
			if at < 0 {
				continue
			}
			t.Errorf("%s has the secret %q: …%q…", where, secret, text[max(0, at-200):min(len(text), at+len(form)+50)])
			break
		}
	}
}

// A plugin lets in who presents its token, and fails where it is told to.
type plugin struct {
	coprocess.UnimplementedDispatcherServer
}

func startPlugin(t *testing.T) (target string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	coprocess.RegisterDispatcherServer(server, plugin{})
	go server.Serve(l) // ends when the server is stopped
	t.Cleanup(server.Stop)
	return l.Addr().String()
}

func (plugin) Dispatch(_ context.Context, o *coprocess.Object) (*coprocess.Object, error) {
	switch credential := o.GetRequest().GetHeaders()["Authorization"]; {
	case o.GetHookName() == "fails":
		return nil, status.Error(codes.Internal, "no reason")
	case o.GetHookName() != "check":
	case credential == pluginToken:
		o.Session = &coprocess.SessionState{Rate: 100, Per: 60, QuotaMax: 100, QuotaRenewalRate: 60, IdExtractorDeadline: time.Now().Unix() + 60}
		o.Metadata = map[string]string{"token": pluginToken}
	default:
		o.Request.ReturnOverrides = &coprocess.ReturnOverrides{ResponseCode: http.StatusForbidden, ResponseError: "who are you?"}
	}
	return o, nil
}

func (plugin) DispatchEvent(context.Context, *coprocess.Event) (*coprocess.EventReply, error) {
	return nil, status.Error(codes.Unavailable, "not now")
}
