package tyk

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

// TestAuth: custom authentication by either name, and what its hook is called
// [C-1, B-30, D-9].
func TestAuth(t *testing.T) {
	for patch, want := range map[string]grapnel.Hook{
		auth(`"custom_middleware": {"driver": "grpc", "auth_check": {"name": "n", "raw_body_only": true}}`):                   {Name: "n", RawBodyOnly: true},
		auth(`"enable_coprocess_auth": false, "custom_plugin_auth_enabled": true`):                                            {},
		auth(`"custom_middleware": {"driver": "grpc", "auth_check": {"raw_body_only": true}}`):                                {},
		auth(`"custom_middleware": {"driver": "grpc", "auth_check": {"name": "n", "disabled": true, "raw_body_only": true}}`): {},
	} {
		want.Plugin, want.Timeout, want.Stage = "default", 10*second, grapnel.Auth
		a, notices := one(t, plugged, patch)
		if a == nil {
			t.Fatalf("%s: refused: %v", patch, notices)
		}
		if diff := cmp.Diff([]grapnel.AuthMethod{{Hook: want}}, a.Auth); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", patch, diff)
		}
	}
	_, notices := one(t, plugged, auth(`"custom_middleware": {"driver": "grpc", "auth_check": {"disabled": true}}`))
	expectTold(t, notices, slog.LevelWarn, "auth_check.disabled: ", "asked without a name")
}

// TestMethods: which methods are asked, in the order of C-20.
func TestMethods(t *testing.T) {
	const all = `"use_keyless": false, "use_basic_auth": true, "enable_signature_checking": true, "enable_jwt": true, "jwt_signing_method": "hmac", "use_standard_auth": true`
	for patch, want := range map[string]string{
		`{"use_keyless": false}`:                                            "auth_token",
		`{"use_keyless": false, "use_standard_auth": true}`:                 "auth_token",
		`{"use_keyless": false, "use_basic_auth": true}`:                    "basic_auth_user",
		auth(`"use_standard_auth": true`):                                   "custom_auth auth_token",
		`{"use_keyless": false, "use_oauth2": true}`:                        "oauth_key",
		auth(`"use_oauth2": true, ` + external):                             "oauth_key external_oauth custom_auth",
		auth(all):                                                           "basic_auth_user hmac_key jwt_claim custom_auth auth_token",
		`{"use_keyless": true, "use_basic_auth": true, "enable_jwt": true}`: "",
	} {
		a, notices := one(t, plugged, patch)
		if a == nil {
			t.Fatalf("%s: refused: %v", patch, notices)
		}
		var got []string
		for _, m := range a.Auth {
			got = append(got, m.Identity())
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", patch, diff)
		}
	}
}

// TestBaseIdentity: whose session stays, or that none does [C-14, C-21].
func TestBaseIdentity(t *testing.T) {
	a, notices := one(t, plugged, auth(`"use_standard_auth": true, "base_identity_provided_by": "auth_token"`))
	if a == nil || a.Sessions.BaseIdentity != "auth_token" || len(told(notices, slog.LevelWarn)) > 0 {
		t.Errorf("%+v: %v", a, notices)
	}
	a, notices = one(t, plugged, auth(`"base_identity_provided_by": "jwt_claim"`))
	if a == nil || a.Sessions.BaseIdentity != "jwt_claim" {
		t.Errorf("%+v: %v", a, notices)
	}
	expectTold(t, notices, slog.LevelWarn, "base_identity_provided_by: every request is refused")
}

