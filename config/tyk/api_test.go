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
