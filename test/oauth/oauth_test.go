package oauth

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// TestClientCredentials: a service gets tokens by Basic and by the form, calls
// its API and no other, and the hooks see whose they are [L-2].
func TestClientCredentials(t *testing.T) {
	s := newSite(t)
	app := s.application(t, "orders", `{"api_id":"orders","client_id":"shop & co"}`)
	for name, style := range map[string]oauth2.AuthStyle{"basic": oauth2.AuthStyleInHeader, "form": oauth2.AuthStyleInParams} {
		c := clientcredentials.Config{ClientID: app.ClientID, ClientSecret: app.ClientSecret, TokenURL: app.Endpoint.TokenURL, AuthStyle: style}
		token, err := c.Token(s.ctx)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		resp, err := c.Client(s.ctx).Get(s.url("/orders/7"))
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s: %v, %v", name, resp, err)
		}
		resp.Body.Close()
		for i, seen := range s.plugin.last(t, 2) {
			if seen.OauthClientId != "shop & co" || seen.OauthKeys["shop & co"] == "" {
				t.Errorf("%s: hook %d sees %v", name, i, seen)
			}
		}
		if status := s.status(t, "/stock/7", token.AccessToken); status != 403 {
			t.Errorf("%s: another API says %d", name, status)
		}
	}
	wrong := clientcredentials.Config{ClientID: app.ClientID, ClientSecret: "wrong", TokenURL: app.Endpoint.TokenURL}
	if _, err := wrong.Token(s.ctx); err == nil || !strings.Contains(err.Error(), "invalid_client") {
		t.Errorf("a wrong secret: %v", err)
	}
}

// TestHookChanges: a plugin that says who is calling says whose client they are
// too, and that is what the hooks after it see [L-2, C-7].
func TestHookChanges(t *testing.T) {
	s := newSite(t)
	app := s.application(t, "renamed", `{"api_id":"renamed","client_id":"shop"}`)
	c := clientcredentials.Config{ClientID: app.ClientID, ClientSecret: app.ClientSecret, TokenURL: app.Endpoint.TokenURL}
	token, err := c.Token(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if status := s.status(t, "/renamed/7", token.AccessToken); status != 200 {
		t.Fatalf("status %d", status)
	}
	for i, after := range s.plugin.last(t, 2) {
		if after.OauthClientId != "renamed" || after.OauthKeys["renamed"] != "by the plugin" {
			t.Errorf("hook %d after it sees %v", i, after)
		}
	}
}

// TestAuthorizationCode: an app without a secret takes a user through the whole
// way, renews its token, and ends when the operator says so.
func TestAuthorizationCode(t *testing.T) {
	s := newSite(t)
	app := s.application(t, "orders", `{"api_id":"orders","client_id":"phone","redirect_uri":"`+back+`","public":true}`)
	if app.ClientSecret != "" {
		t.Error("a public client has a secret")
	}
	verifier := oauth2.GenerateVerifier()
	code, state := s.agree(t, app.AuthCodeURL("x y&z", oauth2.S256ChallengeOption(verifier)))
	if state != "x y&z" {
		t.Errorf("state is %q", state)
	}
	token, err := app.Exchange(s.ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if !token.Valid() || token.RefreshToken == "" || token.Type() != "Bearer" {
		t.Fatalf("token is %+v", token)
	}
	if status := s.status(t, "/orders/7", token.AccessToken); status != 200 {
		t.Errorf("with the access token: %d", status)
	}
	if seen := s.plugin.last(t, 2)[0]; seen.OauthClientId != "phone" || seen.Alias != "ann" {
		t.Errorf("the hook sees %v", seen)
	}
	old := *token
	old.Expiry = time.Now().Add(-time.Hour) // so that the library renews it
	renewed, err := app.TokenSource(s.ctx, &old).Token()
	if err != nil || renewed.RefreshToken == token.RefreshToken {
		t.Fatalf("renewed: %+v, %v", renewed, err)
	}
	if status := s.status(t, "/orders/7", token.AccessToken); status != 403 {
		t.Errorf("with the old access token: %d", status)
	}
	if status := s.status(t, "/orders/7", renewed.AccessToken); status != 200 {
		t.Errorf("with the new access token: %d", status)
	}
	var list []struct {
		Code    string
		Expires int64
	}
	if status := s.admin(t, "GET", "/oauth/clients/orders/phone/tokens", "", &list); status != 200 || len(list) != 1 || list[0].Expires == 0 {
		t.Errorf("tokens: %d %v", status, list)
	}
	var done struct{ Status, Message string }
	if status := s.admin(t, "POST", "/oauth/revoke_all", "api_id=orders&client_id=phone", &done); status != 200 || done.Status != "ok" {
		t.Errorf("revoke_all: %d %+v", status, done)
	}
	if status := s.status(t, "/orders/7", renewed.AccessToken); status != 403 {
		t.Errorf("with a revoked token: %d", status)
	}
	if _, err := app.Exchange(s.ctx, code, oauth2.VerifierOption(verifier)); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("the code again: %v", err)
	}
	s.Stop(t)
	s.search(t, code, token.AccessToken, token.RefreshToken, renewed.AccessToken, renewed.RefreshToken, verifier, secret)
}

// search searches the log and the store for secrets.
func (s *site) search(t *testing.T, secrets ...string) {
	t.Helper()
	stored, err := os.ReadFile(filepath.Join(s.dir, "grapnel.db"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(stored), "phone") || !strings.Contains(s.Log(), "/orders/oauth/token/") {
		t.Error("the search means nothing")
	}
	for _, secret := range secrets {
		for _, part := range append(strings.Split(secret, "."), secret) {
			if part == "" {
				t.Fatal("a secret is empty")
			}
			if strings.Contains(string(stored), part) {
				t.Errorf("the store has %q", part)
			}
			if strings.Contains(s.Log(), part) {
				t.Errorf("the log has %q", part)
			}
		}
	}
}
