package grapnel

import (
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
)

// An API is one published service: where clients find it, who may call it,
// which plugins are asked, and where it goes. It is read-only after load.
type API struct {
	// ID is unique among the APIs of a gateway and has to be given; plugins
	// see it as spec.APIID.
	ID string `yaml:"id"`
	// Name is for people, and what a loop may call the API; without one,
	// the ID is.
	Name string `yaml:"name"`
	// OrgID is the organisation that owns the API; plugins see it as
	// spec.OrgID.
	OrgID string `yaml:"org_id"`
	// Listen says where clients find the API.
	Listen `yaml:",inline"`
	// Upstream says where requests go.
	Upstream `yaml:",inline"`
	// Auth lists the ways to prove who is calling; all must pass. An API
	// without any is open to everyone.
	Auth []AuthMethod `yaml:"auth"`
	// Sessions says whose session stays, and for how long it is stored.
	Sessions APISessions `yaml:",inline"`
	// Hooks are the plugin calls around each exchange.
	Hooks Hooks `yaml:"hooks"`
	// PluginsBudget bounds the time that all hooks of one exchange may take
	// together; 0 does not.
	PluginsBudget Duration `yaml:"plugins_budget"`
	// ConfigData is handed to plugins as JSON, as spec.config_data.
	ConfigData map[string]any `yaml:"config_data"`
	// Events says what is told of which event: AuthFailure (a caller was
	// refused), VersionFailure (a version or path was), KeyExpired,
	// RatelimitExceeded, QuotaExceeded, or what the control API did to a key:
	// TokenCreated, TokenUpdated, TokenDeleted.
	Events map[EventType][]EventHandler `yaml:"events"`
	// MaxBody bounds the request's body, and a reply that a hook reads.
	// 0 is no limit; without one, limits.body holds.
	MaxBody Size `yaml:"max_body"`
	// Limits bound how often the API may be called.
	Limits APILimits `yaml:",inline"`
	// RateLimitHeaders puts X-RateLimit-* on replies [S-40].
	RateLimitHeaders bool `yaml:"rate_limit_headers"`
	// Bundle is the custom_middleware_bundle of a Tyk definition; plugins
	// see its MD5 [B-17].
	Bundle string `yaml:"-"`
	// CORS answers cross-origin preflights; without it they are requests
	// like others.
	CORS *CORS `yaml:"cors"`
	// Addresses says which client addresses are served.
	Addresses AddressRules `yaml:"addresses"`
	// Versioning, when not nil, holds the rules of the API's versions.
	Versioning *Versioning `yaml:"-"`
	// Credential says where callers put what proves who they are.
	Credential Credential `yaml:"-"`
	// Internal APIs are reached from other APIs only.
	Internal bool `yaml:"-"`
}

// SetDefaults gives the API what its configuration need not say.
func (a *API) SetDefaults() {
	a.Listen.StripListenPath = true
	a.Upstream.Timeout = Inherit
	a.MaxBody = -1
	a.Credential.Header = "Authorization"
}

// A Listen says where clients find an API.
type Listen struct {
	// Hosts are the host names that are served: a name, or *.name for all
	// names below it. None means every host.
	Hosts []string `yaml:"hosts"`
	// ListenPath is the path prefix that is served. It begins with a slash
	// and has to be given; no two APIs share one on the same host.
	ListenPath string `yaml:"listen_path"`
	// StripListenPath removes the prefix before the request goes upstream.
	StripListenPath bool `yaml:"strip_listen_path"`
	// Loose lets the prefix end within a path segment: /app takes
	// /application too [P-5].
	Loose bool `yaml:"-"`
	// Aliases are further prefixes that lead to the API [P-4].
	Aliases []string `yaml:"-"`
}

