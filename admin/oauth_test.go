package admin_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/oauth"
)

// oauthSite has two APIs with an authorization server and one without.
func oauthSite(t *testing.T, url string, policies ...*grapnel.Policy) *site {
	t.Helper()
	s := newSite(t, url, hashed(), policies...)
	for _, id := range []string{"orders", "stock"} {
		o := &grapnel.OAuthAuth{}
		o.SetDefaults()
		s.apis[id] = &grapnel.API{ID: id, OrgID: "acme", Auth: []grapnel.AuthMethod{{OAuth: o}}}
	}
	s.apis["open"] = &grapnel.API{ID: "open", OrgID: "acme"}
	return s
}

// client makes a call that must return a client.
func (s *site) client(t *testing.T, method, target, body string) grapnel.OAuthClient {
	t.Helper()
	status, text := s.call(t, method, target, body)
	var c grapnel.OAuthClient
	if err := json.Unmarshal([]byte(text), &c); err != nil || status != http.StatusOK {
		t.Fatalf("%s %s: got %d %s", method, target, status, text)
	}
	return c
}

// token has the client get an access token.
func (s *site) token(t *testing.T, api string, c grapnel.OAuthClient) (status int, token string) {
	t.Helper()
	server := oauth.New(oauth.Options{Records: s.store, Keys: s.ring})
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ID}, "client_secret": {c.Secret}}
	r := httptest.NewRequest(http.MethodPost, "/oauth/token/", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := oauth.Endpoints(server, s.apis[api])(nil)(&grapnel.Exchange{Request: r, API: s.apis[api], Log: discard()})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Token string `json:"access_token"`
	}
	text, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(text, &got)
	}
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, got.Token
}

