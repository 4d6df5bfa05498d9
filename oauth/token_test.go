package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/grapnel-gateway/grapnel"
)

// TestClientCredentials: a client gets an access token of its own, whose session
// says whose it is and opens this API alone [RFC 6749 4.4, L-2].
func TestClientCredentials(t *testing.T) {
	onStores(t, func(t *testing.T, s *site) {
		c := s.client(t, "shop", false)
		a := s.post(t, "oauth/token", c, url.Values{"grant_type": {"client_credentials"}})
		if a.status != http.StatusOK || a.Access == "" || a.Refresh != "" {
			t.Fatalf("got %+v", a)
		}
		session, err := s.ring.Find(t.Context(), "acme", "Bearer "+a.Access)
		if err != nil {
			t.Fatal(err)
		}
		if session.OAuthClientID != "shop" || session.OAuthKeys["shop"] == "" || session.OrgID != "acme" || session.Metadata["tier"] != "gold" {
			t.Errorf("session is %+v", session)
		}
		if _, ok := session.AccessRights["orders"]; !ok || len(session.AccessRights) != 1 {
			t.Errorf("rights are %v", session.AccessRights)
		}
		if strings.Contains(session.OAuthKeys["shop"], a.Access) {
			t.Error("the session names its token")
		}
	})
}

// TestClientLogin: by Basic, encoded or not, or by the form, and not by both
// [RFC 6749 2.3.1]. A wrong secret and an unknown client look the same.
func TestClientLogin(t *testing.T) {
	s := newSite(t, "memory:")
	c, public := s.client(t, "shop", false), s.client(t, "phone", true)
	none := url.Values{"grant_type": {"client_credentials"}}
	both := url.Values{"grant_type": {"client_credentials"}, "client_secret": {c.Secret}}
	other := url.Values{"grant_type": {"client_credentials"}, "client_id": {"phone"}}
	body := func(id, secret string) url.Values {
		return url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	}
	for _, tt := range []struct {
		name       string
		id, secret string // of Basic
		form       url.Values
		status     int
		error      string
	}{
		{"basic, encoded", url.QueryEscape(c.ID), url.QueryEscape(c.Secret), none, 200, ""},
		{"basic, as it is", c.ID, c.Secret, none, 200, ""},
		{"form", "", "", body(c.ID, c.Secret), 200, ""},
		{"both", c.ID, c.Secret, both, 400, "invalid_request"},
		{"basic of another", c.ID, c.Secret, other, 400, "invalid_request"},
		{"wrong secret, basic", c.ID, "wrong", none, 401, "invalid_client"},
		{"wrong secret, form", "", "", body(c.ID, "wrong"), 401, "invalid_client"},
		{"no secret", "", "", body(c.ID, ""), 401, "invalid_client"},
		{"unknown", "", "", body("nobody", c.Secret), 401, "invalid_client"},
		{"nobody", "", "", none, 401, "invalid_client"},
		{"public", "", "", body(public.ID, ""), 400, "unauthorized_client"},
		{"public with a secret", "", "", body(public.ID, "x"), 401, "invalid_client"},
	} {
		r := s.request(http.MethodPost, "oauth/token/", tt.form)
		if tt.id != "" {
			r.SetBasicAuth(tt.id, tt.secret)
		}
		resp := s.call(t, r)
		if resp.StatusCode == 401 && !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Basic") {
			t.Errorf("%s: no challenge", tt.name)
		}
		if got := read(t, resp); got.status != tt.status || got.Error != tt.error || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got %+v, want %d %s", tt.name, got, tt.status, tt.error)
		}
	}
}

