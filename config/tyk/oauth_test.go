package tyk

import (
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

const external = `"external_oauth": {"enabled": true, "providers": [{"introspection": {"enabled": true, "url": "https://id/i"}}]}`

// TestOAuth: the authorization server of a definition [7.2].
func TestOAuth(t *testing.T) {
	hour, fortnight := grapnel.Duration(time.Hour), grapnel.Duration(14*24*time.Hour)
	login := &grapnel.URL{URL: url.URL{Scheme: "https", Host: "login", Path: "/"}}
	own := `{"hash_keys": true, "oauth_token_expire": 60, "oauth_refresh_token_expire": 120, "oauth_redirect_uri_separator": ";"}`
	for name, c := range map[string]struct {
		conf, patch string
		want        grapnel.OAuthAuth
	}{
		"all": {own, `"auth_configs": {"oauth": {"auth_header_name": "X-Token"}}, "oauth_meta": {"allowed_access_types": ["authorization_code", "refresh_token", "client_credentials"],
			"allowed_authorize_types": ["code"], "auth_login_redirect": "https://login/"}`,
			grapnel.OAuthAuth{
				Header: "X-Token", Grants: []string{"authorization_code", "refresh_token", "client_credentials"}, Login: login,
				AccessLifetime: hour / 60, RefreshLifetime: hour / 30, Separator: ";",
			}},
		"nothing": {`{}`, `"oauth_meta": {}`, grapnel.OAuthAuth{Header: "Authorization", AccessLifetime: hour, RefreshLifetime: fortnight}},
		"no codes": {`{}`, `"oauth_meta": {"allowed_access_types": ["authorization_code", "client_credentials", "password"], "allowed_authorize_types": ["token"]}`,
			grapnel.OAuthAuth{Header: "Authorization", Grants: []string{"client_credentials"}, AccessLifetime: hour, RefreshLifetime: fortnight}},
	} {
		a, notices := one(t, c.conf, `{"use_keyless": false, "use_oauth2": true, `+c.patch+`}`)
		if a == nil {
			t.Fatalf("%s: refused: %v", name, notices)
		}
		if diff := cmp.Diff(&c.want, a.OAuth()); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}

// TestOAuthWarnings: what of an authorization server does not come to pass is
// told.
func TestOAuthWarnings(t *testing.T) {
	for patch, want := range map[string]string{
		`"oauth_meta": {"allowed_authorize_types": ["token"]}`:                           `oauth_meta.allowed_authorize_types[0]: has no effect`,
		`"oauth_meta": {"allowed_access_types": ["authorization_code"]}`:                 `oauth_meta.allowed_access_types[0]: has no effect: allowed_authorize_types`,
		`"oauth_meta": {"allowed_access_types": ["password"]}`:                           `oauth_meta.allowed_access_types[0]: has no effect`,
		`"notifications": {"oauth_on_keychange_url": "http://h/", "shared_secret": "x"}`: `notifications: has no effect`,
		`"use_standard_auth": false`:                                                     `use_oauth2: access tokens are stored in clear`,
	} {
		_, notices := one(t, `{}`, `{"use_keyless": false, "use_oauth2": true, `+patch+`}`)
		expectTold(t, notices, slog.LevelWarn, want)
	}
}

// TestExternalOAuth: a foreign authorization server that is asked about tokens.
func TestExternalOAuth(t *testing.T) {
	a, notices := one(t, `{}`, `{"use_keyless": false, "auth_configs": {"externalOAuth": {"auth_header_name": "X-Token"}}, "external_oauth": {"enabled": true, "providers": [{"introspection":
		{"enabled": true, "url": "https://id/i", "client_id": "c", "client_secret": "s", "identity_base_field": "user", "cache": {"enabled": true, "timeout": 60}}}]}}`)
	if a == nil {
		t.Fatalf("refused: %v", notices)
	}
	want := grapnel.IntrospectionAuth{
		Credential: grapnel.Credential{Header: "X-Token"},
		URL:        &grapnel.URL{URL: url.URL{Scheme: "https", Host: "id", Path: "/i"}},
		ClientID:   "c", ClientSecret: "s", IdentityClaim: "user",
		Timeout: grapnel.Duration(5 * time.Second), Cache: grapnel.Duration(time.Minute), Scope: grapnel.JWTScope{Claim: "scope"},
	}
	if diff := cmp.Diff(&want, a.Auth[0].Introspection); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
