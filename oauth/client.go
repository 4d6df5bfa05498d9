package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// A client is what the store has of one.
type client struct {
	grapnel.OAuthClient        // without its secret
	Hash                string `json:"secret_hash,omitempty"`
}

// The prefixes of the records' keys.
const (
	clientRecords = "oauth-client/"
	grantRecords  = "oauth-grant/"
)

// keyOf is the key of a record: no name can run into the next one.
func keyOf(prefix string, api *grapnel.API, names ...string) string {
	for _, name := range append([]string{api.OrgID, api.ID}, names...) {
		prefix += url.PathEscape(name) + "/"
	}
	return prefix
}

// digest is what is stored in the place of a secret. The secrets that the gateway
// makes cannot be guessed, so that a fast hash is enough; the parts before one
// make equal secrets different.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// same compares two texts in a time that does not tell where they differ. Empty
// texts are never the same.
func same(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

func secretHash(id, secret string) string { return digest("client", id, secret) }

// client finds a client of the API, or returns ErrNotFound, with its stored form.
func (s *Server) client(ctx context.Context, api *grapnel.API, id string) (*client, []byte, error) {
	text, err := s.Records.Record(ctx, keyOf(clientRecords, api, id))
	if err != nil {
		return nil, nil, err
	}
	c := &client{}
	return c, text, json.Unmarshal(text, c)
}

// Client returns a client of the API, without its secret, or ErrNotFound.
func (s *Server) Client(ctx context.Context, api *grapnel.API, id string) (*grapnel.OAuthClient, error) {
	c, _, err := s.client(ctx, api, id)
	if err != nil {
		return nil, err
	}
	return &c.OAuthClient, nil
}

// Clients returns the clients of the API, by their ids.
func (s *Server) Clients(ctx context.Context, api *grapnel.API) ([]*grapnel.OAuthClient, error) {
	all, err := s.Records.Records(ctx, keyOf(clientRecords, api))
	if err != nil {
		return nil, err
	}
	out := []*grapnel.OAuthClient{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		c := &client{}
		if err := json.Unmarshal(all[key], c); err != nil {
			return nil, err
		}
		out = append(out, &c.OAuthClient)
	}
	return out, nil
}

// PutClient makes or changes a client. Without a secret the client keeps the one
// that it has.
func (s *Server) PutClient(ctx context.Context, api *grapnel.API, c grapnel.OAuthClient) error {
	stored := client{OAuthClient: c}
	old, text, err := s.client(ctx, api, c.ID)
	switch {
	case errors.Is(err, grapnel.ErrNotFound):
	case err != nil:
		return err
	default:
		stored.Hash = old.Hash
	}
	if c.Secret != "" {
		stored.Hash, stored.Secret = secretHash(c.ID, c.Secret), ""
	}
	if c.Public {
		stored.Hash = ""
	}
	changed, err := json.Marshal(stored)
	if err != nil {
		return err
	}
	return s.Records.SwapRecord(ctx, keyOf(clientRecords, api, c.ID), text, changed, 0)
}

// DeleteClient removes a client and all of its tokens, or returns ErrNotFound. The
// tokens go first, so that it can be done again when it fails, and once more for
// those that were given meanwhile.
func (s *Server) DeleteClient(ctx context.Context, api *grapnel.API, id string) error {
	_, text, err := s.client(ctx, api, id)
	if err != nil {
		return err
	}
	if err := s.RevokeAll(ctx, api, id); err != nil {
		return err
	}
	if err := s.Records.SwapRecord(ctx, keyOf(clientRecords, api, id), text, nil, 0); err != nil {
		return err
	}
	return s.RevokeAll(ctx, api, id)
}

// login finds the client that a call comes from [RFC 6749 2.3]: by Basic, by the
// form, or, when it is public, by its name alone.
func (c call) login() (*client, error) {
	r := c.x.Request
	id, secret, basic := r.BasicAuth()
	given := r.PostForm.Get("client_secret")
	switch {
	case !basic:
		id, secret = r.PostForm.Get("client_id"), given
	case given != "":
		return nil, refused("invalid_request", "the client logs in twice")
	}
	// Both are encoded as in a form, which not all clients know.
	plainID, idErr := url.QueryUnescape(id)
	plain, secretErr := url.QueryUnescape(secret)
	if !basic || idErr != nil || secretErr != nil {
		plainID, plain = id, secret
	}
	if named := r.PostForm.Get("client_id"); basic && named != "" && named != plainID && named != id {
		return nil, refused("invalid_request", "client_id is not who logs in")
	}
	for _, try := range slices.Compact([][2]string{{plainID, plain}, {id, secret}}) {
		found, _, err := c.client(c.context(), c.api, try[0])
		switch {
		case errors.Is(err, grapnel.ErrNotFound):
			continue
		case err != nil:
			return nil, err
		case found.Public && try[1] == "", same(found.Hash, secretHash(found.ID, try[1])):
			return found, nil
		}
	}
	c.x.Log.Info("OAuth client refused", "request_id", c.x.ID)
	return nil, noClient()
}

// confidential is login for clients that can keep a secret.
func (c call) confidential() (*client, error) {
	found, err := c.login()
	if err == nil && found.Public {
		return nil, noClient()
	}
	return found, err
}

// redirects are the URIs to which the client's users may be sent back.
func (c *client) redirects(o *grapnel.OAuthAuth) []string { return Redirects(o, c.RedirectURI) }

// Redirects are the single URIs of a client's redirect_uri.
func Redirects(o *grapnel.OAuthAuth, uris string) []string {
	if o.Separator == "" {
		return strings.Fields(uris)
	}
	var out []string
	for _, uri := range strings.Split(uris, o.Separator) {
		if uri = strings.TrimSpace(uri); uri != "" {
			out = append(out, uri)
		}
	}
	return out
}

// CheckClient says why a client cannot be one of the API: nobody may be sent to
// where its redirect URIs lead.
func (s *Server) CheckClient(api *grapnel.API, c grapnel.OAuthClient) error {
	for _, uri := range Redirects(api.OAuth(), c.RedirectURI) {
		u, err := url.Parse(uri)
		switch {
		case err != nil || u.Scheme == "":
			return refusedClient("redirect_uri must be absolute")
		case u.Fragment != "" || strings.Contains(uri, "#"):
			return refusedClient("redirect_uri must not have a fragment") // [RFC 6749 3.1.2]
		case slices.Contains([]string{"javascript", "data", "vbscript", "file"}, strings.ToLower(u.Scheme)):
			return refusedClient("redirect_uri has a scheme that is not one of clients")
		}
	}
	return nil
}

func refusedClient(message string) error {
	return &grapnel.Error{Status: http.StatusBadRequest, Code: grapnel.CodeBadRequest, Message: message}
}