// An Upstream says where the requests of an API go, and how. After load,
// Targets holds Target too.
type Upstream struct {
	// Targets are the base URLs, taken in turn, where there are several.
	// Their schemes are those of Target, without tyk.
	Targets []*URL `yaml:"targets"`
	// Target is the one base URL, where there is one. Schemes: http, https,
	// h2c (HTTP/2 without TLS), ws, wss, and tyk for another API of this
	// gateway.
	Target *URL `yaml:"target"`
	// PreserveHost forwards the client's Host instead of the target's.
	PreserveHost bool `yaml:"preserve_host"`
	// KeepTargetSlash keeps the slash that ends the target's path when
	// there is nothing to join to it [7.3].
	KeepTargetSlash bool `yaml:"-"`
	// Timeout bounds the wait for the reply's header, 0 is none. Without
	// one, timeouts.upstream holds.
	Timeout Duration `yaml:"upstream_timeout"`
	// InsecureSkipVerify accepts any certificate of the upstream.
	InsecureSkipVerify bool `yaml:"insecure_skip_verify"`
	// TLS says whom the gateway trusts behind https and wss, and what it proves
	// itself by; without it, whom the system trusts, and nothing.
	TLS UpstreamTLS `yaml:"upstream_tls"`
	// ClientCertHeader tells the upstream the client's certificate, in the
	// headers Client-Cert and Client-Cert-Chain [RFC 9440; L-1]. What a client
	// puts there itself is always removed.
	ClientCertHeader bool `yaml:"client_cert_header"`
	// Client says who speaks HTTP with the upstream: direct, the gateway's own
	// client, which is the faster one and knows HTTP/1.1 only; or standard, Go's.
	// Without one, it is direct for http and ws, and standard for the others.
	Client UpstreamClient `yaml:"upstream_client"`
	// GraphQL says that the upstream speaks GraphQL, and what may be asked of
	// it; without it, requests are not looked into.
	GraphQL *GraphQL `yaml:"graphql"`
}

// UpstreamTLS is how TLS connections to an upstream are secured.
type UpstreamTLS struct {
	// CA is a PEM file with the authorities that the upstream's certificate must
	// come from; without one, the system's. A reload reads it again.
	CA string `yaml:"ca"`
	// Cert is a PEM file with the certificate that the gateway proves itself by.
	// It is read again when it changes, and so is the key.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"` // the PEM file with the private key of Cert
	// ServerName is the name that the upstream's certificate must have; without
	// one, the target's.
	ServerName string `yaml:"server_name"`
}

// An UpstreamClient is an implementation of HTTP for the way upstream.
type UpstreamClient string

const (
	// ClientDirect keeps an exchange on one goroutine, and speaks HTTP/1.1.
	ClientDirect UpstreamClient = "direct"
	// ClientStandard is the standard library's client, with HTTP/2.
	ClientStandard UpstreamClient = "standard"
)

// A URL is an absolute URL in configuration.
type URL struct{ url.URL }

// UnmarshalText reads an absolute URL with a host.
func (u *URL) UnmarshalText(b []byte) error {
	v, err := url.Parse(string(b))
	switch {
	case err != nil && bytes.Contains(b, []byte("://")):
		return fmt.Errorf("%q is not a URL: %w", b, err)
	case err != nil || v.Scheme == "" || v.Host == "":
		return fmt.Errorf("%q is not an absolute URL; write it as http://host:port/path", b)
	}
	u.URL = *v
	return nil
}

// MarshalText writes the URL.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// APILimits bound how often an API may be called.
type APILimits struct {
	// RateLimit bounds the calls of all callers together; over it they get
	// 429 [7.2].
	RateLimit RateLimit `yaml:"rate_limit"`
	// DisableRate lets sessions call the API at any rate.
	DisableRate bool `yaml:"disable_rate_limit"`
	// DisableQuota lets sessions call the API without spending quota.
	DisableQuota bool `yaml:"disable_quota"`
	// KeepCounters leaves what was counted of a key alone when the control
	// API sets the key anew.
	KeepCounters bool `yaml:"-"`
	// Organisation holds the organisation's session against all calls, where
	// there is one.
	Organisation bool `yaml:"-"`
	// Told tells callers of their limits, at tyk/rate-limits below the listen
	// path.
	Told bool `yaml:"-"`
}

// A Credential is the place of what proves who is calling. A parameter goes
// before the header, a cookie before both; an empty name means not there.
type Credential struct {
	Header string `yaml:"header"` // the name of a request header
	Param  string `yaml:"param"`  // the name of a query parameter
	Cookie string `yaml:"cookie"` // the name of a cookie
	// Strip removes it before Post hooks and the upstream.
	Strip bool `yaml:"-"`
}

