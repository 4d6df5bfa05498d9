package tyk

import (
	"log/slog"
	"testing"
)

const grpcPre = `"custom_middleware": {"driver": "grpc", "pre": [{"name": "p"}]}`

// TestRefusedCallers: hooks that would not be asked and callers who would not
// be checked [L-32].
func TestRefusedCallers(t *testing.T) {
	unplugged := `{"secret": "s", "app_path": "apps"}`
	expectRefused(t, []refusal{
		{"driver in upper case", plugged, `{"custom_middleware": {"driver": "GRPC", "pre": [{"name": "p"}]}}`, "custom_middleware.driver"},
		{"driver python", plugged, `{"custom_middleware": {"driver": "python", "response": [{"name": "p"}]}}`, "custom_middleware.driver"},
		{"driver otto", plugged, `{"custom_middleware": {"driver": "otto", "post": [{"name": "p"}]}}`, "custom_middleware.driver"},
		{"driver goplugin, auth", plugged, `{"use_keyless": false, "enable_coprocess_auth": true, "custom_middleware": {"driver": "goplugin"}}`, "custom_middleware.driver"},
		{"no driver", plugged, `{"custom_middleware": {"pre": [{"name": "p"}]}}`, "custom_middleware.driver"},
		{"coprocess off", `{"coprocess_options": {"coprocess_grpc_server": "tcp://h:1"}}`, `{` + grpcPre + `}`, "custom_middleware.pre[0]"},
		{"no plugin server", `{"coprocess_options": {"enable_coprocess": true}}`, `{` + grpcPre + `}`, "custom_middleware.pre[0]"},
		{"auth without plugin server [T-136]", unplugged, `{"use_keyless": false, "custom_plugin_auth_enabled": true, "custom_middleware": {"driver": "grpc"}}`, "custom_plugin_auth_enabled"},
		{"Go plugin on the response [D-2]", plugged, `{"custom_middleware": {"driver": "grpc", "response": [{"name": "p", "path": "x.so"}]}}`, "custom_middleware.response[0].path"},
		{"bundle", plugged, `{"custom_middleware_bundle": "b.zip"}`, "custom_middleware_bundle"},
		{"openid", plugged, auth(`"use_openid": true`), "use_openid"},
		{"external oauth without a provider", plugged, auth(`"external_oauth": {"enabled": true}`), "external_oauth.providers"},
		{"external oauth with signed tokens", plugged, auth(`"external_oauth": {"enabled": true, "providers": [{"jwt": {"enabled": true}}]}`), "external_oauth.providers"},
		{"external oauth without a URL", plugged, auth(`"external_oauth": {"enabled": true, "providers": [{"introspection": {"enabled": true}}]}`), "external_oauth.providers[0].introspection.url"},
		{"go plugin auth", plugged, auth(`"use_go_plugin_auth": true`), "use_go_plugin_auth"},
		{"upstream certificates", plugged, `{"upstream_certificates": {"*": "id"}}`, "upstream_certificates"},
		{"pinned keys", plugged, `{"pinned_public_keys": {"*": "id"}}`, "pinned_public_keys"},
		{"extractor of a source that nobody knows [I-8]", plugged, auth(`"custom_middleware": {"driver": "grpc", "id_extractor": {"extract_from": "querystring", "extract_with": "value"}}`), "custom_middleware.id_extractor"},
		{"token bound to a certificate", plugged, `{"use_keyless": false, "auth": {"use_certificate": true}}`, "auth.use_certificate"},
		{"signed token", plugged, `{"use_keyless": false, "auth_configs": {"authToken": {"validate_signature": true}}}`, "auth.validate_signature"},
		{"no known signature algorithm", plugged, `{"use_keyless": false, "enable_signature_checking": true, "hmac_allowed_algorithms": ["rsa-sha256"]}`, "hmac_allowed_algorithms"},
		{"extractor with one id for all [L-33, T-165]", plugged, auth(`"custom_middleware": {"driver": "grpc", "id_extractor": {"extract_from": "body", "extract_with": "value"}}`), "custom_middleware.id_extractor"},
	})
}

