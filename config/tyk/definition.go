package tyk

import (
	"encoding/json"
	"errors"
	"time"
)

// A definition mirrors the keys of a Classic API definition that have an
// effect here, be it that they refuse it [7.2].
type definition struct {
	APIID              string            `json:"api_id"`
	Name               string            `json:"name"`
	OrgID              string            `json:"org_id"`
	Active             *bool             `json:"active"` // nil is true
	Internal           bool              `json:"internal"`
	Expiration         string            `json:"expiration"`
	ListenPort         int               `json:"listen_port"`
	Protocol           string            `json:"protocol"`
	Domain             string            `json:"domain"`
	DomainDisabled     bool              `json:"domain_disabled"`
	Proxy              proxy             `json:"proxy"`
	Definition         versionChoice     `json:"definition"`
	VersionData        versionData       `json:"version_data"`
	CustomMiddleware   middleware        `json:"custom_middleware"`
	Bundle             string            `json:"custom_middleware_bundle"`
	BundleDisabled     bool              `json:"custom_middleware_bundle_disabled"`
	ConfigData         map[string]any    `json:"config_data"`
	ConfigDataDisabled bool              `json:"config_data_disabled"`
	EventHandlers      eventHandlers     `json:"event_handlers"`
	ResponseProcessors []processor       `json:"response_processors"`
	CORS               cors              `json:"CORS"`
	EnableAllowedIPs   bool              `json:"enable_ip_whitelisting"`
	AllowedIPs         []string          `json:"allowed_ips"`
	EnableBlockedIPs   bool              `json:"enable_ip_blacklisting"`
	BlockedIPs         []string          `json:"blacklisted_ips"`
	AddressesDisabled  bool              `json:"ip_access_control_disabled"`
	DisableRateLimit   bool              `json:"disable_rate_limit"`
	DisableQuota       bool              `json:"disable_quota"`
	GlobalRateLimit    rateLimit         `json:"global_rate_limit"`
	GraphQL            graphQL           `json:"graphql"`
	RequestSigning     signing           `json:"request_signing"`
	UpstreamAuth       enabled           `json:"upstream_auth"`
	UpstreamCerts      map[string]string `json:"upstream_certificates"`
	UpstreamCertsOff   bool              `json:"upstream_certificates_disabled"`
	PinnedKeys         map[string]any    `json:"pinned_public_keys"`
	PinnedKeysOff      bool              `json:"certificate_pinning_disabled"`
	DontSetQuota       bool              `json:"dont_set_quota_on_create"`
	methods                              // how callers prove who they are
	places                               // and where
	jwtKeys
	oauthKeys
	hmacKeys
	Basic           basicKeys `json:"basic_auth"`
	BaseIdentity    string    `json:"base_identity_provided_by"`
	SessionLifetime int64     `json:"session_lifetime"` // seconds
	RespectExpiry   bool      `json:"session_lifetime_respects_key_expiration"`
}

type enabled struct {
	Enabled bool `json:"enabled"`
}

type signing struct {
	Enabled bool `json:"is_enabled"`
}

type rateLimit struct {
	Disabled bool    `json:"disabled"`
	Rate     float64 `json:"rate"`
	Per      float64 `json:"per"` // seconds
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
	// Grapnel is a middlewareExtension.
	Grapnel json.RawMessage `json:"grapnel"`
}

type hook struct {
	Name        string `json:"name"`
	Path        string `json:"path"`
	Disabled    bool   `json:"disabled"`
	RawBodyOnly bool   `json:"raw_body_only"`
	// Grapnel holds keys of a [grapnel.Hook].
	Grapnel json.RawMessage `json:"grapnel"`
}

type extractor struct {
	Disabled    bool            `json:"disabled"`
	ExtractFrom string          `json:"extract_from"`
	ExtractWith string          `json:"extract_with"`
	Config      extractorConfig `json:"extractor_config"`
}

type extractorConfig struct {
	Header     string `json:"header_name"`
	Param      string `json:"param_name"`
	Expression string `json:"regex_expression"`
	Index      int    `json:"regex_match_index"`
	XPath      string `json:"xpath_expression"`
}

type eventHandlers struct {
	Events map[string][]eventHandler `json:"events"`
}

type eventHandler struct {
	Name string    `json:"handler_name"`
	Meta eventMeta `json:"handler_meta"`
}

// eventMeta is what the kinds of handlers need, each its own part.
type eventMeta struct {
	Name         string            `json:"name"`   // of a plugin's handler
	Prefix       string            `json:"prefix"` // of the log's line
	Disabled     bool              `json:"disabled"`
	Method       string            `json:"method"`
	TargetPath   string            `json:"target_path"` // a URL
	TemplatePath string            `json:"template_path"`
	Headers      map[string]string `json:"header_map"`
	Timeout      int64             `json:"event_timeout"` // seconds without an equal call
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
