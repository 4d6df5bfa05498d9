package oauth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// A grant is what a client was allowed once, and all that follows from it: the
// code, the access token that counts and the refresh token that counts. Whoever
// uses a code or a refresh token again ends the whole grant: either they or who
// came before them stole it [RFC 9700 4.14]. There is one record for each, which
// ends with the last token.
type grant struct {
	Client    string           `json:"client"`
	Code      string           `json:"code,omitempty"`      // hash of the code
	Used      bool             `json:"used,omitempty"`      // the code was exchanged
	Redirect  string           `json:"redirect,omitempty"`  // where the code was sent
	Named     bool             `json:"named,omitempty"`     // the client named that URI
	Challenge string           `json:"challenge,omitempty"` // of PKCE, S256
	Rules     *grapnel.Session `json:"rules,omitempty"`     // what the login page says of the user
	Access    string           `json:"access,omitempty"`    // id of the access token's session
	Expires   int64            `json:"expires,omitempty"`   // of the access token, Unix seconds
	Refresh   string           `json:"refresh,omitempty"`   // hash of the refresh token
}

// held is a grant and where it is stored.
type held struct {
	grant
	id   string // the last part of its key; oauth_keys of its tokens' sessions name it
	key  string
	text []byte // as it is stored; nil is not yet
}

// newTicket makes the code or refresh token of a grant: what finds it and what
// proves it. The store has a hash of either.
func newTicket(selector string) (ticket, hash string) {
	secret := rand.Text() + rand.Text()
	return selector + "." + secret, digest("ticket", secret)
}

// readTicket takes a code or refresh token apart.
func readTicket(ticket string) (selector, hash string, ok bool) {
	selector, secret, ok := strings.Cut(ticket, ".")
	return selector, digest("ticket", secret), ok && selector != "" && secret != ""
}

// grantID is the id of the grant that a selector finds. Whoever knows it cannot
// ask for the grant.
func grantID(selector string) string { return digest("grant", selector) }

// newGrant begins a grant, and returns the selector for its tickets.
func newGrant(api *grapnel.API, g grant) (h *held, selector string) {
	selector = rand.Text()
	id := grantID(selector)
	return &held{grant: g, id: id, key: keyOf(grantRecords, api, g.Client, id)}, selector
}

// find finds a grant of a client by its id, or returns ErrNotFound.
func (s *Server) find(ctx context.Context, api *grapnel.API, client, id string) (*held, error) {
	h := &held{id: id, key: keyOf(grantRecords, api, client, id)}
	var err error
	if h.text, err = s.Records.Record(ctx, h.key); err != nil {
		return nil, err
	}
	return h, json.Unmarshal(h.text, &h.grant)
}

// put stores what the grant has become. When someone else has changed it
// meanwhile nothing is stored, and it returns ErrConflict.
func (s *Server) put(ctx context.Context, h *held, ttl time.Duration) error {
	text, err := json.Marshal(h.grant)
	if err != nil {
		return err
	}
	if err := s.Records.SwapRecord(ctx, h.key, h.text, text, ttl); err != nil {
		return err
	}
	h.text = text
	return nil
}

// end ends a grant and its access token. From the first step on nothing comes of
// it any more; a step that fails can be done again by ending it again.
func (s *Server) end(ctx context.Context, api *grapnel.API, client, id string) error {
	for {
		h, err := s.find(ctx, api, client, id)
		switch {
		case errors.Is(err, grapnel.ErrNotFound):
			return nil
		case err != nil:
			return err
		}
		h.grant = grant{Client: h.Client, Access: h.Access, Expires: h.Expires}
		left := max(time.Until(time.Unix(h.Expires, 0)), time.Minute)
		switch err := s.put(ctx, h, left); {
		case errors.Is(err, grapnel.ErrConflict):
			continue // someone has just changed it
		case err != nil:
			return err
		}
		if err := s.drop(ctx, h.Access); err != nil {
			return err
		}
		if err := s.Records.SwapRecord(ctx, h.key, h.text, nil, 0); err != nil && !errors.Is(err, grapnel.ErrConflict) {
			return err
		}
		return nil
	}
}