// TestPlaces: where each kind of credential is looked for; the kind's own entry
// goes before the old one [7.2].
func TestPlaces(t *testing.T) {
	for patch, want := range map[string]grapnel.AuthMethod{
		`"use_standard_auth": true`: {Token: &grapnel.TokenAuth{Credential: grapnel.Credential{Header: "Authorization"}}},
		`"use_standard_auth": true, "auth": {"auth_header_name": "X-Key", "param_name": "k"}`:                                          {Token: &grapnel.TokenAuth{Credential: grapnel.Credential{Header: "X-Key"}}},
		`"auth": {"auth_header_name": "h", "use_param": true, "use_cookie": true, "cookie_name": "c"}`:                                 {Token: &grapnel.TokenAuth{Credential: grapnel.Credential{Header: "h", Param: "h", Cookie: "c"}}},
		`"auth": {"disable_header": true, "use_param": true, "param_name": "k"}`:                                                       {Token: &grapnel.TokenAuth{Credential: grapnel.Credential{Param: "k"}}},
		`"auth": {"auth_header_name": "h"}, "auth_configs": {"authToken": {"auth_header_name": "own"}}`:                                {Token: &grapnel.TokenAuth{Credential: grapnel.Credential{Header: "own"}}},
		`"use_basic_auth": true, "auth_configs": {"basic": {"auth_header_name": "B"}, "authToken": {"auth_header_name": "x"}}`:         {Basic: &grapnel.BasicAuth{Header: "B"}},
		`"use_basic_auth": true, "auth": {"auth_header_name": "A"}`:                                                                    {Basic: &grapnel.BasicAuth{Header: "A"}},
		`"enable_signature_checking": true`:                                                                                            {HMAC: &grapnel.HMACAuth{Header: "Authorization"}},
		`"enable_signature_checking": true, "auth_configs": {"hmac": {"auth_header_name": "S"}}, "hmac_allowed_clock_skew": -1`:        {HMAC: &grapnel.HMACAuth{Header: "S"}},
		`"enable_signature_checking": true, "hmac_allowed_clock_skew": 1500, "hmac_allowed_algorithms": ["HMAC-SHA256", "rsa-sha256"]`: {HMAC: &grapnel.HMACAuth{Header: "Authorization", ClockSkew: 3 * second / 2, Algorithms: []string{"hmac-sha256"}}},
	} {
		a, notices := one(t, plugged, `{"use_keyless": false, `+patch+`}`)
		if a == nil {
			t.Fatalf("%s: refused: %v", patch, notices)
		}
		if diff := cmp.Diff([]grapnel.AuthMethod{want}, a.Auth); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", patch, diff)
		}
	}
	for patch, want := range map[string]string{
		`"use_basic_auth": true, "auth_configs": {"basic": {"use_param": true}}`:                                                                   "auth_configs.basic: use_param and use_cookie have no effect",
		`"use_basic_auth": true, "basic_auth": {"extract_from_body": true}`:                                                                        "basic_auth.extract_from_body: has no effect",
		`"enable_signature_checking": true, "hmac_allowed_algorithms": ["rsa-sha256", "hmac-sha1"]`:                                                "hmac_allowed_algorithms[0]: has no effect",
		`"use_basic_auth": true, "use_standard_auth": true, "strip_auth_data": true, "auth_configs": {"authToken": {"auth_header_name": "X-Key"}}`: `strip_auth_data: removes the credential of the kind "basic" alone`,
	} {
		_, notices := one(t, plugged, `{"use_keyless": false, `+patch+`}`)
		expectTold(t, notices, slog.LevelWarn, want)
	}
}

// TestCredential: what strip_auth_data removes, and whose header events tell.
func TestCredential(t *testing.T) {
	const custom = `"custom_plugin_auth_enabled": true, "custom_middleware": {"driver": "grpc"}, `
	for patch, want := range map[string]grapnel.Credential{
		`"strip_auth_data": true, "auth": {"auth_header_name": "X-Key"}`:                                                    {Header: "X-Key", Strip: true},
		custom + `"auth": {"auth_header_name": "X-Key"}, "auth_configs": {"coprocess": {"auth_header_name": "X-P"}}`:        {Header: "X-P"},
		custom + `"auth": {"auth_header_name": "h"}, "auth_configs": {"authToken": {"auth_header_name": "not this"}}`:       {Header: "h"},
		`"use_basic_auth": true, "auth_configs": {"basic": {"auth_header_name": "B"}}`:                                      {Header: "B"},
		`"enable_jwt": true, "jwt_signing_method": "hmac", "auth_configs": {"jwt": {"use_param": true, "param_name": "t"}}`: {Header: "Authorization", Param: "t"},
		`"enable_signature_checking": true, "auth_configs": {"hmac": {"auth_header_name": "S"}}`:                            {Header: "S"},
	} {
		a, notices := one(t, plugged, `{"use_keyless": false, `+patch+`}`)
		if a == nil {
			t.Fatalf("%s: refused: %v", patch, notices)
		}
		if a.Credential != want {
			t.Errorf("%s: %+v, want %+v", patch, a.Credential, want)
		}
	}
}