// TestGrantTypes: a way to a token that the API does not have is refused, and so
// is what is not one.
func TestGrantTypes(t *testing.T) {
	s := newSite(t, "memory:")
	c := s.client(t, "shop", false)
	for kind, want := range map[string]string{"": "invalid_request", "password": "unsupported_grant_type", "refresh_token": "invalid_grant"} {
		wantRefusal(t, kind, s.post(t, "oauth/token/", c, url.Values{"grant_type": {kind}}), 400, want)
	}
	s.api.OAuth().Grants = []string{"authorization_code", "password"}
	for _, kind := range []string{"client_credentials", "refresh_token", "password"} {
		wantRefusal(t, kind, s.post(t, "oauth/token/", c, url.Values{"grant_type": {kind}}), 400, "unsupported_grant_type")
	}
	if a := s.exchange(t, c, s.code(t, c, nil).Code, nil); a.Access == "" || a.Refresh != "" {
		t.Errorf("without the grant refresh_token a code gives %+v", a)
	}
	r := s.request(http.MethodGet, "oauth/token/", nil)
	if resp := s.call(t, r); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", resp.StatusCode)
	}
	r = s.request(http.MethodPost, "oauth/token/", url.Values{"grant_type": {"client_credentials", "password"}, "client_id": {c.ID}, "client_secret": {c.Secret}})
	wantRefusal(t, "a parameter twice", read(t, s.call(t, r)), 400, "invalid_request")
}

// TestCode: the whole way of a public client, and where the code does not lead
// elsewhere: to another client, another redirect URI, another verifier
// [RFC 6749 4.1.3, RFC 7636 4.6].
func TestCode(t *testing.T) {
	onStores(t, func(t *testing.T, s *site) {
		c, other := s.client(t, "phone", true), s.client(t, "other", true)
		if a := s.tokens(t, c); !s.counts(t, a.Access) {
			t.Error("the access token does not count")
		}
		code := s.code(t, c, nil).Code
		wantRefusal(t, "another client's code", s.exchange(t, other, code, nil), 400, "invalid_grant")
		if a := s.exchange(t, c, code, nil); a.Access == "" {
			t.Errorf("after another client's try: %+v", a)
		}
		for name, more := range map[string]url.Values{
			"another redirect_uri": {"redirect_uri": {"https://other.example/"}},
			"no redirect_uri":      {"redirect_uri": {""}},
			"another verifier":     {"code_verifier": {strings.Repeat("x", 43)}},
			"no verifier":          {"code_verifier": {""}},
			"the challenge":        {"code_verifier": {challenge}},
		} {
			code := s.code(t, c, nil).Code
			wantRefusal(t, name, s.exchange(t, c, code, more), 400, "invalid_grant")
			wantRefusal(t, name+", then right", s.exchange(t, c, code, nil), 400, "invalid_grant")
		}
		for _, bad := range []string{"", ".", "x", "x.y", code + "x", strings.ToLower(code)} {
			wantRefusal(t, bad, s.exchange(t, c, bad, nil), 400, "invalid_grant")
		}
	})
}

// TestCodeReplay: a code that comes again ends the tokens that it gave
// [RFC 6749 4.1.2].
func TestCodeReplay(t *testing.T) {
	onStores(t, func(t *testing.T, s *site) {
		c := s.client(t, "shop", false)
		code := s.code(t, c, nil).Code
		first := s.exchange(t, c, code, nil)
		kept := s.tokens(t, c)
		wantRefusal(t, "the second use", s.exchange(t, c, code, nil), 400, "invalid_grant")
		if first.Access == "" || s.counts(t, first.Access) {
			t.Errorf("the tokens of the first use count: %+v", first)
		}
		wantRefusal(t, "the refresh token of the first use", s.refresh(t, c, first.Refresh), 400, "invalid_grant")
		if !s.counts(t, kept.Access) {
			t.Error("another grant of the client ended too")
		}
		if !strings.Contains(s.log.String(), "came twice") {
			t.Error("the operator is not told")
		}
	})
}