// TestOAuthClients: the life of a client; its secret is told when it
// is new, and never again.
func TestOAuthClients(t *testing.T) {
	onStores(t, func(t *testing.T, url string) {
		s := oauthSite(t, url, &grapnel.Policy{ID: "gold", OrgID: "acme", AccessRights: map[string]grapnel.AccessDefinition{"orders": {APIID: "orders"}, "stock": {}, "open": {}}})
		made := s.client(t, "POST", "/oauth/clients/create", `{"api_id":"orders","redirect_uri":"https://a.example/","meta_data":{"tier":1},"description":"d"}`)
		if len(made.ID) != 32 || len(made.Secret) < 40 || made.APIID != "orders" {
			t.Fatalf("made %+v", made)
		}
		given := s.client(t, "POST", "/oauth/clients/create", `{"policy_id":"gold","client_id":"shop","secret":"given","public":false}`)
		if given.Secret != "given" || given.ID != "shop" {
			t.Errorf("made %+v", given)
		}
		for _, api := range []string{"orders", "stock"} { // all that its policy opens
			if status, token := s.token(t, api, given); status != http.StatusOK || token == "" {
				t.Errorf("%s: %d", api, status)
			}
		}
		want := made
		want.Secret = ""
		if got := s.client(t, "GET", "/oauth/clients/orders/"+made.ID, ""); !cmp.Equal(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		_, text := s.call(t, "GET", "/oauth/clients/orders", "")
		var all []grapnel.OAuthClient
		if err := json.Unmarshal([]byte(text), &all); err != nil || len(all) != 2 || strings.Contains(text, made.Secret) {
			t.Errorf("list is %s", text)
		}
		want.Description, want.RedirectURI, want.PolicyID, want.Metadata = "new", "https://b.example/", "gold", nil
		if got := s.client(t, "PUT", "/oauth/clients/orders/"+made.ID, `{"client_id":"evil","secret":"evil","public":true,"redirect_uri":"https://b.example/","policy_id":"gold","description":"new"}`); !cmp.Equal(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if status, _ := s.token(t, "orders", made); status != http.StatusOK {
			t.Errorf("with the secret after a change: %d", status)
		}
		rotated := s.client(t, "PUT", "/oauth/clients/orders/"+made.ID+"/rotate", "")
		if status, _ := s.token(t, "orders", made); status != http.StatusUnauthorized || rotated.Secret == made.Secret {
			t.Errorf("with the old secret: %d", status)
		}
		if status, _ := s.token(t, "orders", rotated); status != http.StatusOK {
			t.Errorf("with the new secret: %d", status)
		}
		s.want(t, "DELETE", "/oauth/clients/orders/"+made.ID, "", 200, done(made.ID, "deleted"))
		s.want(t, "GET", "/oauth/clients/orders/"+made.ID, "", 404, refused("OAuth Client ID not found"))
		if strings.Contains(s.log.String(), made.Secret) || strings.Contains(s.log.String(), rotated.Secret) {
			t.Error("the log has a secret")
		}
	})
}

// TestOAuthTokens: tokens are listed by the ids of their sessions, and revoked one
// by one or all at once.
func TestOAuthTokens(t *testing.T) {
	s := oauthSite(t, "memory:")
	c := s.client(t, "POST", "/oauth/clients/create", `{"api_id":"orders","client_id":"shop"}`)
	_, first := s.token(t, "orders", c)
	_, second := s.token(t, "orders", c)
	_, third := s.token(t, "orders", c)
	listed := func() string {
		_, text := s.call(t, "GET", "/oauth/clients/orders/shop/tokens", "")
		return text
	}
	if text := listed(); strings.Count(text, `"code":`) != 3 || !strings.Contains(text, s.ring.StoreID(first)) || strings.Contains(text, first) {
		t.Errorf("tokens are %s", text)
	}
	post := func(target string, form url.Values, status int, want string) {
		t.Helper()
		r := httptest.NewRequest("POST", target, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Tyk-Authorization", secret)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		describedAs(t, "POST", target, w)
		if w.Code != status || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s %v: got %d %s, want %d %s", target, form, w.Code, w.Body, status, want)
		}
	}
	mine := url.Values{"api_id": {"orders"}, "client_id": {"shop"}, "token": {first}}
	post("/oauth/revoke", mine, 200, "token revoked successfully")
	post("/oauth/revoke", mine, 404, "Token not found")
	post("/oauth/revoke", url.Values{"api_id": {"stock"}, "client_id": {"shop"}, "token": {second}}, 404, "Token not found")
	post("/oauth/revoke", url.Values{"api_id": {"orders"}, "client_id": {"shop"}}, 400, "Missing parameter token")
	if text := listed(); strings.Count(text, `"code":`) != 2 || strings.Contains(text, s.ring.StoreID(first)) {
		t.Errorf("tokens are %s", text)
	}
	status, _ := s.call(t, "DELETE", "/oauth/refresh/"+url.PathEscape(second)+"?api_id=orders", "")
	if status != http.StatusOK {
		t.Errorf("DELETE /oauth/refresh: %d", status)
	}
	s.want(t, "DELETE", "/oauth/refresh/x.y?api_id=orders", "", 404, refused("Token not found"))
	s.want(t, "DELETE", "/oauth/refresh/x.y", "", 400, refused("Missing parameter api_id"))
	post("/oauth/revoke_all", url.Values{"api_id": {"orders"}, "client_id": {"other"}}, 404, "OAuth Client ID not found")
	post("/oauth/revoke_all", url.Values{"api_id": {"orders"}, "client_id": {"shop"}}, 200, "tokens revoked successfully")
	if text := listed(); text != "[]" {
		t.Errorf("after all were revoked: %s", text)
	}
	if _, err := s.ring.Find(t.Context(), "acme", third); err == nil {
		t.Error("a revoked token counts")
	}
	s.want(t, "DELETE", "/oauth/tokens?scope=lapsed", "", 200, `{"status":"ok","message":"lapsed tokens purged"}`)
	s.want(t, "DELETE", "/oauth/tokens", "", 422, refused("unknown scope"))
}

// TestOAuthRefused: the refusals of the original, and of clients that cannot be
//
func TestOAuthRefused(t *testing.T) {
	s := oauthSite(t, "memory:")
	s.client(t, "POST", "/oauth/clients/create", `{"api_id":"orders","client_id":"phone","public":true}`)
	for _, c := range []struct {
		method, target, body string
		status               int
		message              string
	}{
		{"POST", "/oauth/clients/create", `{`, 500, "Unmarshalling failed"},
		{"POST", "/oauth/clients/create", `{}`, 400, "API doesn't exist"},
		{"POST", "/oauth/clients/create", `{"api_id":"none"}`, 400, "API doesn't exist"},
		{"POST", "/oauth/clients/create", `{"api_id":"open"}`, 400, "API is not OAuth2"},
		{"POST", "/oauth/clients/create", `{"api_id":"orders","policy_id":"none"}`, 400, "Policy doesn't exist"},
		{"POST", "/oauth/clients/create", `{"api_id":"orders","public":true,"secret":"x"}`, 400, "A public client has no secret"},
		{"POST", "/oauth/clients/create", `{"api_id":"orders","redirect_uri":"javascript:x"}`, 400, "redirect_uri has a scheme that is not one of clients"},
		{"PUT", "/oauth/clients/orders/phone", `{"redirect_uri":"/here"}`, 400, "redirect_uri must be absolute"},
		{"PUT", "/oauth/clients/orders/phone", `{"policy_id":"none"}`, 400, "Policy doesn't exist"},
		{"PUT", "/oauth/clients/orders/phone", `[]`, 500, "Unmarshalling failed"},
		{"PUT", "/oauth/clients/orders/phone/rotate", ``, 400, "A public client has no secret"},
		{"PUT", "/oauth/clients/orders/none", `{}`, 404, "OAuth Client ID not found"},
		{"DELETE", "/oauth/clients/orders/none", ``, 404, "OAuth Client ID not found"},
		{"GET", "/oauth/clients/orders/none/tokens", ``, 404, "OAuth Client ID not found"},
		{"GET", "/oauth/clients/none", ``, 404, "API doesn't exist"},
		{"GET", "/oauth/clients/open", ``, 400, "API is not OAuth2"},
	} {
		s.want(t, c.method, c.target, c.body, c.status, refused(c.message))
	}
}

// TestOAuthClientsAtOnce: of two changes of a client at once, the one that comes
// later is refused, and undoes nothing.
func TestOAuthClientsAtOnce(t *testing.T) {
	onStores(t, func(t *testing.T, url string) {
		s := oauthSite(t, url)
		made := s.client(t, "POST", "/oauth/clients/create", `{"api_id":"orders","client_id":"shop"}`)
		at := "/oauth/clients/orders/" + made.ID
		for _, late := range []struct{ method, target, body string }{
			{"PUT", at, `{"description":"mine"}`},
			{"PUT", at + "/rotate", ""},
			{"POST", "/oauth/clients/create", `{"api_id":"orders","client_id":"shop"}`},
		} {
			s.rival = func() { s.client(t, "PUT", at, `{"description":"theirs, before `+late.method+late.target+`"}`) }
			s.want(t, late.method, late.target, late.body, http.StatusConflict, refused("It was changed meanwhile"))
			if got := s.client(t, "GET", at, ""); got.Description != "theirs, before "+late.method+late.target {
				t.Errorf("%s %s has left %+v", late.method, late.target, got)
			}
			if status, _ := s.token(t, "orders", made); status != http.StatusOK {
				t.Errorf("%s %s: the secret that was told gets %d", late.method, late.target, status)
			}
		}
		s.rival = func() { s.client(t, "PUT", at+"/rotate", "") }
		s.want(t, "DELETE", at, "", http.StatusConflict, refused("It was changed meanwhile"))
		s.want(t, "DELETE", at, "", http.StatusOK, done(made.ID, "deleted"))
	})
}
