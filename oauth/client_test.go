package oauth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/oauth"
)

// TestClients: what is put is found, without its secret, until it is deleted; a
// change without a secret leaves it.
func TestClients(t *testing.T) {
	onStores(t, func(t *testing.T, s *site) {
		ctx := t.Context()
		c, odd := s.client(t, "shop", false), s.client(t, "a/../b *%", false)
		want := c
		want.Secret = ""
		if got, err := s.server.Client(ctx, s.api, c.ID); err != nil || !cmp.Equal(*got, want) {
			t.Errorf("got %+v, %v", got, err)
		}
		if all, err := s.server.Clients(ctx, s.api); err != nil || len(all) != 2 {
			t.Errorf("got %v, %v", all, err)
		}
		want.Description = "changed"
		if err := s.server.PutClient(ctx, s.api, want); err != nil {
			t.Fatal(err)
		}
		a, other := s.tokens(t, c), s.tokens(t, odd)
		if list, err := s.server.Tokens(ctx, s.api, c.ID); err != nil || len(list) != 1 || list[0].Code != s.ring.StoreID(a.Access) || list[0].Expires == 0 {
			t.Errorf("tokens are %v, %v", list, err)
		}
		if err := s.server.DeleteClient(ctx, s.api, c.ID); err != nil {
			t.Fatal(err)
		}
		if s.counts(t, a.Access) || !s.counts(t, other.Access) {
			t.Error("the tokens that are left are not those of the clients that are left")
		}
		if _, err := s.server.Client(ctx, s.api, c.ID); !errors.Is(err, grapnel.ErrNotFound) {
			t.Errorf("a deleted client: %v", err)
		}
		if err := s.server.DeleteClient(ctx, s.api, c.ID); !errors.Is(err, grapnel.ErrNotFound) {
			t.Errorf("deleting it again: %v", err)
		}
		wantRefusal(t, "a deleted client", s.refresh(t, c, a.Refresh), 401, "invalid_client")
	})
}

// TestCheckClient: nobody is sent to where no client can be.
func TestCheckClient(t *testing.T) {
	s := newSite(t, "memory:")
	for uri, ok := range map[string]bool{
		"": true, "https://a.example/x?y=z": true, "com.example.app:/back": true, "http://127.0.0.1:8000/ https://b.example/": true,
		"/relative": false, "https://a.example/#x": false, "https://a.example/#": false, "JavaScript:alert(1)": false,
		"https://a.example/ data:text/html,x": false, "file:///etc/passwd": false, "https://[": false,
	} {
		if err := s.server.CheckClient(s.api, grapnel.OAuthClient{RedirectURI: uri}); (err == nil) != ok {
			t.Errorf("%q: %v", uri, err)
		}
	}
	s.api.OAuth().Separator = ";"
	if err := s.server.CheckClient(s.api, grapnel.OAuthClient{RedirectURI: "https://a.example/;/b"}); err == nil {
		t.Error("the second URI is not looked at")
	}
}

// TestPolicy: a client's policy is that of its tokens, whenever it changes; one
// that is gone gives none.
func TestPolicy(t *testing.T) {
	gold := &grapnel.Policy{ID: "gold", OrgID: "acme", Rate: 7, Per: 1, AccessRights: map[string]grapnel.AccessDefinition{"stock": {APIID: "stock"}}}
	s := newSite(t, "memory:", gold)
	c := s.client(t, "shop", false)
	c.PolicyID = "gold"
	if err := s.server.PutClient(t.Context(), s.api, c); err != nil {
		t.Fatal(err)
	}
	a := s.tokens(t, c)
	session, err := s.ring.Find(t.Context(), "acme", a.Access)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := session.AccessRights["stock"]; !ok || len(session.AccessRights) != 1 || session.Rate != 7 {
		t.Errorf("session is %+v", session)
	}
	c.PolicyID = "gone"
	if err := s.server.PutClient(t.Context(), s.api, c); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, "without its policy", s.refresh(t, c, a.Refresh), 400, "unauthorized_client")
}

