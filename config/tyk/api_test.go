package tyk

import (
	"log/slog"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/grapnel-gateway/grapnel"
)

// TestAPI translates the top-level keys, one a case [7.2, 7.3].
func TestAPI(t *testing.T) {
	type check = func(*grapnel.API) (got, want any)
	for _, c := range []struct {
		conf, patch string
		check       check
	}{
		{plugged, `{"name": "N", "org_id": "O"}`, func(a *grapnel.API) (any, any) { return []string{a.ID, a.Name, a.OrgID}, []string{"a", "N", "O"} }},
		{plugged, `{}`, func(a *grapnel.API) (any, any) { return a.RateLimitHeaders, true }},
		{plugged, `{}`, func(a *grapnel.API) (any, any) {
			return a.ConfigData == nil && a.Versioning == nil && a.CORS == nil, true
		}},
		{plugged, `{"internal": true}`, func(a *grapnel.API) (any, any) { return a.Internal, true }},
		{plugged, `{"config_data": {"k": [1]}}`, func(a *grapnel.API) (any, any) { return a.ConfigData, map[string]any{"k": []any{1.0}} }},
		{plugged, `{"config_data": {"k": 1}, "config_data_disabled": true}`, func(a *grapnel.API) (any, any) { return a.ConfigData == nil, true }}, // [B-18]
		{plugged, `{"config_data": {}}`, func(a *grapnel.API) (any, any) { return a.ConfigData == nil, true }},
		{plugged, `{"custom_middleware_bundle": "b.zip", "custom_middleware_bundle_disabled": true}`, func(a *grapnel.API) (any, any) { return a.Bundle, "b.zip" }}, // [B-17]
		{`{"http_server_options": {"max_request_body_size": 5}}`, `{}`, func(a *grapnel.API) (any, any) { return a.MaxBody, grapnel.Size(5) }},
		{plugged, `{}`, func(a *grapnel.API) (any, any) { return a.MaxBody, grapnel.Size(0) }},
		{plugged, `{"proxy": {"listen_path": "x/", "strip_listen_path": true}}`, func(a *grapnel.API) (any, any) {
			return a.Listen, grapnel.Listen{ListenPath: "/x/", StripListenPath: true, Loose: true, Aliases: []string{"/a/"}} // [P-4, P-5]
		}},
		{plugged, `{"proxy": {"listen_path": "/{id:[a-z]{2}}/"}}`, func(a *grapnel.API) (any, any) { return a.ListenPath, "/{id:[a-z]{2}}/" }},
		{`{"http_server_options": {"enable_strict_routes": true}}`, `{}`, func(a *grapnel.API) (any, any) { return a.Loose, false }},
		{`{"enable_custom_domains": true}`, `{"domain": "Shop.Example:8080"}`, func(a *grapnel.API) (any, any) { return a.Hosts, []string{"shop.example"} }},
		{`{"enable_custom_domains": true}`, `{"domain": "{sub:.*}.example"}`, func(a *grapnel.API) (any, any) { return a.Hosts, []string{"*.example"} }},
		{`{"enable_custom_domains": true}`, `{"domain": "x.example", "domain_disabled": true}`, func(a *grapnel.API) (any, any) { return a.Hosts == nil, true }},
		{plugged, `{"proxy": {"preserve_host_header": true, "disable_strip_slash": true, "target_url": "h2c://u/p"}}`, func(a *grapnel.API) (any, any) {
			return []any{a.PreserveHost, a.KeepTargetSlash, a.Target.String()}, []any{true, true, "h2c://u/p"}
		}},
		{plugged, `{"proxy": {"target_url": "tyk://other"}}`, func(a *grapnel.API) (any, any) { return a.Target.String(), "tyk://other" }}, // [P-10]
		{plugged, `{"proxy": {"enable_load_balancing": true, "target_list": ["http://a", "b:1", "http://a"]}}`, func(a *grapnel.API) (any, any) {
			return []string{a.Targets[0].String(), a.Targets[1].String(), a.Targets[2].String()}, []string{"http://a", "http://b:1", "http://a"}
		}},
		{plugged, `{"proxy": {"enable_load_balancing": true, "target_list": []}}`, func(a *grapnel.API) (any, any) { return a.Targets[0].String(), "http://upstream:9000" }},
		{plugged, `{"proxy": {"target_list": ["http://b"]}}`, func(a *grapnel.API) (any, any) { return a.Target.Host, "upstream:9000" }},
		{plugged, `{"proxy": {"transport": {"ssl_insecure_skip_verify": true}}}`, func(a *grapnel.API) (any, any) { return a.InsecureSkipVerify, true }},
		{`{"proxy_ssl_insecure_skip_verify": true, "proxy_default_timeout": 3}`, `{}`, func(a *grapnel.API) (any, any) {
			return []any{a.InsecureSkipVerify, a.Timeout}, []any{true, 3 * second}
		}},
		{plugged, `{"CORS": {"enable": true, "allowed_origins": ["http://o"], "allowed_methods": ["PUT"], "max_age": 9, "options_passthrough": true}}`, func(a *grapnel.API) (any, any) {
			return *a.CORS, grapnel.CORS{AllowedOrigins: []string{"http://o"}, AllowedMethods: []string{"PUT"}, MaxAge: 9, Passthrough: true}
		}},
		{plugged, `{"enable_ip_whitelisting": true, "allowed_ips": ["10.1.2.3/8", "::ffff:1.2.3.4"], "enable_ip_blacklisting": true, "blacklisted_ips": ["::1"]}`, func(a *grapnel.API) (any, any) {
			return a.Addresses, grapnel.AddressRules{
				Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("1.2.3.4/32")},
				Block: []netip.Prefix{netip.MustParsePrefix("::1/128")},
			}
		}},
		{plugged, `{"ip_access_control_disabled": true, "enable_ip_blacklisting": true, "blacklisted_ips": ["::1"]}`, func(a *grapnel.API) (any, any) { return a.Addresses.Block == nil, true }},
	} {
		a, notices := one(t, c.conf, c.patch)
		if a == nil {
			t.Fatalf("%s: refused: %v", c.patch, notices)
		}
		got, want := c.check(a)
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.patch, diff)
		}
	}
}

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
	_, notices := one(t, plugged, auth(`"custom_middleware": {"driver": "grpc", "auth_check": {"disabled": true}}, "disable_quota": false, "disable_rate_limit": false`))
	expectTold(t, notices, slog.LevelWarn, "auth_check.disabled: ", "asked without a name")
	expectTold(t, notices, slog.LevelWarn, "disable_rate_limit: RATES ARE NOT LIMITED")
	expectTold(t, notices, slog.LevelWarn, "disable_quota: QUOTAS ARE NOT ENFORCED")
}

