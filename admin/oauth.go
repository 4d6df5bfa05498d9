package admin

import (
	"crypto/rand"
	"errors"
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// oauthCalls are the calls for the clients of APIs with an authorization server
// of their own [R-52…R-54].
type oauthCalls struct{ Options }

// The refusals of the original.
const (
	unknownClient  = "OAuth Client ID not found"
	noSuchAPI      = "API doesn't exist"
	noOAuth        = "API is not OAuth2"
	noSuchPolicy   = "Policy doesn't exist"
	notUnmarshaled = "Unmarshalling failed"
)

// create makes a client, with an id and a secret of its own where none are
// given. The secret is told here and never again: the store has a hash of it.
// Without an API it is made on all that its policy opens.
func (c oauthCalls) create(r *http.Request) (any, error) {
	var client grapnel.OAuthClient
	if err := decode(r, &client, refuse(http.StatusInternalServerError, notUnmarshaled)); err != nil {
		return nil, err
	}
	if client.ID == "" {
		client.ID = newID()
	}
	switch {
	case client.Public && client.Secret != "":
		return nil, refuse(http.StatusBadRequest, "A public client has no secret")
	case !client.Public && client.Secret == "":
		client.Secret = newSecret()
	}
	if err := c.checkPolicy(client); err != nil {
		return nil, err
	}
	apis, err := c.apisOf(client)
	if err != nil {
		return nil, err
	}
	for _, api := range apis {
		if err := c.OAuth.CheckClient(api, client); err != nil {
			return nil, err
		}
	}
	for _, api := range apis {
		client.APIID = api.ID
		if err := c.OAuth.PutClient(r.Context(), api, client); err != nil {
			return nil, err
		}
	}
	return client, nil
}

// newSecret makes the secret of a client, of 260 random bits.
func newSecret() string { return rand.Text() + rand.Text() }

func (c oauthCalls) checkPolicy(client grapnel.OAuthClient) error {
	if client.PolicyID == "" {
		return nil
	}
	if _, ok := c.Policy(client.PolicyID); !ok {
		return refuse(http.StatusBadRequest, noSuchPolicy)
	}
	return nil
}

// apisOf are the APIs that a new client is for.
func (c oauthCalls) apisOf(client grapnel.OAuthClient) ([]*grapnel.API, error) {
	if client.APIID != "" {
		api := c.API(client.APIID)
		switch {
		case api == nil:
			return nil, refuse(http.StatusBadRequest, noSuchAPI)
		case api.OAuth() == nil:
			return nil, refuse(http.StatusBadRequest, noOAuth)
		}
		return []*grapnel.API{api}, nil
	}
	var apis []*grapnel.API
	if policy, ok := c.Policy(client.PolicyID); ok {
		for id := range policy.AccessRights {
			if api := c.API(id); api != nil && api.OAuth() != nil {
				apis = append(apis, api)
			}
		}
	}
	if len(apis) == 0 {
		return nil, refuse(http.StatusBadRequest, noSuchAPI)
	}
	return apis, nil
}

// api finds the API that a call means.
func (c oauthCalls) api(id string) (*grapnel.API, error) {
	api := c.API(id)
	switch {
	case api == nil:
		return nil, refuse(http.StatusNotFound, noSuchAPI)
	case api.OAuth() == nil:
		return nil, refuse(http.StatusBadRequest, noOAuth)
	}
	return api, nil
}

// client finds the client that the path of a call means.
func (c oauthCalls) client(r *http.Request) (*grapnel.API, *grapnel.OAuthClient, error) {
	api, err := c.api(r.PathValue("api"))
	if err != nil {
		return nil, nil, err
	}
	client, err := c.OAuth.Client(r.Context(), api, r.PathValue("client"))
	return api, client, missing(err, unknownClient)
}

// list returns the clients of an API.
func (c oauthCalls) list(r *http.Request) (any, error) {
	api, err := c.api(r.PathValue("api"))
	if err != nil {
		return nil, err
	}
	return c.OAuth.Clients(r.Context(), api)
}

// get returns one client.
func (c oauthCalls) get(r *http.Request) (any, error) {
	_, client, err := c.client(r)
	return client, err
}

// update replaces what can change of a client: not its id, its secret, or
// whether it can keep one.
func (c oauthCalls) update(r *http.Request) (any, error) {
	var changes grapnel.OAuthClient
	if err := decode(r, &changes, refuse(http.StatusInternalServerError, notUnmarshaled)); err != nil {
		return nil, err
	}
	api, client, err := c.client(r)
	if err != nil {
		return nil, err
	}
	client.RedirectURI, client.PolicyID = changes.RedirectURI, changes.PolicyID
	client.Metadata, client.Description = changes.Metadata, changes.Description
	if err := c.checkPolicy(*client); err != nil {
		return nil, err
	}
	if err := c.OAuth.CheckClient(api, *client); err != nil {
		return nil, err
	}
	return client, c.OAuth.PutClient(r.Context(), api, *client)
}

// rotate gives a client a new secret, which is told here alone. Its tokens go on
//
func (c oauthCalls) rotate(r *http.Request) (any, error) {
	api, client, err := c.client(r)
	if err != nil {
		return nil, err
	}
	if client.Public {
		return nil, refuse(http.StatusBadRequest, "A public client has no secret")
	}
	client.Secret = newSecret()
	return client, c.OAuth.PutClient(r.Context(), api, *client)
}

// remove removes a client, and its tokens at once.
func (c oauthCalls) remove(r *http.Request) (any, error) {
	api, client, err := c.client(r)
	if err != nil {
		return nil, err
	}
	return changed(client.ID, "deleted"), missing(c.OAuth.DeleteClient(r.Context(), api, client.ID), unknownClient)
}

// tokens lists the access tokens of a client, by the ids of their sessions
//
func (c oauthCalls) tokens(r *http.Request) (any, error) {
	api, client, err := c.client(r)
	if err != nil {
		return nil, err
	}
	return c.OAuth.Tokens(r.Context(), api, client.ID)
}

// removeRefresh ends what a refresh token stands for. The reply does not
// repeat it.
func (c oauthCalls) removeRefresh(r *http.Request) (any, error) {
	id := r.URL.Query().Get("api_id")
	if id == "" {
		return nil, refuse(http.StatusBadRequest, "Missing parameter api_id")
	}
	if err := c.revokeOf(r, id, "", r.PathValue("token")); err != nil {
		return nil, err
	}
	return changed("", "deleted"), nil
}

// revoke ends what an access or refresh token of a client stands for.
func (c oauthCalls) revoke(r *http.Request) (any, error) {
	form, err := c.form(r, "token", "client_id", "api_id")
	if err != nil {
		return nil, err
	}
	if err := c.revokeOf(r, form["api_id"], form["client_id"], form["token"]); err != nil {
		return nil, err
	}
	return outcome{"ok", "token revoked successfully"}, nil
}

// revokeAll ends everything that a client was given.
func (c oauthCalls) revokeAll(r *http.Request) (any, error) {
	form, err := c.form(r, "client_id", "api_id")
	if err != nil {
		return nil, err
	}
	api, err := c.api(form["api_id"])
	if err != nil {
		return nil, err
	}
	if _, err := c.OAuth.Client(r.Context(), api, form["client_id"]); err != nil {
		return nil, missing(err, unknownClient)
	}
	return outcome{"ok", "tokens revoked successfully"}, c.OAuth.RevokeAll(r.Context(), api, form["client_id"])
}

// removeLapsed has nothing to do: what has lapsed goes by itself.
func (c oauthCalls) removeLapsed(r *http.Request) (any, error) {
	if r.URL.Query().Get("scope") != "lapsed" {
		return nil, refuse(http.StatusUnprocessableEntity, "unknown scope")
	}
	return outcome{"ok", "lapsed tokens purged"}, nil
}

// form reads the named fields of a form, all of which are needed.
func (c oauthCalls) form(r *http.Request, names ...string) (map[string]string, error) {
	if r.ParseForm() != nil { // its error would repeat what was sent
		return nil, errMalformed()
	}
	out := map[string]string{}
	for _, name := range names {
		if out[name] = r.PostForm.Get(name); out[name] == "" {
			return nil, refuse(http.StatusBadRequest, "Missing parameter "+name)
		}
	}
	return out, nil
}

// revokeOf ends what a token stands for: of one client, or of whichever of the
// API's has it.
func (c oauthCalls) revokeOf(r *http.Request, apiID, client, token string) error {
	api, err := c.api(apiID)
	if err != nil {
		return err
	}
	clients := []*grapnel.OAuthClient{{ID: client}}
	if client == "" {
		if clients, err = c.OAuth.Clients(r.Context(), api); err != nil {
			return err
		}
	}
	for _, o := range clients {
		if err := c.OAuth.Revoke(r.Context(), api, o.ID, token); !errors.Is(err, grapnel.ErrNotFound) {
			return err
		}
	}
	return refuse(http.StatusNotFound, "Token not found")
}