// TestDowngrade: nobody takes PKCE out of a request: public clients need it,
// plain is none, and a verifier without a challenge says that someone tried
// [RFC 9700 4.8.2].
func TestDowngrade(t *testing.T) {
	s := newSite(t, "memory:")
	c, public := s.client(t, "shop", false), s.client(t, "phone", true)
	none := url.Values{"code_challenge": {""}, "code_challenge_method": {""}}
	for name, more := range map[string]url.Values{
		"plain":            {"code_challenge": {verifier}, "code_challenge_method": {"plain"}},
		"method left out":  {"code_challenge_method": {""}},
		"method alone":     {"code_challenge": {""}},
		"not a challenge":  {"code_challenge": {"short"}},
		"unknown":          {"code_challenge_method": {"S512"}},
		"implicit":         {"response_type": {"token"}},
		"no response_type": {"response_type": {""}},
	} {
		for _, by := range []grapnel.OAuthClient{c, public} {
			if a := s.code(t, by, more); a.status != 400 || a.Code != "" || a.Error == "" {
				t.Errorf("%s, %s: %+v", name, by.ID, a)
			}
		}
	}
	wantRefusal(t, "public without PKCE", s.code(t, public, none), 400, "invalid_request")
	wantRefusal(t, "the challenge was taken away", s.exchange(t, c, s.code(t, c, none).Code, nil), 400, "invalid_grant")
	if a := s.exchange(t, c, s.code(t, c, none).Code, url.Values{"code_verifier": {""}}); a.Access == "" {
		t.Errorf("a client with a secret and without PKCE: %+v", a)
	}
}

// TestRefresh: each refresh token is good for one use, and ends the access token
// before. Whoever uses one again ends all that came of the grant
// [RFC 9700 4.14.2].
func TestRefresh(t *testing.T) {
	onStores(t, func(t *testing.T, s *site) {
		c, other := s.client(t, "phone", true), s.client(t, "other", true)
		first := s.tokens(t, c)
		wantRefusal(t, "another client's", s.refresh(t, other, first.Refresh), 400, "invalid_grant")
		second := s.refresh(t, c, first.Refresh)
		if second.Access == "" || second.Refresh == first.Refresh || s.counts(t, first.Access) || !s.counts(t, second.Access) {
			t.Fatalf("first %+v, second %+v", first, second)
		}
		third := s.refresh(t, c, second.Refresh)
		if third.Access == "" {
			t.Fatalf("third: %+v", third)
		}
		wantRefusal(t, "the first again", s.refresh(t, c, first.Refresh), 400, "invalid_grant")
		if s.counts(t, third.Access) {
			t.Error("the stolen grant's access token counts")
		}
		wantRefusal(t, "the third", s.refresh(t, c, third.Refresh), 400, "invalid_grant")
	})
}

// TestAtOnce: of many who use one code or refresh token at once, at most one gets
// tokens, and those count no more once the others were seen.
func TestAtOnce(t *testing.T) {
	onStores(t, func(t *testing.T, s *site) {
		c := s.client(t, "phone", true)
		code, refresh := s.code(t, c, nil).Code, s.tokens(t, c).Refresh
		for name, try := range map[string]url.Values{
			"code":    {"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {back}, "code_verifier": {verifier}, "client_id": {c.ID}},
			"refresh": {"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {c.ID}},
		} {
			var all sync.WaitGroup
			answers := make(chan answer, 8)
			for range cap(answers) {
				all.Go(func() {
					one := &site{store: s.store, ring: s.ring, server: s.server, api: s.api} // with a log of its own
					answers <- read(t, one.call(t, one.request(http.MethodPost, "oauth/token/", try)))
				})
			}
			all.Wait()
			close(answers)
			won := 0
			for a := range answers {
				if a.Access == "" {
					continue
				}
				if won++; s.counts(t, a.Access) {
					t.Errorf("%s: the token counts although it was asked for again", name)
				}
			}
			if won > 1 {
				t.Errorf("%s: %d got tokens", name, won)
			}
		}
	})
}