// TestExtractor translates the id extractor [I-1…I-5].
func TestExtractor(t *testing.T) {
	for extractor, want := range map[string]*grapnel.Extractor{
		`"extract_from": "header", "extract_with": "value", "extractor_config": {"header_name": "A"}`:                                                        {From: "header", With: "value", Header: "A"},
		`"extract_from": "form", "extract_with": "value", "extractor_config": {"param_name": "p"}`:                                                           {From: "form", With: "value", Param: "p"},
		`"extract_from": "body", "extract_with": "regex", "extractor_config": {"regex_expression": "a+", "regex_match_index": 2, "xpath_expression": "//a"}`: {From: "body", With: "regex", Expression: "a+", Index: 2},
		`"extract_from": "body", "extract_with": "xpath", "extractor_config": {"regex_expression": "a+", "xpath_expression": "//a"}`:                         {From: "body", With: "xpath", Expression: "//a"},
		`"disabled": true, "extract_from": "body", "extract_with": "value"`:                                                                                  nil,
		`"extract_from": "body", "extract_with": "guess"`:                                                                                                    nil, // [I-2]
		`"extractor_config": {}`: nil,
	} {
		a, notices := one(t, plugged, auth(`"custom_middleware": {"driver": "grpc", "id_extractor": {`+extractor+`}}`))
		if a == nil {
			t.Fatalf("%s: refused: %v", extractor, notices)
		}
		if diff := cmp.Diff(want, a.Auth[0].ID); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", extractor, diff)
		}
	}
	if a, _ := one(t, plugged, `{"use_keyless": false, "custom_middleware": {"id_extractor": {"extract_from": "body", "extract_with": "value"}}}`); a == nil {
		t.Error("an extractor without custom authentication refuses the API [I-2]")
	}
}

