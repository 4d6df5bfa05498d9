package tyk

import (
	"fmt"
	"slices"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// oauthKeys are the keys of a definition about OAuth 2.0 [7.2].
type oauthKeys struct {
	OAuthMeta     oauthMeta     `json:"oauth_meta"`
	Notifications notifications `json:"notifications"`
	ExternalOAuth externalOAuth `json:"external_oauth"`
}

type oauthMeta struct {
	AccessTypes    []string `json:"allowed_access_types"`
	AuthorizeTypes []string `json:"allowed_authorize_types"`
	LoginRedirect  string   `json:"auth_login_redirect"`
}

type notifications struct {
	URL string `json:"oauth_on_keychange_url"`
}

type externalOAuth struct {
	Enabled   bool            `json:"enabled"`
	Providers []oauthProvider `json:"providers"`
}

type oauthProvider struct {
	JWT           enabled       `json:"jwt"`
	Introspection introspection `json:"introspection"`
}

type introspection struct {
	Enabled       bool               `json:"enabled"`
	URL           string             `json:"url"`
	ClientID      string             `json:"client_id"`
	ClientSecret  string             `json:"client_secret"`
	IdentityField string             `json:"identity_base_field"`
	Cache         introspectionCache `json:"cache"`
}

type introspectionCache struct {
	Enabled bool    `json:"enabled"`
	Timeout float64 `json:"timeout"` // seconds
}

// oauth translates the authorization server of an API. The ways to a token that
// hand it to the browser, or the user's password to the client, are not there:
// who asks for them is refused [RFC 9700 2.1.2, 2.4].
func (t callers) oauth() *grapnel.OAuthAuth {
	const at = "oauth_meta"
	m := t.d.OAuthMeta
	o := &grapnel.OAuthAuth{}
	o.SetDefaults()
	o.Header, o.Grants = t.header(kindOAuth), nil
	o.Separator = t.conf.OAuthRedirectURISeparator
	if n := t.conf.OAuthTokenExpire; n > 0 {
		o.AccessLifetime = grapnel.Duration(time.Duration(n) * time.Second)
	}
	if n := t.conf.OAuthRefreshExpire; n > 0 {
		o.RefreshLifetime = grapnel.Duration(time.Duration(n) * time.Second)
	}
	codes := slices.Contains(m.AuthorizeTypes, "code")
	for i, kind := range m.AuthorizeTypes {
		if kind != "code" {
			t.warn(fmt.Sprintf(at+".allowed_authorize_types[%d]", i), "has no effect: %q hands tokens to the browser, and is refused", kind)
		}
	}
	for i, kind := range m.AccessTypes {
		path := fmt.Sprintf(at+".allowed_access_types[%d]", i)
		switch kind {
		case grapnel.GrantAuthorizationCode:
			if !codes {
				t.warn(path, "has no effect: allowed_authorize_types has no \"code\"")
				continue
			}
		case grapnel.GrantClientCredentials, grapnel.GrantRefreshToken:
		default:
			t.warn(path, "has no effect: tokens of the type %q are refused", kind)
			continue
		}
		o.Grants = append(o.Grants, kind)
	}
	if m.LoginRedirect != "" {
		o.Login = t.target(at+".auth_login_redirect", m.LoginRedirect, "http", "https")
	}
	if t.d.Notifications.URL != "" {
		t.warn("notifications", "has no effect: nobody is told of new tokens, which would be sent there in clear")
	}
	if !t.conf.HashKeys {
		t.warn("use_oauth2", "access tokens are stored in clear, as all keys are while hash_keys is off")
	}
	return o
}

// externalOAuth translates a foreign authorization server that is asked about
// tokens. One that signs them is what enable_jwt is for.
func (t callers) externalOAuth() *grapnel.IntrospectionAuth {
	const at = "external_oauth.providers"
	all := t.d.ExternalOAuth.Providers
	if len(all) != 1 || all[0].JWT.Enabled || !all[0].Introspection.Enabled {
		t.refuse(at, "only one provider with introspection is supported; for signed tokens there is enable_jwt")
		return nil
	}
	p := all[0].Introspection
	i := &grapnel.IntrospectionAuth{}
	i.SetDefaults()
	i.Credential = t.d.of(kindExternalOAuth).credential()
	i.URL = t.target(at+"[0].introspection.url", p.URL, "http", "https")
	i.ClientID, i.ClientSecret = p.ClientID, p.ClientSecret
	i.IdentityClaim = orDefault(p.IdentityField, "sub")
	i.Cache = 0
	if p.Cache.Enabled {
		i.Cache = seconds(p.Cache.Timeout)
	}
	return i
}