// drop removes the session of an access token, if it is still there.
func (s *Server) drop(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	if err := s.Keys.DeleteSession(ctx, id); err != nil && !errors.Is(err, grapnel.ErrNotFound) {
		return err
	}
	return nil
}

// tokens are the answer to a client that gets some [RFC 6749 5.1].
type tokens struct {
	Access    string `json:"access_token"`
	ExpiresIn int64  `json:"expires_in"` // seconds
	Refresh   string `json:"refresh_token,omitempty"`
	Type      string `json:"token_type"`
}

// issue gives the client a new access token, and, with a selector, a new refresh
// token; those that it had count no more. The session is stored before the grant
// that names it, so that no grant ends without its token: until the grant is
// stored nobody has the token.
func (c call) issue(h *held, by *client, selector string) (*http.Response, error) {
	ctx, now := c.context(), time.Now()
	lifetime := time.Duration(c.settings.AccessLifetime)
	session, err := c.session(h, by, now)
	if err != nil {
		return nil, err
	}
	if err := c.Keys.Save(ctx, session, lifetime); err != nil {
		return nil, err
	}
	before := h.Access
	h.Access, h.Expires = session.StoreID, session.Expires
	out := tokens{Access: session.KeyID, ExpiresIn: int64(lifetime / time.Second), Type: "bearer"}
	ttl := lifetime
	if selector != "" {
		out.Refresh, h.Refresh = newTicket(selector)
		ttl = max(lifetime, time.Duration(c.settings.RefreshLifetime))
	}
	if err = c.drop(ctx, before); err == nil {
		err = c.put(ctx, h, ttl)
	}
	if err != nil {
		return nil, errors.Join(err, c.drop(ctx, session.StoreID))
	}
	// A client that was removed meanwhile leaves no token behind.
	if _, _, err := c.client(ctx, c.api, by.ID); err != nil {
		if err := c.end(ctx, c.api, by.ID, h.id); err != nil {
			return nil, err
		}
		return nil, noClient()
	}
	return reply(http.StatusOK, out), nil
}

// session makes the session of a new access token. It has the rights that the
// client's policy gives or the login page has said, and without any the right
// to this API alone.
func (c call) session(h *held, by *client, now time.Time) (*grapnel.Session, error) {
	s := &grapnel.Session{QuotaMax: -1}
	if h.Rules != nil {
		s = h.Rules.Clone()
	}
	if by.PolicyID != "" {
		s.ApplyPolicyID, s.ApplyPolicies = "", []string{by.PolicyID}
	}
	s.BasicAuthData = grapnel.BasicAuthData{} // a token is no user
	s.KeyID = c.Keys.Token(c.api.OrgID, rand.Text())
	s.OrgID = c.api.OrgID
	s.OAuthClientID, s.OAuthKeys = by.ID, map[string]string{by.ID: h.id}
	s.Expires = now.Add(time.Duration(c.settings.AccessLifetime)).Unix()
	s.DateCreated, s.LastUpdated = now.Format(time.RFC3339Nano), strconv.FormatInt(now.Unix(), 10)
	if len(by.Metadata) > 0 {
		all := maps.Clone(by.Metadata)
		maps.Copy(all, s.Metadata)
		s.Metadata = all
	}
	if s.ApplyPolicyID == "" && len(s.ApplyPolicies) == 0 && len(s.AccessRights) == 0 {
		s.AccessRights = map[string]grapnel.AccessDefinition{c.api.ID: {APIID: c.api.ID, APIName: c.api.Name}}
	}
	if err := c.Keys.Apply(s.Clone()); err != nil {
		c.x.Log.Warn("an OAuth client gets no token: its policy does not go", "client", by.ID, "error", err)
		return nil, refused("unauthorized_client", "the client's policy does not go")
	}
	return s, nil
}