// SetDefaults looks in the Authorization header.
func (c *Credential) SetDefaults() { c.Header = "Authorization" }

// Find returns what stands at the place of the credential [7.2]; empty is nothing.
func (c Credential) Find(r *http.Request) string {
	if c.Cookie != "" {
		if cookie, err := r.Cookie(c.Cookie); err == nil && cookie.Value != "" {
			return cookie.Value
		}
	}
	if c.Param != "" {
		if v := r.URL.Query().Get(c.Param); v != "" {
			return v
		}
	}
	if c.Header == "" {
		return ""
	}
	return r.Header.Get(c.Header)
}

// AuthMethod is one way to prove who is calling: exactly one of the kinds is
// set, or the hook of a plugin server.
type AuthMethod struct {
	Hook `yaml:",inline"`
	// ID finds the caller's id in the request, so that a plugin is not asked
	// again about a session that it has vouched for.
	ID *Extractor `yaml:"id_extractor"`
	// Token takes keys as they are stored.
	Token *TokenAuth `yaml:"token"`
	// Basic takes names and passwords.
	Basic *BasicAuth `yaml:"basic"`
	// JWT takes JSON Web Tokens.
	JWT *JWTAuth `yaml:"jwt"`
	// HMAC takes signed requests.
	HMAC *HMACAuth `yaml:"hmac"`
	// Certificate takes TLS client certificates.
	Certificate *CertificateAuth `yaml:"certificate"`
	// OAuth takes the access tokens of the API's own authorization server.
	OAuth *OAuthAuth `yaml:"oauth"`
	// Introspection takes tokens for which another authorization server
	// vouches when it is asked.
	Introspection *IntrospectionAuth `yaml:"introspection"`
}

// Identity is what base_identity calls the method [C-21].
func (m *AuthMethod) Identity() string {
	switch {
	case m.Token != nil:
		return "auth_token"
	case m.Basic != nil:
		return "basic_auth_user"
	case m.JWT != nil:
		return "jwt_claim"
	case m.HMAC != nil:
		return "hmac_key"
	case m.Certificate != nil:
		return "certificate"
	case m.OAuth != nil:
		return "oauth_key"
	case m.Introspection != nil:
		return "external_oauth"
	}
	return "custom_auth"
}

// Asks reports whether the method asks a plugin server.
func (m *AuthMethod) Asks() bool { return m.Identity() == "custom_auth" }

// OAuth is the API's own authorization server, or nil.
func (a *API) OAuth() *OAuthAuth {
	for i := range a.Auth {
		if o := a.Auth[i].OAuth; o != nil {
			return o
		}
	}
	return nil
}

// CORS says which other origins' pages may call the API. The fields follow the
// Fetch standard's CORS protocol.
type CORS struct {
	// AllowedOrigins are the origins whose pages may call, as in
	// https://shop.example; one * in each stands for any text. None means
	// all.
	AllowedOrigins []string `yaml:"allowed_origins"`
	// AllowedMethods are the methods that they may use; none means GET,
	// HEAD and POST.
	AllowedMethods []string `yaml:"allowed_methods"`
	// AllowedHeaders are the request headers that they may set, * for all.
	AllowedHeaders []string `yaml:"allowed_headers"`
	// ExposedHeaders are the reply headers that they may read.
	ExposedHeaders []string `yaml:"exposed_headers"`
	// AllowCredentials lets them send cookies and credentials; the origins
	// must then be named.
	AllowCredentials bool `yaml:"allow_credentials"`
	// MaxAge is how many seconds a browser may remember the answer.
	MaxAge int `yaml:"max_age"`
	// Passthrough lets the upstream answer OPTIONS, past all hooks [M-3].
	Passthrough bool `yaml:"options_passthrough"`
}

// AddressRules say which client addresses are served. A rule list that is
// empty has no effect.
type AddressRules struct {
	// Allow lists the networks that are served; all others are refused.
	Allow []netip.Prefix `yaml:"allow"`
	// Block lists the networks that are refused, allowed or not.
	Block []netip.Prefix `yaml:"block"`
}