// TestRefusedUpstream: requests that would reach the upstream unguarded, or
// nowhere [L-32].
func TestRefusedUpstream(t *testing.T) {
	expectRefused(t, []refusal{
		{"request signing", plugged, `{"request_signing": {"is_enabled": true}}`, "request_signing.is_enabled"},
		{"upstream auth", plugged, `{"upstream_auth": {"enabled": true}}`, "upstream_auth.enabled"},
		{"GraphQL run by the gateway", plugged, `{"graphql": {"enabled": true, "execution_mode": "executionEngine"}}`, "graphql.execution_mode"},
		{"GraphQL supergraph", plugged, `{"graphql": {"enabled": true, "execution_mode": "supergraph"}}`, "graphql.execution_mode"},
		{"GraphQL subgraph", plugged, `{"graphql": {"enabled": true, "execution_mode": "subgraph"}}`, "graphql.execution_mode"},
		{"GraphQL schema that is none", plugged, `{"graphql": {"enabled": true, "schema": "type {"}}`, "graphql.schema"},
		{"own port [P-6]", plugged, `{"listen_port": 9999}`, "listen_port"},
		{"tcp", plugged, `{"protocol": "tcp"}`, "protocol"},
		{"https without TLS", plugged, `{"protocol": "https"}`, "protocol"},
		{"no api_id", plugged, `{"api_id": ""}`, "api_id"},
		{"no listen path [P-3]", plugged, `{"proxy": {"listen_path": ""}}`, "proxy.listen_path"},
		{"space in the listen path [P-3]", plugged, `{"proxy": {"listen_path": "/a b/"}}`, "proxy.listen_path"},
		{"bad pattern in the listen path", plugged, `{"proxy": {"listen_path": "/{id:[}/"}}`, "proxy.listen_path"},
		{"open brace in the listen path", plugged, `{"proxy": {"listen_path": "/{id/"}}`, "proxy.listen_path"},
		{"no target", plugged, `{"proxy": {"target_url": ""}}`, "proxy.target_url"},
		{"target without a host", plugged, `{"proxy": {"target_url": "/x"}}`, "proxy.target_url"},
		{"unknown scheme", plugged, `{"proxy": {"target_url": "ftp://x"}}`, "proxy.target_url"},
		{"loop among targets", plugged, `{"proxy": {"enable_load_balancing": true, "target_list": ["http://x", "tyk://y"]}}`, "proxy.target_list[1]"},
		{"service discovery", plugged, `{"proxy": {"service_discovery": {"use_discovery_service": true}}}`, "proxy.service_discovery"},
		{"bad address", plugged, `{"enable_ip_whitelisting": true, "allowed_ips": ["1.2.3"]}`, "allowed_ips[0]"},
		{"domain pattern", `{"enable_custom_domains": true}`, `{"domain": "a.{x}.example"}`, "domain"},
		{"versions elsewhere", plugged, `{"definition": {"enabled": true, "versions": {"v2": "other"}}}`, "definition.versions"},
		{"bad expression", plugged, extended(`"black_list": [{"path": "/("}]`), extendedAt + "black_list[0].path"},
		{"validate_json", plugged, extended(`"validate_json": [{"path": "/", "method": "POST"}]`), extendedAt + "validate_json[0]"},
		{"validate_request", plugged, extended(`"validate_request": [{"path": "/", "enabled": true}]`), extendedAt + "validate_request[0]"},
		{"go_plugin", plugged, extended(`"go_plugin": [{"path": "/"}]`), extendedAt + "go_plugin[0]"},
		{"rate of an endpoint", plugged, extended(`"rate_limit": [{"path": "/", "rate": 1}]`), extendedAt + "rate_limit[0]"},
		{"reply without a status", plugged, extended(`"mock_response": [{"path": "/", "code": 99}]`), extendedAt + "mock_response[0].code"},
		{"secret in a header", plugged, extended(`"transform_headers": [{"path": "/", "add_headers": {"K": "$secret_env.NOWHERE"}}]`), extendedAt + "transform_headers[0].add_headers.K"},
	})
}

