package grapnel

import "time"

// The grants of OAuth 2.0 that an API's own authorization server knows.
const (
	GrantClientCredentials = "client_credentials"
	GrantAuthorizationCode = "authorization_code"
	GrantRefreshToken      = "refresh_token"
)

// OAuthAuth makes the API an OAuth 2.0 authorization server of its own, below
// its listen path, and lets callers in who present one of its access
// tokens [S-46]. Its clients are managed over the control API [R-52…R-54].
type OAuthAuth struct {
	// Header is where access tokens stand, after the word Bearer.
	Header string `yaml:"header"`
	// Grants are the ways to a token: client_credentials,
	// authorization_code, which demands PKCE (S256) of public clients, and
	// refresh_token, without which no token can be renewed.
	Grants []string `yaml:"grants"`
	// Login is the page to which users are sent to log in and agree. It gets
	// the parameters of the client's request, and asks the gateway for the
	// code at tyk/oauth/authorize-client/, with the secret of the control
	// API. Without one, oauth/authorize/ refuses.
	Login *URL `yaml:"login"`
	// AccessLifetime is how long an access token counts.
	AccessLifetime Duration `yaml:"access_lifetime"`
	// RefreshLifetime is how long a refresh token waits to be used. Each is
	// good for one use and gives the next one.
	RefreshLifetime Duration `yaml:"refresh_lifetime"`
	// Separator stands between the redirect URIs of a client; empty is any
	// white space.
	Separator string `yaml:"-"`
}

// SetDefaults allows all grants, with the lifetimes that the original has.
func (o *OAuthAuth) SetDefaults() {
	*o = OAuthAuth{
		Header:         "Authorization",
		Grants:         []string{GrantClientCredentials, GrantAuthorizationCode, GrantRefreshToken},
		AccessLifetime: Duration(time.Hour), RefreshLifetime: Duration(14 * 24 * time.Hour),
	}
}

// IntrospectionAuth lets callers in who present a token of a foreign
// authorization server, which is asked about it [RFC 7662]. Who cannot be asked
// lets nobody in.
type IntrospectionAuth struct {
	Credential `yaml:",inline"`
	// URL is the introspection endpoint.
	URL *URL `yaml:"url"`
	// ClientID is the name by which the gateway logs in there.
	ClientID string `yaml:"client_id"`
	// ClientSecret is the secret of ClientID.
	ClientSecret string `yaml:"client_secret"`
	// Timeout bounds the wait for an answer.
	Timeout Duration `yaml:"timeout"`
	// Cache is how long an answer is believed, at most until the token
	// expires; so long may a revoked token go on. 0 asks every time.
	Cache Duration `yaml:"cache"`
	// Issuer is who must have made the token; empty is whoever the endpoint
	// vouches for.
	Issuer string `yaml:"issuer"`
	// Audience lists who a token may be meant for, of whom it must name
	// one; empty takes tokens that are meant for anyone.
	Audience []string `yaml:"audience"`
	// IdentityClaim names the member of the answer that says who is
	// calling; one identity has one session. Without it, sub is taken.
	IdentityClaim string `yaml:"identity_claim"`
	// PolicyClaim names the member that holds the caller's policies.
	PolicyClaim string `yaml:"policy_claim"`
	// DefaultPolicies are for tokens that name none.
	DefaultPolicies []string `yaml:"default_policies"`
	// Scope gives policies for the scopes of a token.
	Scope JWTScope `yaml:"scope"`
}

// SetDefaults believes an answer for half a minute.
func (i *IntrospectionAuth) SetDefaults() {
	i.Credential.SetDefaults()
	i.Timeout = Duration(5 * time.Second)
	i.Cache = Duration(30 * time.Second)
	i.IdentityClaim = "sub"
	i.Scope.SetDefaults()
}

// An OAuthClient is an application that may ask an API's authorization server
// for tokens. Its JSON is that of the original.
type OAuthClient struct {
	ID string `json:"client_id"`
	// Secret is known when it is new; the store has a hash of it.
	Secret string `json:"secret"`
	// RedirectURI is where users may be sent back to: one URI, or several.
	RedirectURI string `json:"redirect_uri"`
	APIID       string `json:"api_id,omitempty"`
	// PolicyID is the policy of the client's tokens.
	PolicyID string `json:"policy_id,omitempty"`
	// Metadata becomes part of that of the sessions of its tokens.
	Metadata    map[string]any `json:"meta_data"`
	Description string         `json:"description"`
	// Public says that the client can keep no secret, as an app on a phone:
	// it has none, and proves with PKCE that it is the one who began. The
	// original has no such clients.
	Public bool `json:"public,omitempty"`
}

// An OAuthToken is an access token of a client, by the id under which its
// session is stored.
type OAuthToken struct {
	Code    string `json:"code"`
	Expires int64  `json:"expires"` // Unix seconds
}
