package tyk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// A conf mirrors the keys of tyk.conf that have an effect here. The fields are
// named as in the original, because the names of environment variables are
// made of them [G-3].
type conf struct {
	ListenAddress                   string            `json:"listen_address"`
	ListenPort                      int               `json:"listen_port"`
	Secret                          string            `json:"secret"`
	ControlAPIHostname              string            `json:"control_api_hostname"`
	ControlAPIPort                  int               `json:"control_api_port"`
	HealthCheckEndpointName         string            `json:"health_check_endpoint_name"`
	TemplatePath                    string            `json:"template_path"`
	AppPath                         string            `json:"app_path"`
	UseDBAppConfigs                 bool              `json:"use_db_app_configs"`
	SlaveOptions                    confSlave         `json:"slave_options"`
	HTTPServerOptions               confHTTP          `json:"http_server_options"`
	ProxyDefaultTimeout             float64           `json:"proxy_default_timeout"` // seconds
	ProxySSLInsecureSkipVerify      bool              `json:"proxy_ssl_insecure_skip_verify"`
	GracefulShutdownTimeoutDuration int               `json:"graceful_shutdown_timeout_duration"` // seconds
	LogLevel                        string            `json:"log_level"`
	LogFormat                       string            `json:"log_format"`
	AccessLogs                      confAccessLogs    `json:"access_logs"`
	EnableCustomDomains             bool              `json:"enable_custom_domains"`
	IgnoreCanonicalMIMEHeaderKey    bool              `json:"ignore_canonical_mime_header_key"`
	IgnoreEndpointCase              bool              `json:"ignore_endpoint_case"`
	CoProcessOptions                confCoProcess     `json:"coprocess_options"`
	Grapnel                         json.RawMessage   `json:"grapnel"` // a confExtension
	Secrets                         map[string]string `json:"secrets"`
	Security                        confSecurity      `json:"security"`
	Storage                         confStorage       `json:"storage"`
	Policies                        confPolicies      `json:"policies"`
	NodeSecret                      string            `json:"node_secret"`
	AllowInsecureConfigs            bool              `json:"allow_insecure_configs"`
	// How keys are stored.
	HashKeys                             bool             `json:"hash_keys"`
	HashKeyFunction                      string           `json:"hash_key_function"`
	HashKeyFunctionFallback              []string         `json:"hash_key_function_fallback"`
	MinTokenLength                       int              `json:"min_token_length"`
	AllowMasterKeys                      bool             `json:"allow_master_keys"`
	EnableHashedKeysListing              bool             `json:"enable_hashed_keys_listing"`
	ForceGlobalSessionLifetime           bool             `json:"force_global_session_lifetime"`
	GlobalSessionLifetime                int64            `json:"global_session_lifetime"` // seconds
	SessionLifetimeRespectsKeyExpiration bool             `json:"session_lifetime_respects_key_expiration"`
	LocalSessionCache                    confSessionCache `json:"local_session_cache"`
	EnforceOrgQuotas                     bool             `json:"enforce_org_quotas"`
	// OAuth 2.0.
	OAuthTokenExpire          int64  `json:"oauth_token_expire"`         // seconds
	OAuthRefreshExpire        int64  `json:"oauth_refresh_token_expire"` // seconds
	OAuthRedirectURISeparator string `json:"oauth_redirect_uri_separator"`
}

type confSessionCache struct {
	DisableCacheSessionState bool `json:"disable_cached_session_state"`
}

// confStorage says which Redis keeps sessions and counters [6.3].
type confStorage struct {
	Type                  string            `json:"type"`
	Host                  string            `json:"host"`
	Port                  int               `json:"port"`
	Addrs                 []string          `json:"addrs"`
	Hosts                 map[string]string `json:"hosts"` // older: names to ports
	MasterName            string            `json:"master_name"`
	SentinelPassword      string            `json:"sentinel_password"`
	Username              string            `json:"username"`
	Password              string            `json:"password"`
	Database              int               `json:"database"`
	MaxActive             int               `json:"optimisation_max_active"`
	Timeout               int               `json:"timeout"` // seconds
	EnableCluster         bool              `json:"enable_cluster"`
	UseSSL                bool              `json:"use_ssl"`
	SSLInsecureSkipVerify bool              `json:"ssl_insecure_skip_verify"`
	CAFile                string            `json:"ca_file"`
	CertFile              string            `json:"cert_file"`
	KeyFile               string            `json:"key_file"`
}

type confPolicies struct {
	PolicySource     string `json:"policy_source"`
	PolicyRecordName string `json:"policy_record_name"` // a file
	PolicyPath       string `json:"policy_path"`        // a folder
}

