package oauth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/keys"
	"github.com/grapnel-gateway/grapnel/oauth"
	"github.com/grapnel-gateway/grapnel/store"
	"github.com/grapnel-gateway/grapnel/store/storetest"
)

const (
	operator = "the operator's secret"
	back     = "https://app.example/back?tab=1"
	// verifier and challenge are those of RFC 7636, appendix B.
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// A site is an API with an authorization server, over a real store.
type site struct {
	store  grapnel.Store
	ring   *keys.Ring
	server *oauth.Server
	api    *grapnel.API
	log    bytes.Buffer
}

// onStores runs a test on each kind of store.
func onStores(t *testing.T, test func(*testing.T, *site)) {
	for name, url := range map[string]string{"memory": "memory:", "file": filepath.Join(t.TempDir(), "test.db"), "redis": storetest.Redis(t).URL()} {
		t.Run(name, func(t *testing.T) { test(t, newSite(t, url)) })
	}
}

func newSite(t *testing.T, url string, policies ...*grapnel.Policy) *site {
	t.Helper()
	s := &site{api: newAPI(t, "orders")}
	var err error
	if s.store, err = store.Open(url, store.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.store.Close() })
	var rules grapnel.KeyRules
	rules.SetDefaults()
	if s.ring, err = keys.New(s.store, rules, keys.NewPolicies(policies...)); err != nil {
		t.Fatal(err)
	}
	s.server = oauth.New(oauth.Options{Records: s.store, Keys: s.ring, Operator: func(client netip.Addr, secret string) error {
		if secret != operator {
			return &grapnel.Error{Status: http.StatusForbidden, Code: grapnel.CodeForbidden, Message: "wrong"}
		}
		return nil
	}})
	return s
}

func newAPI(t *testing.T, id string) *grapnel.API {
	t.Helper()
	o := &grapnel.OAuthAuth{}
	o.SetDefaults()
	o.Login = &grapnel.URL{}
	if err := o.Login.UnmarshalText([]byte("https://login.example/in?brand=x")); err != nil {
		t.Fatal(err)
	}
	return &grapnel.API{ID: id, Name: id, OrgID: "acme", Auth: []grapnel.AuthMethod{{OAuth: o}}}
}

// client makes a client with a secret, or a public one.
func (s *site) client(t *testing.T, id string, public bool) grapnel.OAuthClient {
	t.Helper()
	c := grapnel.OAuthClient{ID: id, RedirectURI: back + " https://other.example/", Public: public, Metadata: map[string]any{"tier": "gold"}}
	if !public {
		c.Secret = "s:%&+ " + id
	}
	if err := s.server.PutClient(t.Context(), s.api, c); err != nil {
		t.Fatal(err)
	}
	return c
}

// call makes a request below the listen path of the API.
func (s *site) call(t *testing.T, r *http.Request) *http.Response {
	t.Helper()
	h := oauth.Endpoints(s.server, s.api)(func(*grapnel.Exchange) (*http.Response, error) {
		return nil, errors.New("it went on to the upstream")
	})
	x := &grapnel.Exchange{ID: "x", Request: r, API: s.api, Prefix: "/" + s.api.ID, Log: slog.New(slog.NewTextHandler(&s.log, nil))}
	resp, err := h(x)
	if err != nil {
		e := grapnel.AsError(err)
		if e.Status == http.StatusInternalServerError {
			t.Fatalf("%s %s: %v", r.Method, r.URL, err)
		}
		resp = grapnel.Reply(e.Status, nil, []byte(`{"error":"`+e.Message+`"}`))
	}
	return resp
}

func (s *site) request(method, path string, form url.Values) *http.Request {
	if method == http.MethodGet {
		return httptest.NewRequest(method, "/"+s.api.ID+"/"+path+"?"+form.Encode(), nil)
	}
	r := httptest.NewRequest(method, "/"+s.api.ID+"/"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// An answer is what any of the endpoints says.
type answer struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token"`
	Type      string `json:"token_type"`
	ExpiresIn int64  `json:"expires_in"`
	Code      string `json:"code"`
	To        string `json:"redirect_to"`
	Error     string `json:"error"`
	Active    bool   `json:"active"`
	ClientID  string `json:"client_id"`
	status    int
}

func read(t *testing.T, resp *http.Response) answer {
	t.Helper()
	a := answer{status: resp.StatusCode}
	text, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(text, &a)
	}
	if err != nil {
		t.Fatalf("%d %q: %v", resp.StatusCode, text, err)
	}
	return a
}

// post calls an endpoint as a client that logs in with the form.
func (s *site) post(t *testing.T, path string, c grapnel.OAuthClient, form url.Values) answer {
	t.Helper()
	form = maps.Clone(form)
	form.Set("client_id", c.ID)
	if c.Secret != "" {
		form.Set("client_secret", c.Secret)
	}
	return read(t, s.call(t, s.request(http.MethodPost, path, form)))
}

// code has the login page make a code for the client; more overrides the
// request.
func (s *site) code(t *testing.T, c grapnel.OAuthClient, more url.Values) answer {
	t.Helper()
	form := url.Values{
		"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {back}, "state": {"a&b=c"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for name, value := range more {
		form[name] = value
	}
	form = without(form)
	r := s.request(http.MethodPost, "tyk/oauth/authorize-client/", form)
	r.Header.Set("X-Tyk-Authorization", operator)
	return read(t, s.call(t, r))
}

// without leaves out what has no value.
func without(form url.Values) url.Values {
	maps.DeleteFunc(form, func(_ string, v []string) bool { return slices.Equal(v, []string{""}) })
	return form
}

// exchange changes a code for tokens.
func (s *site) exchange(t *testing.T, c grapnel.OAuthClient, code string, more url.Values) answer {
	t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {back}, "code_verifier": {verifier}}
	for name, value := range more {
		form[name] = value
	}
	return s.post(t, "oauth/token/", c, without(form))
}

func (s *site) refresh(t *testing.T, c grapnel.OAuthClient, token string) answer {
	t.Helper()
	return s.post(t, "oauth/token/", c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// tokens gets tokens in the whole way.
func (s *site) tokens(t *testing.T, c grapnel.OAuthClient) answer {
	t.Helper()
	a := s.exchange(t, c, s.code(t, c, nil).Code, nil)
	if a.status != http.StatusOK || a.Access == "" || a.Refresh == "" || a.Type != "bearer" || a.ExpiresIn != 3600 {
		t.Fatalf("no tokens: %+v", a)
	}
	return a
}

// counts reports whether an access token counts.
func (s *site) counts(t *testing.T, token string) bool {
	t.Helper()
	session, err := s.ring.Find(t.Context(), "acme", token)
	if err != nil && !errors.Is(err, grapnel.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil && session.Expires > time.Now().Unix()
}

func wantRefusal(t *testing.T, what string, a answer, status int, code string) {
	t.Helper()
	if a.status != status || a.Error != code || a.Access != "" || a.Code != "" {
		t.Errorf("%s: got %+v, want %d %s", what, a, status, code)
	}
}

// failing are records that fail from some moment on.
type failing struct {
	records
	after int
}

// records is another name: an embedded field cannot be called as its method.
type records = grapnel.Records

func (f *failing) SwapRecord(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	if f.after--; f.after < 0 {
		return grapnel.ErrUnavailable
	}
	return f.records.SwapRecord(ctx, key, old, new, ttl)
}
