package oauth_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel"
)

// TestAuthorize: a user is sent to log in, with all that the client asked.
func TestAuthorize(t *testing.T) {
	s := newSite(t, "memory:")
	c := s.client(t, "phone", true)
	ask := url.Values{
		"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {back}, "state": {"a&b=c"}, "login_hint": {"ann"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	sent := maps.Clone(ask)
	sent.Set("brand", "evil") // is not the client's to say
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		resp := s.call(t, s.request(method, "oauth/authorize/", sent))
		to, err := resp.Location()
		if err != nil || resp.StatusCode != http.StatusSeeOther || to.Host != "login.example" || to.Path != "/in" {
			t.Fatalf("%s: %d to %v, %v", method, resp.StatusCode, to, err)
		}
		got := to.Query()
		for name := range ask {
			if got.Get(name) != ask.Get(name) {
				t.Errorf("%s: %s is %q", method, name, got.Get(name))
			}
		}
		if got.Get("brand") != "x" {
			t.Errorf("%s: what the page's own URL has is lost: %s", method, to)
		}
	}
	s.api.OAuth().Login = nil
	if resp := s.call(t, s.request(http.MethodGet, "oauth/authorize", ask)); resp.StatusCode != http.StatusNotFound {
		t.Errorf("without a page: %d", resp.StatusCode)
	}
}

// TestOpenRedirect: nobody is sent to a URI that is not, letter by letter, one of
// the client's; not even with an error [RFC 9700 4.1, 4.11].
func TestOpenRedirect(t *testing.T) {
	s := newSite(t, "memory:")
	c := s.client(t, "phone", true)
	for _, uri := range []string{
		"https://evil.example/", back + "/..", back + "&x=1", back + "#", strings.ToUpper(back), "https://app.example/back",
		"https://app.example/back?tab=1%20", "https://app.example@evil.example/back?tab=1", "//app.example/back?tab=1",
		"https://app.example/back?tab=1 https://other.example/", "javascript:alert(1)", "",
	} {
		for _, kind := range []string{"code", "token", ""} {
			ask := url.Values{
				"response_type": {kind}, "client_id": {c.ID}, "redirect_uri": {uri},
				"code_challenge": {challenge}, "code_challenge_method": {"S256"},
			}
			resp := s.call(t, s.request(http.MethodGet, "oauth/authorize/", ask))
			if to := resp.Header.Get("Location"); to != "" || resp.StatusCode != http.StatusBadRequest {
				t.Errorf("%q, %q: %d to %q", uri, kind, resp.StatusCode, to)
			}
		}
		wantRefusal(t, uri, s.code(t, c, url.Values{"redirect_uri": {uri}}), 400, "invalid_request")
	}
	ask := url.Values{"response_type": {"code"}, "client_id": {"nobody"}, "redirect_uri": {back}}
	if resp := s.call(t, s.request(http.MethodGet, "oauth/authorize/", ask)); resp.Header.Get("Location") != "" {
		t.Error("an unknown client's user is sent away")
	}
	twice := url.Values{"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {back, "https://evil.example/"}}
	if resp := s.call(t, s.request(http.MethodGet, "oauth/authorize/", twice)); resp.Header.Get("Location") != "" {
		t.Error("with two redirect URIs the user is sent away")
	}
}

// TestState: what the client knows its user by again comes back as it was, with
// the code and with an error; nothing else of the client's URI is lost
// [RFC 6749 10.12].
func TestState(t *testing.T) {
	s := newSite(t, "memory:")
	c := s.client(t, "phone", true)
	a := s.code(t, c, nil)
	to, err := url.Parse(a.To)
	if err != nil || a.Code == "" || !strings.HasPrefix(a.To, "https://app.example/back?") {
		t.Fatalf("%+v, %v", a, err)
	}
	if q := to.Query(); q.Get("state") != "a&b=c" || q.Get("code") != a.Code || q.Get("tab") != "1" {
		t.Errorf("redirect_to is %s", a.To)
	}
	ask := url.Values{"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {back}, "state": {"a&b=c"}}
	resp := s.call(t, s.request(http.MethodGet, "oauth/authorize/", ask))
	if to, err = resp.Location(); err != nil {
		t.Fatal(err)
	}
	if q := to.Query(); q.Get("state") != "a&b=c" || q.Get("error") != "invalid_request" || q.Has("code") || q.Get("tab") != "1" {
		t.Errorf("the error goes to %s", to)
	}
}

// TestOneRedirect: a client with one URI need not name it; who named it must do
// so again [RFC 6749 4.1.3].
func TestOneRedirect(t *testing.T) {
	s := newSite(t, "memory:")
	c := grapnel.OAuthClient{ID: "shop", Secret: "s", RedirectURI: back}
	if err := s.server.PutClient(t.Context(), s.api, c); err != nil {
		t.Fatal(err)
	}
	unnamed := url.Values{"redirect_uri": {""}}
	a := s.code(t, c, unnamed)
	if !strings.HasPrefix(a.To, "https://app.example/back?") {
		t.Fatalf("%+v", a)
	}
	if got := s.exchange(t, c, a.Code, unnamed); got.Access == "" {
		t.Errorf("never named: %+v", got)
	}
	if got := s.exchange(t, c, s.code(t, c, unnamed).Code, nil); got.Access == "" {
		t.Errorf("named at the end: %+v", got)
	}
	wantRefusal(t, "named at first", s.exchange(t, c, s.code(t, c, nil).Code, unnamed), 400, "invalid_grant")
}

// TestLoginPage: only who knows the operator's secret gets codes, and says what
// the user may do.
func TestLoginPage(t *testing.T) {
	s := newSite(t, "memory:")
	c := s.client(t, "shop", false)
	for _, secret := range []string{"", "wrong", c.Secret} {
		r := s.request(http.MethodPost, "tyk/oauth/authorize-client", url.Values{"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {back}})
		if secret != "" {
			r.Header.Set("X-Tyk-Authorization", secret)
		}
		if a := read(t, s.call(t, r)); a.status != http.StatusForbidden || a.Code != "" {
			t.Errorf("with %q: %+v", secret, a)
		}
	}
	rules := url.Values{"key_rules": {`{"alias":"ann","rate":5,"per":1,"oauth_client_id":"other","org_id":"evil","meta_data":{"tier":"silver"},
		"access_rights":{"stock":{"api_id":"stock","versions":["Default"]}}}`}}
	a := s.exchange(t, c, s.code(t, c, rules).Code, nil)
	session, err := s.ring.Find(t.Context(), "acme", a.Access)
	if err != nil {
		t.Fatalf("%+v: %v", a, err)
	}
	if _, ok := session.AccessRights["stock"]; !ok || len(session.AccessRights) != 1 || session.Alias != "ann" || session.Rate != 5 || session.Metadata["tier"] != "silver" {
		t.Errorf("session is %+v", session)
	}
	if session.OAuthClientID != c.ID || session.OrgID != "acme" {
		t.Errorf("the login page made a session of %q in %q", session.OAuthClientID, session.OrgID)
	}
	wantRefusal(t, "rules that are none", s.code(t, c, url.Values{"key_rules": {"{"}}), 400, "invalid_request")
}