type confSlave struct {
	UseRPC bool `json:"use_rpc"`
}

type confHTTP struct {
	ReadTimeout              int               `json:"read_timeout"`  // seconds
	WriteTimeout             int               `json:"write_timeout"` // seconds
	UseSSL                   bool              `json:"use_ssl"`
	Certificates             []confCertificate `json:"certificates"`
	SSLCertificates          []string          `json:"ssl_certificates"`
	MinVersion               int               `json:"min_version"` // as crypto/tls numbers them
	MaxRequestBodySize       int64             `json:"max_request_body_size"`
	EnableStrictRoutes       bool              `json:"enable_strict_routes"`
	EnablePathPrefixMatching bool              `json:"enable_path_prefix_matching"`
	EnablePathSuffixMatching bool              `json:"enable_path_suffix_matching"`
}

type confCertificate struct {
	Name     string `json:"domain_name"`
	CertFile string `json:"cert_file"`
	KeyFile  string `json:"key_file"`
}

type confAccessLogs struct {
	Enabled *bool `json:"enabled"` // nil leaves the choice to the gateway
}

type confCoProcess struct {
	EnableCoProcess             bool   `json:"enable_coprocess"`
	CoProcessGRPCServer         string `json:"coprocess_grpc_server"`
	GRPCRecvMaxSize             int    `json:"grpc_recv_max_size"`
	GRPCSendMaxSize             int    `json:"grpc_send_max_size"`
	GRPCAuthority               string `json:"grpc_authority"`
	GRPCRoundRobinLoadBalancing bool   `json:"grpc_round_robin_load_balancing"`
}

type confSecurity struct {
	PinnedPublicKeys       map[string]string `json:"pinned_public_keys"`
	ControlAPIUseMutualTLS bool              `json:"control_api_use_mutual_tls"`
	Certificates           confCertificates  `json:"certificates"`
}

// confCertificates are for all APIs.
type confCertificates struct {
	API      []string          `json:"apis"`     // clients that are let in
	Upstream map[string]string `json:"upstream"` // by host
}

// open finds and reads tyk.conf and lays the environment over it.
func (s Source) open() (*loading, error) {
	l := &loading{env: environment{}}
	for _, pair := range s.Environ {
		if name, value, ok := strings.Cut(pair, "="); ok {
			l.env[name] = value
		}
	}
	if err := l.readConf(s.Path); err != nil {
		return nil, err
	}
	if err := l.overlay(); err != nil {
		return nil, err
	}
	if l.conf.hasPlugins() {
		l.plugin = PluginName
	}
	return l, nil
}

// readConf reads the file at path, or the first that G-1 names.
func (l *loading) readConf(path string) error {
	if l.env[omitFile] == "true" {
		return nil
	}
	paths := []string{path}
	if path == "" {
		paths = []string{"tyk.conf", "/etc/tyk/tyk.conf"}
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if path == "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		l.file = p
		if err := decode(b, &l.conf, &l.raw); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		return nil
	}
	l.warn("", "there is no tyk.conf, neither here nor in /etc/tyk: the defaults are used")
	return nil
}

// warn notices something about a key of tyk.conf.
func (l *loading) warn(path, format string, args ...any) {
	l.notices.add(Notice{File: l.name(), Path: path, Level: slog.LevelWarn, Message: fmt.Sprintf(format, args...)}, path)
}

// locate finds a file or folder that the set-up names: relative to the working
// directory, as the original does, or else to the folder of tyk.conf.
func (l *loading) locate(path string) (string, bool) {
	if l.published {
		return path, false
	}
	candidates := []string{path}
	if !filepath.IsAbs(path) && l.file != "" {
		candidates = append(candidates, filepath.Join(filepath.Dir(l.file), path))
	}
	for _, p := range candidates {
		if _, err := os.Stat(p); err == nil {
			return p, true
		}
	}
	return path, false
}

// decode reads JSON twice: into the keys that have an effect, and as it is. An
// error says where it is.
func decode(b []byte, known, raw any) error {
	for _, into := range []any{raw, known} {
		if err := json.Unmarshal(b, into); err != nil {
			return explain(b, err)
		}
	}
	return nil
}

// explain puts the place of a mistake into words.
func explain(b []byte, err error) error {
	at := func(offset int64) int {
		return 1 + strings.Count(string(b[:min(max(offset, 0), int64(len(b)))]), "\n")
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("line %d: %w", at(e.Offset), err)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("line %d: %s: a %s does not belong here", at(e.Offset), e.Field, e.Value)
	}
	return err
}
