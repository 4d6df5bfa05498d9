package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// revoke ends the grant of one of the client's tokens, whichever it is: who has
// no use for the one has none for the other [RFC 7009].
func (c call) revoke() (*http.Response, error) {
	by, err := c.login()
	if err != nil {
		return nil, err
	}
	token := c.x.Request.PostForm.Get("token")
	if token == "" {
		return nil, refused("invalid_request", "token is missing")
	}
	err = c.Revoke(c.context(), c.api, by.ID, token)
	if err != nil && !errors.Is(err, grapnel.ErrNotFound) {
		return nil, err
	}
	return reply(http.StatusOK, struct{}{}), nil // also for a token that is none [RFC 7009 2.2]
}

// revokeAll ends all grants of the client, as the original lets it.
func (c call) revokeAll() (*http.Response, error) {
	by, err := c.login()
	if err != nil {
		return nil, err
	}
	if by.Public { // whoever knows its name could lock its users out
		return nil, noClient()
	}
	if err := c.RevokeAll(c.context(), c.api, by.ID); err != nil {
		return nil, err
	}
	return reply(http.StatusOK, struct{}{}), nil
}

// Revoke ends the grant of an access or refresh token of the client, or returns
// ErrNotFound.
func (s *Server) Revoke(ctx context.Context, api *grapnel.API, client, token string) error {
	h, err := s.behind(ctx, api, client, token)
	if err != nil {
		return err
	}
	return s.end(ctx, api, client, h.id)
}

// RevokeAll ends all grants of the client.
func (s *Server) RevokeAll(ctx context.Context, api *grapnel.API, client string) error {
	prefix := keyOf(grantRecords, api, client)
	all, err := s.Records.Records(ctx, prefix)
	if err != nil {
		return err
	}
	for key := range all {
		id := strings.TrimSuffix(strings.TrimPrefix(key, prefix), "/")
		if err := s.end(ctx, api, client, id); err != nil {
			return err
		}
	}
	return nil
}

// Tokens lists the access tokens of a client that count.
func (s *Server) Tokens(ctx context.Context, api *grapnel.API, client string) ([]grapnel.OAuthToken, error) {
	all, err := s.Records.Records(ctx, keyOf(grantRecords, api, client))
	if err != nil {
		return nil, err
	}
	now := time.Now().Unix()
	out := []grapnel.OAuthToken{}
	for _, text := range all {
		var g grant
		if err := json.Unmarshal(text, &g); err != nil {
			return nil, err
		}
		if g.Access != "" && g.Expires > now {
			out = append(out, grapnel.OAuthToken{Code: g.Access, Expires: g.Expires})
		}
	}
	return out, nil
}

// behind finds the grant of a token of the client, or returns ErrNotFound.
func (s *Server) behind(ctx context.Context, api *grapnel.API, client, token string) (*held, error) {
	if selector, hash, ok := readTicket(token); ok {
		h, err := s.find(ctx, api, client, grantID(selector))
		if err == nil && same(h.Refresh, hash) {
			return h, nil
		}
		if err != nil && !errors.Is(err, grapnel.ErrNotFound) {
			return nil, err
		}
	}
	session, err := s.Keys.Stored(ctx, token)
	if err != nil {
		return nil, err
	}
	return s.of(ctx, api, client, session)
}

// of finds the grant that a session of the client's came from, or returns
// ErrNotFound. A session of another API's client has none here.
func (s *Server) of(ctx context.Context, api *grapnel.API, client string, session *grapnel.Session) (*held, error) {
	if session.OAuthClientID != client || session.OrgID != api.OrgID {
		return nil, grapnel.ErrNotFound
	}
	h, err := s.find(ctx, api, client, session.OAuthKeys[client])
	if err == nil && h.Access != session.StoreID {
		err = grapnel.ErrNotFound
	}
	return h, err
}

// facts are what is said of a token [RFC 7662 2.2]; of one that does not count,
// nothing.
type facts struct {
	Active   bool   `json:"active"`
	ClientID string `json:"client_id,omitempty"`
	Username string `json:"username,omitempty"`
	Type     string `json:"token_type,omitempty"`
	Expires  int64  `json:"exp,omitempty"` // Unix seconds
}

// introspect tells a client of the API about an access token of the API, or
// about a refresh token of its own.
func (c call) introspect() (*http.Response, error) {
	by, err := c.confidential()
	if err != nil {
		return nil, err
	}
	token := c.x.Request.PostForm.Get("token")
	if token == "" {
		return nil, refused("invalid_request", "token is missing")
	}
	f, err := c.about(by, token)
	if err != nil && !errors.Is(err, grapnel.ErrNotFound) {
		return nil, err
	}
	return reply(http.StatusOK, f), nil
}

func (c call) about(by *client, token string) (facts, error) {
	ctx := c.context()
	s, err := c.Keys.Load(ctx, token)
	if errors.Is(err, grapnel.ErrNotFound) {
		if _, err := c.behind(ctx, c.api, by.ID, token); err != nil {
			return facts{}, err
		}
		return facts{Active: true, ClientID: by.ID, Type: "refresh_token"}, nil
	}
	if err != nil {
		return facts{}, err
	}
	if s.OAuthClientID == "" || s.IsInactive || s.Expires <= time.Now().Unix() {
		return facts{}, grapnel.ErrNotFound
	}
	if _, err := c.of(ctx, c.api, s.OAuthClientID, s); err != nil {
		return facts{}, err
	}
	return facts{Active: true, ClientID: s.OAuthClientID, Username: s.Alias, Type: "bearer", Expires: s.Expires}, nil
}