// TestKeylessHooks: on a keyless API neither the auth hook nor post_key_auth
// runs [M-2].
func TestKeylessHooks(t *testing.T) {
	a, notices := one(t, plugged, `{"enable_coprocess_auth": true, "custom_middleware": {"driver": "grpc", "auth_check": {"name": "0"},
		"pre": [{"name": "1"}, {"name": "x", "disabled": true}, {"name": "2"}], "post_key_auth": [{"name": "3"}], "post": [{"name": "4"}], "response": [{"name": "5"}]}}`)
	if a == nil || a.Auth != nil {
		t.Fatalf("API %+v, want one without authentication: %v", a, notices)
	}
	hook := func(name string, stage grapnel.Stage) grapnel.Hook {
		return grapnel.Hook{Plugin: "default", Name: name, Stage: stage, Timeout: 10 * second}
	}
	want := grapnel.Hooks{
		Pre:      []grapnel.Hook{hook("1", grapnel.Pre), hook("2", grapnel.Pre)},
		Post:     []grapnel.Hook{hook("4", grapnel.Post)},
		Response: []grapnel.Hook{hook("5", grapnel.Response)},
	}
	if diff := cmp.Diff(want, a.Hooks); diff != "" {
		t.Error(diff)
	}
	expectTold(t, notices, slog.LevelWarn, "custom_middleware.post_key_auth: does not run")
	expectTold(t, notices, slog.LevelWarn, "custom_middleware.auth_check: is not asked")
}

func TestCredential(t *testing.T) {
	for patch, want := range map[string]grapnel.Credential{
		`{}`: {Header: "Authorization"},
		`{"strip_auth_data": true, "auth": {"auth_header_name": "X-Key"}}`:                                     {Header: "X-Key", Strip: true},
		`{"auth": {"auth_header_name": "X-Key"}, "auth_configs": {"coprocess": {"auth_header_name": "X-P"}}}`:  {Header: "X-P"},
		`{"auth": {"disable_header": true, "use_param": true, "param_name": "k", "use_cookie": true}}`:         {Param: "k", Cookie: "Authorization"},
		`{"auth": {"auth_header_name": "h", "use_param": true, "use_cookie": true, "cookie_name": "c"}}`:       {Header: "h", Param: "h", Cookie: "c"},
		`{"auth": {"auth_header_name": "h"}, "auth_configs": {"authToken": {"auth_header_name": "not this"}}}`: {Header: "h"},
	} {
		a, notices := one(t, plugged, patch)
		if a == nil {
			t.Fatalf("%s: refused: %v", patch, notices)
		}
		if a.Credential != want {
			t.Errorf("%s: %+v, want %+v", patch, a.Credential, want)
		}
	}
}

