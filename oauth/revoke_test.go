package oauth_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/grapnel-gateway/grapnel"
)

// TestRevoke: either token of a grant ends both; a token that is none is no
// error; another client's stays [RFC 7009].
func TestRevoke(t *testing.T) {
	onStores(t, func(t *testing.T, s *site) {
		c, other := s.client(t, "shop", false), s.client(t, "other", false)
		for _, which := range []string{"access", "refresh"} {
			a := s.tokens(t, c)
			form := url.Values{"token": {map[string]string{"access": a.Access, "refresh": a.Refresh}[which]}, "token_type_hint": {which + "_token"}}
			if got := s.post(t, "oauth/revoke", other, form); got.status != http.StatusOK || !s.counts(t, a.Access) {
				t.Errorf("%s, by another client: %d", which, got.status)
			}
			stranger := c
			stranger.Secret = "wrong"
			wantRefusal(t, which+", by nobody", s.post(t, "oauth/revoke", stranger, form), 401, "invalid_client")
			for range 2 {
				if got := s.post(t, "oauth/revoke/", c, form); got.status != http.StatusOK || s.counts(t, a.Access) {
					t.Errorf("%s: %d", which, got.status)
				}
			}
			wantRefusal(t, which, s.refresh(t, c, a.Refresh), 400, "invalid_grant")
		}
		wantRefusal(t, "no token", s.post(t, "oauth/revoke", c, url.Values{}), 400, "invalid_request")
	})
}

// TestRevokeAll: a client ends all that it was given, and no other's.
func TestRevokeAll(t *testing.T) {
	onStores(t, func(t *testing.T, s *site) {
		c, other, public := s.client(t, "shop", false), s.client(t, "shop2", false), s.client(t, "phone", true)
		first, second, third := s.tokens(t, c), s.tokens(t, c), s.tokens(t, other)
		code := s.code(t, c, nil).Code
		wantRefusal(t, "by a public client", s.post(t, "oauth/revoke_all", public, url.Values{}), 401, "invalid_client")
		if a := s.post(t, "oauth/revoke_all", c, url.Values{}); a.status != http.StatusOK {
			t.Errorf("%+v", a)
		}
		if s.counts(t, first.Access) || s.counts(t, second.Access) || !s.counts(t, third.Access) {
			t.Error("the tokens that count are not those of the other client")
		}
		wantRefusal(t, "a code from before", s.exchange(t, c, code, nil), 400, "invalid_grant")
	})
}

// TestIntrospect: what the server says of its tokens, to clients with a secret
// alone [RFC 7662].
func TestIntrospect(t *testing.T) {
	onStores(t, func(t *testing.T, s *site) {
		c, other, public := s.client(t, "shop", false), s.client(t, "other", false), s.client(t, "phone", true)
		a := s.tokens(t, c)
		about := func(by grapnel.OAuthClient, token string) answer {
			return s.post(t, "oauth/introspect", by, url.Values{"token": {token}})
		}
		wantRefusal(t, "asked by a public client", about(public, a.Access), 401, "invalid_client")
		if got := about(other, a.Access); !got.Active || got.ClientID != "shop" || got.Type != "bearer" {
			t.Errorf("access token: %+v", got)
		}
		if got := about(c, a.Refresh); !got.Active || got.Type != "refresh_token" {
			t.Errorf("refresh token: %+v", got)
		}
		if got := about(other, a.Refresh); got.Active || got.ClientID != "" {
			t.Errorf("another's refresh token: %+v", got)
		}
		key := &grapnel.Session{KeyID: s.ring.Token("acme", "plain"), OrgID: "acme"}
		if err := s.ring.Save(t.Context(), key, 0); err != nil {
			t.Fatal(err)
		}
		for _, token := range []string{key.KeyID, "unknown", a.Access + "x"} {
			if got := about(c, token); got.status != http.StatusOK || got.Active {
				t.Errorf("%q: %+v", token, got)
			}
		}
		s.post(t, "oauth/revoke", c, url.Values{"token": {a.Refresh}})
		if about(c, a.Access).Active || about(c, a.Refresh).Active {
			t.Error("a revoked token is active")
		}
	})
}

// TestOneAPI: clients and grants of one API are nothing to another, not even of
// the same name, nor to one of the same id in another organisation.
func TestOneAPI(t *testing.T) {
	s := newSite(t, "memory:")
	c := s.client(t, "shop", false)
	a := s.tokens(t, c)
	code := s.code(t, c, nil).Code
	elsewhere := newAPI(t, "stock")
	namesake := newAPI(t, "orders")
	namesake.OrgID = "evil"
	for _, api := range []*grapnel.API{elsewhere, namesake} {
		there := &site{store: s.store, ring: s.ring, server: s.server, api: api}
		wantRefusal(t, "a client of another API", there.post(t, "oauth/token/", c, url.Values{"grant_type": {"client_credentials"}}), 401, "invalid_client")
		there.client(t, "shop", false)
		wantRefusal(t, "a code of another API", there.exchange(t, c, code, nil), 400, "invalid_grant")
		wantRefusal(t, "a refresh token of another API", there.refresh(t, c, a.Refresh), 400, "invalid_grant")
		there.post(t, "oauth/revoke", c, url.Values{"token": {a.Access}})
		if got := there.post(t, "oauth/introspect", c, url.Values{"token": {a.Access}}); got.Active {
			t.Errorf("%s of %s says that the token is active", api.ID, api.OrgID)
		}
		there.post(t, "oauth/revoke_all", c, url.Values{})
	}
	if !s.counts(t, a.Access) {
		t.Error("another API revoked the token")
	}
	if _, err := s.ring.Find(t.Context(), "evil", a.Access); !errors.Is(err, grapnel.ErrNotFound) {
		t.Errorf("another organisation finds the token: %v", err)
	}
	if got := s.refresh(t, c, a.Refresh); got.Access == "" {
		t.Errorf("%+v", got)
	}
}
