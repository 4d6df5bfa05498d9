package tyk

import (
	"encoding/json"
	"errors"
	"time"
)

// A definition mirrors the keys of a Classic API definition that have an
// effect here, be it that they refuse it [7.2].
type definition struct {
	APIID              string         `json:"api_id"`
	Name               string         `json:"name"`
	OrgID              string         `json:"org_id"`
	Active             *bool          `json:"active"` // nil is true
	Internal           bool           `json:"internal"`
	Expiration         string         `json:"expiration"`
	ListenPort         int            `json:"listen_port"`
	Protocol           string         `json:"protocol"`
	Domain             string         `json:"domain"`
	DomainDisabled     bool           `json:"domain_disabled"`
	Proxy              proxy          `json:"proxy"`
	Definition         versionChoice  `json:"definition"`
	VersionData        versionData    `json:"version_data"`
	CustomMiddleware   middleware     `json:"custom_middleware"`
	Bundle             string         `json:"custom_middleware_bundle"`
	BundleDisabled     bool           `json:"custom_middleware_bundle_disabled"`
	ConfigData         map[string]any `json:"config_data"`
	ConfigDataDisabled bool           `json:"config_data_disabled"`
	EventHandlers      eventHandlers  `json:"event_handlers"`
	ResponseProcessors []processor    `json:"response_processors"`
	CORS               cors           `json:"CORS"`
	EnableAllowedIPs   bool           `json:"enable_ip_whitelisting"`
	AllowedIPs         []string       `json:"allowed_ips"`
	EnableBlockedIPs   bool           `json:"enable_ip_blacklisting"`
	BlockedIPs         []string       `json:"blacklisted_ips"`
	AddressesDisabled  bool           `json:"ip_access_control_disabled"`
	DisableRateLimit   bool           `json:"disable_rate_limit"`
	DisableQuota       bool           `json:"disable_quota"`
	GlobalRateLimit    rateLimit      `json:"global_rate_limit"`
	GraphQL            enabled        `json:"graphql"`
	RequestSigning     signing        `json:"request_signing"`
	UpstreamAuth       enabled        `json:"upstream_auth"`
	UpstreamCerts      map[string]any `json:"upstream_certificates"`
	UpstreamCertsOff   bool           `json:"upstream_certificates_disabled"`
	PinnedKeys         map[string]any `json:"pinned_public_keys"`
	PinnedKeysOff      bool           `json:"certificate_pinning_disabled"`
	methods                           // how callers prove who they are
	StripAuthData      bool           `json:"strip_auth_data"`
	BaseIdentity       string         `json:"base_identity_provided_by"`
	Auth               place          `json:"auth"`
	AuthConfigs        authConfigs    `json:"auth_configs"`
}

// methods are the switches of the ways to prove who is calling [C-1, C-20].
type methods struct {
	UseKeyless       bool     `json:"use_keyless"`
	CustomPluginAuth bool     `json:"custom_plugin_auth_enabled"`
	CoProcessAuth    bool     `json:"enable_coprocess_auth"` // its older name
	GoPluginAuth     bool     `json:"use_go_plugin_auth"`
	StandardAuth     bool     `json:"use_standard_auth"`
	BasicAuth        bool     `json:"use_basic_auth"`
	JWT              bool     `json:"enable_jwt"`
	OAuth2           bool     `json:"use_oauth2"`
	OpenID           bool     `json:"use_openid"`
	ExternalOAuth    enabled  `json:"external_oauth"`
	Signatures       bool     `json:"enable_signature_checking"`
	MutualTLS        bool     `json:"use_mutual_tls_auth"`
	ClientCerts      []string `json:"client_certificates"`
}

// custom reports whether a plugin decides who is calling.
func (m methods) custom() bool { return m.CustomPluginAuth || m.CoProcessAuth }

type enabled struct {
	Enabled bool `json:"enabled"`
}

type signing struct {
	Enabled bool `json:"is_enabled"`
}

type rateLimit struct {
	Disabled bool    `json:"disabled"`
	Rate     float64 `json:"rate"`
}

// A place says where callers put a credential.
type place struct {
	Header        string `json:"auth_header_name"`
	DisableHeader bool   `json:"disable_header"`
	UseParam      bool   `json:"use_param"`
	Param         string `json:"param_name"`
	UseCookie     bool   `json:"use_cookie"`
	Cookie        string `json:"cookie_name"`
}

type authConfigs struct {
	CoProcess *place `json:"coprocess"` // nil leaves it to auth
}

type proxy struct {
	ListenPath          string    `json:"listen_path"`
	StripListenPath     bool      `json:"strip_listen_path"`
	TargetURL           string    `json:"target_url"`
	EnableLoadBalancing bool      `json:"enable_load_balancing"`
	TargetList          []string  `json:"target_list"`
	PreserveHostHeader  bool      `json:"preserve_host_header"`
	DisableStripSlash   bool      `json:"disable_strip_slash"`
	Transport           transport `json:"transport"`
	ServiceDiscovery    discovery `json:"service_discovery"`
}

type transport struct {
	InsecureSkipVerify bool `json:"ssl_insecure_skip_verify"`
}

type discovery struct {
	Use bool `json:"use_discovery_service"`
}

// middleware is custom_middleware [5.1].
type middleware struct {
	Driver      string    `json:"driver"`
	Pre         []hook    `json:"pre"`
	AuthCheck   hook      `json:"auth_check"`
	PostKeyAuth []hook    `json:"post_key_auth"`
	Post        []hook    `json:"post"`
	Response    []hook    `json:"response"`
	IDExtractor extractor `json:"id_extractor"`
}

type hook struct {
	Name        string `json:"name"`
	Path        string `json:"path"`
	Disabled    bool   `json:"disabled"`
	RawBodyOnly bool   `json:"raw_body_only"`
}

type extractor struct {
	Disabled    bool   `json:"disabled"`
	ExtractFrom string `json:"extract_from"`
	ExtractWith string `json:"extract_with"`
	// Config is read by nobody: an extractor in use refuses the definition.
	Config any `json:"extractor_config"`
}

type eventHandlers struct {
	Events map[string][]eventHandler `json:"events"`
}

type eventHandler struct {
	Name string    `json:"handler_name"`
	Meta eventMeta `json:"handler_meta"`
}

type eventMeta struct {
	Name   string `json:"name"`
	Prefix string `json:"prefix"`
}

type processor struct {
	Name    string           `json:"name"`
	Options processorOptions `json:"options"`
}

type processorOptions struct {
	AddHeaders    map[string]string `json:"add_headers"`
	RemoveHeaders []string          `json:"remove_headers"`
}

type cors struct {
	Enable           bool     `json:"enable"`
	AllowedOrigins   []string `json:"allowed_origins"`
	AllowedMethods   []string `json:"allowed_methods"`
	AllowedHeaders   []string `json:"allowed_headers"`
	ExposedHeaders   []string `json:"exposed_headers"`
	AllowCredentials bool     `json:"allow_credentials"`
	MaxAge           int      `json:"max_age"` // seconds
	Passthrough      bool     `json:"options_passthrough"`
}

// A span is a number of seconds, or a text as in "1m30s".
type span time.Duration

// UnmarshalJSON reads either form.
func (s *span) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		if text == "" {
			return nil
		}
		d, err := time.ParseDuration(text)
		*s = span(d)
		return err
	}
	var n float64
	if err := json.Unmarshal(b, &n); err != nil {
		return errors.New("a span is a number of seconds, or a text as in \"30s\"")
	}
	*s = span(seconds(n))
	return nil
}
