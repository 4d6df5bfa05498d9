package tyk

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
	Signatures       bool     `json:"enable_signature_checking"`
	MutualTLS        bool     `json:"use_mutual_tls_auth"`
	ClientCerts      []string `json:"client_certificates"`
}

// custom reports whether a plugin decides who is calling.
func (m methods) custom() bool { return m.CustomPluginAuth || m.CoProcessAuth }

// token reports whether stored keys are taken as they are: also when there is no
// other method [C-20].
func (d *definition) token() bool {
	m := d.methods
	other := m.custom() || m.GoPluginAuth || m.BasicAuth || m.JWT || m.OAuth2 || m.OpenID || d.ExternalOAuth.Enabled || m.Signatures
	return m.StandardAuth || !other
}

// The kinds of auth_configs.
const (
	kindToken  = "authToken"
	kindBasic  = "basic"
	kindHMAC   = "hmac"
	kindJWT    = "jwt"
	kindCustom = "coprocess"
	kindOAuth  = "oauth"

	kindExternalOAuth = "externalOAuth"
)

// places say where callers put credentials, for each kind or for all [7.2].
type places struct {
	StripAuthData bool             `json:"strip_auth_data"`
	Auth          place            `json:"auth"`
	AuthConfigs   map[string]place `json:"auth_configs"`
}

// of is the place for a kind.
func (p places) of(kind string) place {
	if own, ok := p.AuthConfigs[kind]; ok {
		return own
	}
	return p.Auth
}

// A place says where callers put a credential.
type place struct {
	Header            string `json:"auth_header_name"`
	DisableHeader     bool   `json:"disable_header"`
	UseParam          bool   `json:"use_param"`
	Param             string `json:"param_name"`
	UseCookie         bool   `json:"use_cookie"`
	Cookie            string `json:"cookie_name"`
	UseCertificate    bool   `json:"use_certificate"`
	ValidateSignature bool   `json:"validate_signature"`
}

// jwtKeys are the keys of a definition about JSON Web Tokens.
type jwtKeys struct {
	SigningMethod   string            `json:"jwt_signing_method"`
	Source          string            `json:"jwt_source"`
	JWKS            []jwksSource      `json:"jwt_jwks_uris"`
	IdentityField   string            `json:"jwt_identity_base_field"`
	ClientField     string            `json:"jwt_client_base_field"`
	PolicyField     string            `json:"jwt_policy_field_name"`
	DefaultPolicies []string          `json:"jwt_default_policies"`
	IssuedAtSkew    float64           `json:"jwt_issued_at_validation_skew"`  // seconds
	ExpiresAtSkew   float64           `json:"jwt_expires_at_validation_skew"` // seconds
	NotBeforeSkew   float64           `json:"jwt_not_before_validation_skew"` // seconds
	SkipKID         bool              `json:"jwt_skip_kid"`
	Scopes          scopes            `json:"scopes"`
	ScopeClaim      string            `json:"jwt_scope_claim_name"`        // older
	ScopePolicies   map[string]string `json:"jwt_scope_to_policy_mapping"` // older
}

type jwksSource struct {
	URL string `json:"url"`
}

type scopes struct {
	JWT scopeClaim `json:"jwt"`
}

type scopeClaim struct {
	Claim    string            `json:"scope_claim_name"`
	Policies map[string]string `json:"scope_to_policy"`
}

type hmacKeys struct {
	HMACSkew       float64  `json:"hmac_allowed_clock_skew"` // milliseconds; 0 or less is any
	HMACAlgorithms []string `json:"hmac_allowed_algorithms"`
}

type basicKeys struct {
	FromBody bool `json:"extract_from_body"`
}