// TestMutualTLS: client certificates by id or file, first of all methods, on
// keyless APIs too; the listener asks for them only where an API wants them.
func TestMutualTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "a.pem"), filepath.Join(dir, "a.key")
	writeCertificate(t, cert, key)
	conf := `{"http_server_options": {"use_ssl": true, "certificates": [{"cert_file": "` + cert + `", "key_file": "` + key + `"}]}}`
	sum := strings.Repeat("ab", 32)
	want := &grapnel.CertificateAuth{Fingerprints: []string{sum}, Files: []string{cert}}
	for patch, methods := range map[string]string{
		`{"use_mutual_tls_auth": true, "client_certificates": ["5e9d` + sum + `", "` + cert + `"]}`:                   "certificate",
		`{"use_mutual_tls_auth": true, "client_certificates": ["` + sum + `", "` + cert + `"], "use_keyless": false}`: "certificate auth_token",
	} {
		c, notices := load(t, setup(t, conf, map[string]string{"a.json": define(t, "a", patch)}))
		if len(c.APIs) != 1 {
			t.Fatalf("%s: refused: %v", patch, notices)
		}
		var got []string
		for _, m := range c.APIs[0].Auth {
			got = append(got, m.Identity())
		}
		if strings.Join(got, " ") != methods {
			t.Errorf("%s: methods %v", patch, got)
		}
		if diff := cmp.Diff(want, c.APIs[0].Auth[0].Certificate); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", patch, diff)
		}
		if c.TLS.ClientCertificates != "request" {
			t.Errorf("client certificates: %q", c.TLS.ClientCertificates)
		}
	}
	everywhere := strings.TrimSuffix(conf, "}") + `, "security": {"certificates": {"apis": ["` + sum + `"]}}}`
	c, notices := load(t, setup(t, everywhere, map[string]string{"a.json": define(t, "a", `{"use_mutual_tls_auth": true, "client_certificates": ["`+cert+`"]}`)}))
	if len(c.APIs) != 1 || !cmp.Equal(want, c.APIs[0].Auth[0].Certificate) {
		t.Errorf("with a list for all APIs: %v", notices)
	}
	c, notices = load(t, setup(t, conf, map[string]string{"a.json": define(t, "a", `{"client_certificates": ["x"]}`)}))
	if len(c.APIs) != 1 || c.TLS.ClientCertificates == "request" {
		t.Errorf("with the switch off: %v, client certificates %q", c.APIs, c.TLS.ClientCertificates)
	}
	expectTold(t, notices, slog.LevelWarn, "client_certificates: has no effect")
	expectRefused(t, []refusal{
		{"empty list", conf, `{"use_mutual_tls_auth": true}`, "client_certificates"},
		{"unknown certificate", conf, `{"use_mutual_tls_auth": true, "client_certificates": ["` + sum + `", "nowhere"]}`, "client_certificates[1]"},
		{"without TLS", plugged, `{"use_mutual_tls_auth": true, "client_certificates": ["` + sum + `"]}`, "use_mutual_tls_auth"},
	})
}

// TestLimits: what bounds an API's calls, and for how long its sessions are
// stored, one a case [7.2, S-25]. Callers are told of their limits.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		conf, patch string
		check       func(*grapnel.API) (got, want any)
	}{
		{plugged, `{"global_rate_limit": {"rate": 5, "per": 60}, "disable_rate_limit": true}`, func(a *grapnel.API) (any, any) {
			return a.Limits, grapnel.APILimits{RateLimit: grapnel.RateLimit{Rate: 5, Per: 60}, DisableRate: true, Told: true}
		}},
		{plugged, `{"global_rate_limit": {"rate": 5, "per": 60, "disabled": true}, "disable_quota": true, "dont_set_quota_on_create": true}`, func(a *grapnel.API) (any, any) {
			return a.Limits, grapnel.APILimits{DisableQuota: true, KeepCounters: true, Told: true}
		}},
		{`{"enforce_org_quotas": true}`, `{}`, func(a *grapnel.API) (any, any) {
			return a.Limits, grapnel.APILimits{Told: true, Organisation: true}
		}},
		{plugged, `{"session_lifetime": 60, "session_lifetime_respects_key_expiration": true}`, func(a *grapnel.API) (any, any) {
			return a.Sessions, grapnel.APISessions{Lifetime: 60 * second, RespectExpiry: true} // [S-25]
		}},
		{`{"force_global_session_lifetime": true, "global_session_lifetime": 9, "session_lifetime_respects_key_expiration": true}`, `{"session_lifetime": 60}`, func(a *grapnel.API) (any, any) {
			return a.Sessions, grapnel.APISessions{Lifetime: 9 * second, RespectExpiry: true, ForceLifetime: true}
		}},
		{`{"global_session_lifetime": 9}`, `{"session_lifetime": 60}`, func(a *grapnel.API) (any, any) { return a.Sessions.Lifetime, 60 * second }},
	} {
		a, notices := one(t, c.conf, c.patch)
		if a == nil {
			t.Fatalf("%s: refused: %v", c.patch, notices)
		}
		got, want := c.check(a)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.patch, diff)
		}
	}
	a, notices := one(t, plugged, `{"global_rate_limit": {"rate": 5}}`)
	if a == nil || a.Limits.RateLimit.Per != 0 {
		t.Errorf("%+v", a)
	}
	expectTold(t, notices, slog.LevelWarn, "global_rate_limit.per: there is no limit")
}