// TestStoredHashed: neither a secret, nor a code, nor a token is in the store or
// in the log as it is.
func TestStoredHashed(t *testing.T) {
	s := newSite(t, "memory:")
	c := s.client(t, "shop", false)
	pending := s.code(t, c, nil).Code
	code := s.code(t, c, nil).Code
	first := s.exchange(t, c, code, nil)
	second := s.refresh(t, c, first.Refresh)
	s.refresh(t, c, first.Refresh)             // which is told
	s.exchange(t, c, code+"x", nil)            //
	s.post(t, "oauth/token/", c, url.Values{}) //
	third := s.tokens(t, c)                    // which stay
	own := s.post(t, "oauth/token/", c, url.Values{"grant_type": {"client_credentials"}})
	var all bytes.Buffer
	records, err := s.store.Records(t.Context(), "")
	if err != nil || len(records) < 4 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for key, text := range records {
		all.WriteString(key + " " + string(text) + "\n")
	}
	ids, err := s.store.SessionIDs(t.Context(), "")
	if err != nil || len(ids) < 2 {
		t.Fatalf("%d sessions, %v", len(ids), err)
	}
	for _, id := range ids {
		session, err := s.store.Session(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(session)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(id + " " + string(text) + "\n")
	}
	for _, secret := range []string{c.Secret, pending, code, first.Access, first.Refresh, second.Access, second.Refresh, third.Access, third.Refresh, own.Access} {
		parts := append(strings.Split(secret, "."), secret)
		for _, part := range parts {
			if part == "" {
				t.Fatal("there is a secret missing: the search means nothing")
			}
			if strings.Contains(all.String(), part) {
				t.Errorf("the store has a secret in clear:\n%s", all.String())
			}
			if strings.Contains(s.log.String(), part) {
				t.Errorf("the log has a secret:\n%s", s.log.String())
			}
		}
	}
	if !strings.Contains(all.String(), s.ring.StoreID(third.Access)) || s.log.Len() == 0 {
		t.Error("the search means nothing")
	}
}

// TestUnavailable: while the store does not answer, nobody gets a token, and no
// token is left that nobody knows.
func TestUnavailable(t *testing.T) {
	s := newSite(t, "memory:")
	c := s.client(t, "shop", false)
	code := s.code(t, c, nil).Code
	s.server = oauth.New(oauth.Options{Records: &failing{records: s.store}, Keys: s.ring, Operator: s.server.Operator})
	if a := s.exchange(t, c, code, nil); a.status != http.StatusServiceUnavailable || a.Access != "" {
		t.Errorf("%+v", a)
	}
	if ids, err := s.store.SessionIDs(t.Context(), ""); err != nil || len(ids) > 0 {
		t.Errorf("left are %v, %v", ids, err)
	}
}

// TestRevokeAgain: a revocation that did not get to its end can be done again,
// and counts from its first step on.
func TestRevokeAgain(t *testing.T) {
	s := newSite(t, "memory:")
	c := s.client(t, "shop", false)
	a := s.tokens(t, c)
	whole := s.server
	s.server = oauth.New(oauth.Options{Records: &failing{records: s.store, after: 1}, Keys: s.ring, Operator: whole.Operator})
	form := url.Values{"token": {a.Refresh}}
	if got := s.post(t, "oauth/revoke", c, form); got.status != http.StatusServiceUnavailable || s.counts(t, a.Access) {
		t.Errorf("%+v, the access token counts: %v", got, s.counts(t, a.Access))
	}
	s.server = whole
	wantRefusal(t, "half revoked", s.refresh(t, c, a.Refresh), 400, "invalid_grant")
	if records, err := s.store.Records(t.Context(), "oauth-grant/"); err != nil || len(records) > 0 {
		t.Errorf("left are %v, %v", records, err)
	}
}
