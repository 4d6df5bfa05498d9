package auth

import (
	"net/http"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// TestOAuth: an access token of a client is taken after the word Bearer, and
// nothing else is [S-46].
func TestOAuth(t *testing.T) {
	g := newGate(t, grapnel.AuthMethod{OAuth: &grapnel.OAuthAuth{Header: "Authorization"}})
	token := g.keys.Token(org, "access")
	g.save(t, token, grapnel.Session{OAuthClientID: "shop", OAuthKeys: map[string]string{"shop": "grant"}})
	g.save(t, g.keys.Token(org, "plain"), grapnel.Session{Alias: "no client"})
	g.save(t, g.keys.Token(org, "user"), grapnel.Session{OAuthClientID: "shop", BasicAuthData: grapnel.BasicAuthData{Password: "x"}})

	for _, scheme := range []string{"Bearer ", "bearer "} {
		if s := g.passes(t, g.exchange("/", "Authorization: "+scheme+token)); s.OAuthClientID != "shop" || s.OAuthKeys["shop"] != "grant" || s.KeyID != token {
			t.Errorf("session is %+v", s)
		}
	}
	g.refuses(t, g.exchange("/"), http.StatusBadRequest, "Authorization field missing", 0)
	for _, field := range []string{token, "Basic " + token, "Bearer"} {
		g.refuses(t, g.exchange("/", "Authorization: "+field), http.StatusBadRequest, "Bearer token malformed", 0, token)
	}
	for _, key := range []string{"unknown", g.keys.Token(org, "plain"), g.keys.Token(org, "user"), "user"} {
		g.refuses(t, g.exchange("/", "Authorization: Bearer "+key), http.StatusForbidden, "Key not authorised", 1, key)
	}
	g.store.down.Store(true)
	g.refuses(t, g.exchange("/", "Authorization: Bearer "+g.keys.Token(org, "other")), http.StatusServiceUnavailable, "Service temporarily unavailable.", 0)
}

// TestOAuthOrganisation: a token of another organisation is unknown, wherever its
// rights lead.
func TestOAuthOrganisation(t *testing.T) {
	g := newGate(t, grapnel.AuthMethod{OAuth: &grapnel.OAuthAuth{Header: "Authorization"}})
	for _, key := range []string{g.keys.Token("evil", "access"), g.keys.Token(org, "forged"), "opaque-token"} {
		s := &grapnel.Session{KeyID: key, OrgID: "evil", OAuthClientID: "shop", AccessRights: map[string]grapnel.AccessDefinition{"orders": {}}}
		if err := g.keys.Save(t.Context(), s, time.Hour); err != nil {
			t.Fatal(err)
		}
		g.refuses(t, g.exchange("/", "Authorization: Bearer "+key), http.StatusForbidden, "Key not authorised", 1, key)
	}
}
