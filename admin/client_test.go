package admin_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/admin"
)

// newClient serves a site where a gateway has it, and returns a client of it.
func newClient(t *testing.T, s *site) *admin.Client {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/tyk/", http.StripPrefix("/tyk", s.handler))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return &admin.Client{Base: server.URL + "/", Secret: secret}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// The client's calls mean what they say.
func TestClientKeys(t *testing.T) {
	ctx := t.Context()
	rules := hashed()
	rules.List = true
	c := newClient(t, newSite(t, "memory:", rules))
	changed, session := must[admin.Change](t), must[*grapnel.Session](t)
	s := &grapnel.Session{OrgID: "o", Alias: "first", QuotaMax: 5, AccessRights: map[string]grapnel.AccessDefinition{"a": {APIID: "a"}}}

	random := changed(c.CreateKey(ctx, "", s))
	own := changed(c.CreateKey(ctx, "a/b c?", s))
	if list := must[[]string](t)(c.Keys(ctx, "")); len(list) != 2 {
		t.Errorf("keys: %v", list)
	}
	if got := session(c.Key(ctx, own.Key, admin.KeyQuery{})); got.Alias != "first" || got.QuotaRemaining != 5 {
		t.Errorf("got %+v", got)
	}
	if got := session(c.Key(ctx, "a/b c?", admin.KeyQuery{User: true, Org: "o"})); got.Alias != "first" {
		t.Errorf("by user: %+v", got)
	}
	s.Alias = "second"
	changed(c.UpdateKey(ctx, random.KeyHash, admin.KeyQuery{Hashed: true}, s, true))
	if got := session(c.Key(ctx, random.Key, admin.KeyQuery{})); got.Alias != "second" {
		t.Errorf("after the update: %+v", got)
	}
	if done := changed(c.DeleteKey(ctx, random.KeyHash, admin.KeyQuery{Hashed: true})); done.Action != "deleted" {
		t.Errorf("got %+v", done)
	}
	_, err := c.Key(ctx, random.Key, admin.KeyQuery{})
	if diff := cmp.Diff(&admin.Error{Status: 404, Message: "Key not found"}, err); diff != "" {
		t.Error(diff)
	}
}

// A put publishes what is new, and replaces what is not.
func TestClientDocuments(t *testing.T) {
	ctx := t.Context()
	s := newSite(t, "memory:", plain())
	c := newClient(t, s)
	changed := must[admin.Change](t)
	for _, call := range []struct {
		kind                       admin.Kind
		document, id, action, name string
	}{
		{admin.APIs, `{"api_id":"a","name":"1"}`, "a", "added", "1"},
		{admin.APIs, `{"api_id":"a","name":"2"}`, "a", "modified", "2"},
		{admin.APIs, `{"api_definition":{"api_id":"w","name":"1"}}`, "w", "added", "1"},
		{admin.APIs, `{"api_definition":{"api_id":"w","name":"2"}}`, "w", "modified", "2"},
		{admin.Policies, `{"id":"p","name":"1"}`, "p", "modified", "1"},
	} {
		done := changed(c.PutDocument(ctx, call.kind, json.RawMessage(call.document)))
		var got struct{ Name string }
		if err := json.Unmarshal(must[json.RawMessage](t)(c.Document(ctx, call.kind, call.id)), &got); err != nil {
			t.Fatal(err)
		}
		if done.Key != call.id || done.Action != call.action || got.Name != call.name {
			t.Errorf("%s: %+v, then %+v", call.document, done, got)
		}
	}
	if done := changed(c.PutDocument(ctx, admin.APIs, json.RawMessage(`{}`))); len(done.Key) != 32 {
		t.Errorf("without an id: %+v", done)
	}
	if list := must[[]json.RawMessage](t)(c.Documents(ctx, admin.APIs)); len(list) != 3 {
		t.Errorf("APIs: %s", list)
	}
	changed(c.DeleteDocument(ctx, admin.Policies, "p"))
	if list := must[[]json.RawMessage](t)(c.Documents(ctx, admin.Policies)); len(list) != 0 {
		t.Errorf("policies: %s", list)
	}
	if err := c.Reload(ctx); err != nil || s.reloads != 1 {
		t.Errorf("%d reloads (%v)", s.reloads, err)
	}
	if err := c.ReloadGroup(ctx); err != nil {
		t.Error(err)
	}
}

// What goes wrong is told, and neither a secret nor a key with it.
func TestClientErrors(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/tyk/keys" {
			http.Redirect(w, r, "http://elsewhere.test/", http.StatusFound)
			return
		}
		w.Write([]byte("<html>"))
	}))
	defer page.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	real := newClient(t, newSite(t, "memory:", plain()))
	for name, c := range map[string]struct {
		base, secret string
		want         string
	}{
		"no address":   {"gateway", secret, "is not the address of a control API"},
		"nobody there": {gone.URL, secret, "connection refused"},
		"another page": {page.URL, secret, "does not answer as a control API does"},
		"wrong secret": {real.Base, "some secret", "Attempted administrative access"},
		"unknown key":  {real.Base, secret, "Key not found (404)"},
	} {
		client := &admin.Client{Base: c.base, Secret: c.secret}
		_, err := client.Key(t.Context(), "the-key", admin.KeyQuery{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "the-key") || strings.Contains(err.Error(), c.secret)) {
			t.Errorf("%s: %v tells too much", name, err)
		}
	}
	_, err := (&admin.Client{Base: page.URL, Secret: secret}).Keys(t.Context(), "")
	if diff := cmp.Diff(&admin.Error{Status: 302, Message: "Found"}, err); diff != "" {
		t.Errorf("a redirect: %s", diff)
	}
}
