package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/admin"
	"github.com/grapnel-gateway/grapnel/keys"
	"github.com/grapnel-gateway/grapnel/oauth"
	"github.com/grapnel-gateway/grapnel/store"
)

const (
	secret  = "the secret"
	address = "192.0.2.1:1"
)

// A site is a control API over a real store.
type site struct {
	store   grapnel.Store
	ring    *keys.Ring
	apis    map[string]*grapnel.API
	reloads int
	err     error           // of reloads
	ctx     context.Context // of the last reload
	events  []string        // "type org key"
	plugins []admin.PluginStatus
	log     strings.Builder
	handler http.Handler
	rival   func() // what somebody else does during the next change of a record
}

// Reload counts, and fails when told to.
func (s *site) Reload(ctx context.Context) error {
	s.reloads++
	s.ctx = ctx
	return s.err
}

// onStores runs a test on each store that needs no other process.
func onStores(t *testing.T, test func(t *testing.T, url string)) {
	for name, url := range map[string]string{"memory": "memory:", "file": filepath.Join(t.TempDir(), "test.db")} {
		t.Run(name, func(t *testing.T) { test(t, url) })
	}
}

// plain are the rules of a Tyk set-up that hashes nothing, hashed those of a
// native one.
func plain() grapnel.KeyRules  { return grapnel.KeyRules{MinLength: 3} }
func hashed() grapnel.KeyRules { var r grapnel.KeyRules; r.SetDefaults(); return r }

func newSite(t *testing.T, url string, rules grapnel.KeyRules, policies ...*grapnel.Policy) *site {
	t.Helper()
	s := &site{apis: map[string]*grapnel.API{}}
	var err error
	if s.store, err = store.Open(url, store.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.store.Close() })
	if s.ring, err = keys.New(s.store, rules, keys.NewPolicies(policies...)); err != nil {
		t.Fatal(err)
	}
	s.handler = admin.Handler(admin.Options{
		Secret: secret, Control: s, Keys: s.ring, Rules: rules, Counters: s.store, Catalog: s.store, Signals: s.store,
		Policy: func(id string) (*grapnel.Policy, bool) { return s.ring.Policies().Policy(id) },
		API:    func(id string) *grapnel.API { return s.apis[id] },
		APIs:   func() []*grapnel.API { return slices.Collect(maps.Values(s.apis)) },
		OAuth:  oauth.New(oauth.Options{Records: contested{s.store, s}, Keys: s.ring}), Records: s.store,
		Validate: func(definition []byte) error {
			if strings.Contains(string(definition), "unservable") {
				return errors.New("it is unservable")
			}
			return nil
		},
		Plugins: func() []admin.PluginStatus { return s.plugins },
		Event:   func(e grapnel.EventType, org, key string) { s.events = append(s.events, string(e)+" "+org+" "+key) },
		Log:     slog.New(slog.NewTextHandler(&s.log, nil)),
	})
	return s
}

// contested are records that somebody else changes, where the site says so, just
// before they are changed.
type contested struct {
	grapnel.Store
	site *site
}

func (c contested) SwapRecord(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	if rival := c.site.rival; rival != nil {
		c.site.rival = nil
		rival()
	}
	return c.Store.SwapRecord(ctx, key, old, new, ttl)
}

// call makes a call with the secret, and holds the reply to the description of
// the API.
func (s *site) call(t *testing.T, method, target, body string) (int, string) {
	t.Helper()
	w := call(s.handler, method, target, body, secret, address)
	describedAs(t, method, target, w)
	return w.Code, w.Body.String()
}

// want makes a call and compares the reply.
func (s *site) want(t *testing.T, method, target, body string, status int, reply string) {
	t.Helper()
	if got, text := s.call(t, method, target, body); got != status || text != reply {
		t.Errorf("%s %s: got %d %s, want %d %s", method, target, got, text, status, reply)
	}
}

// key makes a call that must succeed and returns the key of the reply.
func (s *site) key(t *testing.T, method, target, body string) string {
	t.Helper()
	status, text := s.call(t, method, target, body)
	var done admin.Change
	if err := json.Unmarshal([]byte(text), &done); err != nil || status != http.StatusOK {
		t.Fatalf("%s %s: got %d %s", method, target, status, text)
	}
	return done.Key
}

// session makes a call that must return a session.
func (s *site) session(t *testing.T, method, target, body string) *grapnel.Session {
	t.Helper()
	status, text := s.call(t, method, target, body)
	got := new(grapnel.Session)
	if err := json.Unmarshal([]byte(text), got); err != nil || status != http.StatusOK {
		t.Fatalf("%s %s: got %d %s", method, target, status, text)
	}
	return got
}

func (s *site) wantEvents(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func call(h http.Handler, method, target, body, secret, address string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.RemoteAddr = address
	if secret != "" {
		r.Header.Set("X-Tyk-Authorization", secret)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// done and refused are the replies of section 8.1.
func done(key, action string) string {
	return `{"key":"` + key + `","status":"ok","action":"` + action + `"}`
}

func refused(message string) string { return `{"status":"error","message":"` + message + `"}` }

// near reports whether Unix seconds are within a minute of a time.
func near(unix int64, at time.Time) bool {
	d := time.Unix(unix, 0).Sub(at)
	return d > -time.Minute && d < time.Minute
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