// TestEvents translates the handlers that this version can tell [E-1, E-2].
func TestEvents(t *testing.T) {
	const handlers = `"event_handlers": {"events": {
		"AuthFailure": [
			{"handler_name": "cp_dynamic_handler", "handler_meta": {"name": "told"}},
			{"handler_name": "eh_log_handler", "handler_meta": {"prefix": "P"}},
			{"handler_name": "eh_web_hook_handler", "handler_meta": {"target_path": "http://x"}}],
		"QuotaExceeded": [{"handler_name": "eh_log_handler"}]}}`
	a, notices := one(t, plugged, `{"custom_middleware": {"driver": "grpc"}, `+handlers+`}`)
	want := map[grapnel.EventType][]grapnel.EventHandler{
		grapnel.EventAuthFailure: {{Plugin: "default", Name: "told"}, {Name: "P"}},
	}
	if diff := cmp.Diff(want, a.Events); diff != "" {
		t.Error(diff)
	}
	expectTold(t, notices, slog.LevelWarn, "events.AuthFailure[2]: ", "eh_web_hook_handler")
	expectTold(t, notices, slog.LevelWarn, "events.QuotaExceeded: ", "does not fire")

	a, notices = one(t, plugged, `{`+handlers+`}`)
	if diff := cmp.Diff([]grapnel.EventHandler{{Name: "P"}}, a.Events[grapnel.EventAuthFailure]); diff != "" {
		t.Errorf("without a driver: %s", diff)
	}
	expectTold(t, notices, slog.LevelWarn, "events.AuthFailure[0]: ", "E-2")
}

// TestListenPaths: two APIs never share a place [P-3, P-4, P-7].
func TestListenPaths(t *testing.T) {
	c, notices := load(t, setup(t, `{"enable_custom_domains": true}`, map[string]string{
		"a.json": define(t, "a", `{"proxy": {"listen_path": "/same/"}}`),
		"b.json": define(t, "b", `{"proxy": {"listen_path": "/same/"}}`),
		"c.json": define(t, "c", `{"proxy": {"listen_path": "/same/"}, "domain": "c.example"}`),
		"d.json": define(t, "d", `{"proxy": {"listen_path": "/a/"}}`),
		"e.json": define(t, "e", `{"proxy": {"listen_path": "/old/"}}`),
		"f.json": define(t, "e", `{"proxy": {"listen_path": "/new/"}}`),
	}))
	var got []grapnel.Listen
	for _, a := range c.APIs {
		got = append(got, a.Listen)
	}
	want := []grapnel.Listen{
		{ListenPath: "/same/"}, // its alias /a/ is the listen path of d
		{ListenPath: "/same/-b", Aliases: []string{"/b/"}},
		{ListenPath: "/same/", Hosts: []string{"c.example"}, Aliases: []string{"/c/"}},
		{ListenPath: "/a/", Aliases: []string{"/d/"}},
		{ListenPath: "/new/", Aliases: []string{"/e/"}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(grapnel.Listen{}, "Loose"), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	expectTold(t, notices, slog.LevelWarn, `the API "b" is served at /same/-b`)
	expectTold(t, notices, slog.LevelWarn, "api_id: not served", "f.json")

	c, notices = load(t, setup(t, plugged, map[string]string{
		"a.json": define(t, "a", `{"proxy": {"listen_path": "/s"}}`),
		"b.json": define(t, "b", `{"proxy": {"listen_path": "/s-c"}}`),
		"c.json": define(t, "c", `{"proxy": {"listen_path": "/s"}}`),
	}))
	if len(c.APIs) != 2 {
		t.Errorf("%d APIs", len(c.APIs))
	}
	expectTold(t, notices, slog.LevelError, `the listen path /s-c of the API "c" belongs to "b"`)
}

// TestDomainsOff: without enable_custom_domains a domain has no effect.
func TestDomainsOff(t *testing.T) {
	a, notices := one(t, plugged, `{"domain": "x.example"}`)
	if a == nil || a.Hosts != nil {
		t.Errorf("%+v", a)
	}
	expectTold(t, notices, slog.LevelWarn, "domain: has no effect")
}
