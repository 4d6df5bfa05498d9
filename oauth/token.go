package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// token gives a client its tokens [RFC 6749 3.2].
func (c call) token() (*http.Response, error) {
	by, err := c.login()
	if err != nil {
		return nil, err
	}
	form := c.x.Request.PostForm
	kind := form.Get("grant_type")
	switch {
	case kind == "":
		return nil, refused("invalid_request", "grant_type is missing")
	case !c.allows(kind):
		return nil, refused("unsupported_grant_type", "the API gives no tokens in this way")
	case kind == grapnel.GrantAuthorizationCode:
		return c.exchange(by)
	case kind == grapnel.GrantRefreshToken:
		return c.refresh(by)
	case kind != grapnel.GrantClientCredentials:
		return nil, refused("unsupported_grant_type", "the API gives no tokens in this way")
	case by.Public:
		return nil, refused("unauthorized_client", "a public client has no credentials of its own")
	}
	h, _ := newGrant(c.api, grant{Client: by.ID})
	return c.issue(h, by, "")
}

// exchange gives tokens for a code. One that comes with the wrong verifier or
// redirect URI is stolen or about to be: it ends, as one that comes again does
// with its tokens.
func (c call) exchange(by *client) (*http.Response, error) {
	form := c.x.Request.PostForm
	h, hash, selector, err := c.ticket(by, form.Get("code"))
	switch {
	case err != nil:
		return nil, err
	case !same(h.Code, hash):
		return nil, noGrant()
	case h.Used:
		return nil, c.stolen(h, "an authorization code came twice")
	case !h.sentTo(form.Get("redirect_uri")):
		return nil, c.stolen(h, "an authorization code came with another redirect_uri")
	case !proves(form.Get("code_verifier"), h.Challenge):
		return nil, c.stolen(h, "an authorization code came without its verifier")
	}
	h.Used = true
	if !c.allows(grapnel.GrantRefreshToken) {
		selector = ""
	}
	resp, err := c.issue(h, by, selector)
	if errors.Is(err, grapnel.ErrConflict) { // who came first has the tokens
		return nil, c.stolen(h, "an authorization code came twice")
	}
	return resp, err
}

// sentTo reports whether the code went to this URI [RFC 6749 4.1.3].
func (g *grant) sentTo(uri string) bool {
	return uri == g.Redirect || uri == "" && !g.Named
}

// proves reports whether the verifier is that of the challenge [RFC 7636 4.6].
// A verifier without a challenge proves that someone took the challenge away
// [RFC 9700 4.8.2].
func proves(verifier, challenge string) bool {
	if challenge == "" || verifier == "" {
		return challenge == verifier
	}
	sum := sha256.Sum256([]byte(verifier))
	return same(base64.RawURLEncoding.EncodeToString(sum[:]), challenge)
}

// refresh gives new tokens for a refresh token, which counts no more.
func (c call) refresh(by *client) (*http.Response, error) {
	h, hash, selector, err := c.ticket(by, c.x.Request.PostForm.Get("refresh_token"))
	switch {
	case err != nil:
		return nil, err
	case !same(h.Refresh, hash):
		return nil, c.stolen(h, "a refresh token came twice")
	}
	resp, err := c.issue(h, by, selector)
	if errors.Is(err, grapnel.ErrConflict) {
		return nil, c.stolen(h, "a refresh token came twice")
	}
	return resp, err
}

// ticket finds the grant of a code or refresh token among those of the client:
// another's is not found.
func (c call) ticket(by *client, ticket string) (h *held, hash, selector string, err error) {
	selector, hash, ok := readTicket(ticket)
	if !ok {
		return nil, "", "", noGrant()
	}
	h, err = c.find(c.context(), c.api, by.ID, grantID(selector))
	if errors.Is(err, grapnel.ErrNotFound) {
		err = noGrant()
	}
	return h, hash, selector, err
}

// stolen ends the grant, and returns the refusal.
func (c call) stolen(h *held, how string) error {
	c.x.Log.Warn("OAuth tokens revoked: "+how, "client", h.Client, "request_id", c.x.ID)
	if err := c.end(c.context(), c.api, h.Client, h.id); err != nil {
		return err
	}
	return noGrant()
}