type refusal struct{ name, conf, patch, path string }

// expectRefused fails unless every definition is refused by a notice that names
// the key.
func expectRefused(t *testing.T, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a, notices := one(t, c.conf, c.patch)
			if a != nil {
				t.Errorf("it is served: %+v", a)
			}
			expectTold(t, notices, slog.LevelError, c.path+": not served: ")
		})
	}
}

// TestNotRefused: the same switches, off or without meaning, refuse nothing.
func TestNotRefused(t *testing.T) {
	for name, patch := range map[string]string{
		"disabled hooks [D-4]":         `{"custom_middleware": {"driver": "otto", "pre": [{"name": "p", "disabled": true}]}}`,
		"driver without hooks":         `{"custom_middleware": {"driver": "otto"}}`,
		"disabled bundle [D-6, T-192]": `{"custom_middleware_bundle": "b.zip", "custom_middleware_bundle_disabled": true}`,
		"methods on a keyless API":     `{"use_standard_auth": true, "enable_jwt": true, "enable_coprocess_auth": true}`,
		"disabled extractor":           auth(`"custom_middleware": {"driver": "grpc", "id_extractor": {"disabled": true, "extract_from": "header", "extract_with": "value"}}`),
		"empty extractor":              auth(`"custom_middleware": {"driver": "grpc", "id_extractor": {"extractor_config": {}}}`),
		"unknown extractor [I-2]":      auth(`"custom_middleware": {"driver": "grpc", "id_extractor": {"extract_with": "guess"}}`),
		"base identity":                auth(`"base_identity_provided_by": "custom_auth"`),
		"certificates switched off":    `{"upstream_certificates": {"*": "x"}, "upstream_certificates_disabled": true, "pinned_public_keys": {"*": "x"}, "certificate_pinning_disabled": true}`,
		"rate switched off":            `{"global_rate_limit": {"disabled": true, "rate": 5}}`,
		"the main port":                `{"listen_port": 8080, "protocol": "http"}`,
		"disabled validation":          extended(`"validate_json": [{"path": "/", "disabled": true}], "validate_request": [{"path": "/"}]`),
		"bad address, list off":        `{"allowed_ips": ["1.2.3"]}`,
		"nameless hook [D-5]":          `{"custom_middleware": {"driver": "grpc", "pre": [{"name": ""}]}}`,
		"credentials for all origins":  `{"CORS": {"enable": true, "allowed_origins": ["*"], "allow_credentials": true}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if a, notices := one(t, plugged, patch); a == nil {
				t.Errorf("it is refused: %v", notices)
			}
		})
	}
}

// TestInactive: a definition that is not active is not served, and said so
// [L-47, P-2].
func TestInactive(t *testing.T) {
	a, notices := one(t, plugged, `{"active": false}`)
	if a != nil {
		t.Error("it is served")
	}
	expectTold(t, notices, slog.LevelWarn, "active: not served")
	if a, _ := one(t, plugged, `{"active": true}`); a == nil {
		t.Error("an active one is not served")
	}
}

// auth is the patch for an API whose callers a plugin knows.
func auth(more string) string {
	const custom = `"use_keyless": false, "enable_coprocess_auth": true, "disable_rate_limit": true, "disable_quota": true`
	return `{` + custom + `, "custom_middleware": {"driver": "grpc"}, ` + more + `}`
}

const extendedAt = "version_data.versions.Default.extended_paths."

// extended is the patch for an API with extended paths.
func extended(lists string) string {
	return `{"version_data": {"not_versioned": true, "versions": {"Default": {"use_extended_paths": true, "extended_paths": {` + lists + `}}}}}`
}
