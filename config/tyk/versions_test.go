package tyk

import (
	"log/slog"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/grapnel-gateway/grapnel"
)

// versioned loads one definition and returns its versioning.
func versioned(t *testing.T, conf, patch string) (*grapnel.Versioning, []Notice) {
	t.Helper()
	a, notices := one(t, conf, patch, "TYK_SECRET_K=v")
	if a == nil {
		t.Fatalf("%s: refused: %v", patch, notices)
	}
	return a.Versioning, notices
}

// equal compares values with expressions by their texts.
func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	expressions := cmp.Comparer(func(a, b *regexp.Regexp) bool {
		return a == b || a != nil && b != nil && a.String() == b.String()
	})
	if diff := cmp.Diff(want, got, expressions); diff != "" {
		t.Errorf("%s: (-want +got)\n%s", what, diff)
	}
}

// TestVersioning translates the choice between versions [P-20…P-24].
func TestVersioning(t *testing.T) {
	v := func(names ...string) map[string]*grapnel.Version {
		m := map[string]*grapnel.Version{}
		for _, name := range names {
			m[name] = &grapnel.Version{Name: name}
		}
		return m
	}
	day := time.Date(2031, 1, 2, 3, 4, 0, 0, time.UTC)
	for patch, want := range map[string]*grapnel.Versioning{
		`{}`:                                 nil, // [P-22, T-230]
		`{"version_data": {"versions": {}}}`: nil,
		`{"expiration": "2031-01-02 03:04"}`: {Expires: day},
		`{"expiration": "-1"}`:               nil,
		`{"expiration": "soon"}`:             {Expires: time.Unix(0, 0).UTC()},
		`{"version_data": {"not_versioned": true, "versions": {"v1": {}}}}`:                {Default: "v1", Versions: v("v1")},
		`{"version_data": {"not_versioned": true, "versions": {"v1": {}, "default": {}}}}`: {Default: "default", Versions: v("default")},
		`{"version_data": {"not_versioned": true, "versions": {}}}`:                        {Versions: v()},
		`{"version_data": {"not_versioned": true, "versions": {"v1": {}, "v2": {}}}}`:      {Versions: v("v1", "v2")},
		`{"version_data": {"versions": {"v1": {}}}, "definition": {"location": "header", "key": "X-V", "strip_versioning_data": true}}`: {
			Location: "header", Key: "X-V", Strip: true, Versions: v("v1"),
		},
		`{"version_data": {"default_version": "v1", "versions": {"v1": {}}}, "definition": {"location": "url", "strip_path": true, "fallback_to_default": true}}`: {
			Location: "url", Strip: true, Default: "v1", Fallback: true, Versions: v("v1"),
		},
		`{"version_data": {"versions": {"v1": {}}}, "definition": {"location": "url-param", "key": "v", "default": "v1"}}`: {
			Location: "url-param", Key: "v", Default: "v1", Versions: v("v1"),
		},
		`{"version_data": {"versions": {"v1": {}}}}`: {Location: "header", Versions: v("v1")},
		`{"version_data": {"not_versioned": true, "versions": {"v1": {"expires": "2031-01-02 03:04"}}}}`: {
			Default: "v1", Versions: map[string]*grapnel.Version{"v1": {Name: "v1", Expires: day}},
		},
	} {
		got, _ := versioned(t, plugged, patch)
		equal(t, patch, want, got)
	}
}

// TestRules translates the lists of a version, one a case [P-25, 7.5].
func TestRules(t *testing.T) {
	rule := func(method, path string) grapnel.PathRule {
		return grapnel.PathRule{Method: method, Path: regexp.MustCompile(path)}
	}
	header := http.Header{"X-A": {"1"}}
	for _, c := range []struct {
		lists string
		want  grapnel.Version
	}{
		{`"ignored": [{"path": "/i/{id}", "method": "GET"}, {"path": "/off", "disabled": true}]`, grapnel.Version{Ignored: []grapnel.PathRule{rule("GET", "/i/([^/]+)")}}},
		{`"white_list": [{"path": "/w"}]`, grapnel.Version{Allowed: []grapnel.PathRule{rule("", "/w")}}},
		{`"black_list": [{"path": "/B", "ignore_case": true}]`, grapnel.Version{Blocked: []grapnel.PathRule{rule("", "(?i)/B")}}},
		{`"ignored": [{"path": "/i", "method_actions": {"GET": {"action": "no_action"}, "PUT": {"action": "reply", "code": 201, "data": "d", "headers": {"x-a": "1"}}}}]`, grapnel.Version{
			Ignored: []grapnel.PathRule{rule("GET", "/i")},
			Replies: []grapnel.ReplyRule{{PathRule: rule("PUT", "/i"), Status: 201, Header: header, Body: []byte("d")}},
		}},
		{`"white_list": [{"path": "/w", "method_actions": {"PUT": {"action": "reply"}}}]`, grapnel.Version{
			Allowed: []grapnel.PathRule{rule("PUT", "/w")}, // nothing else gets in
			Replies: []grapnel.ReplyRule{{PathRule: rule("PUT", "/w"), Status: 200, Header: http.Header{}, Body: []byte{}}},
		}},
		{`"black_list": [{"path": "/b", "method_actions": {"GET": {"action": "reply", "code": 410}, "PUT": {"action": "no_action"}}}]`, grapnel.Version{
			Blocked: []grapnel.PathRule{rule("PUT", "/b")},
			Replies: []grapnel.ReplyRule{{PathRule: rule("GET", "/b"), Status: 410, Header: http.Header{}, Body: []byte{}}},
		}},
		{`"ignored": [{"path": "/i", "method_actions": {"GET": {"action": "other"}}}]`, grapnel.Version{Blocked: []grapnel.PathRule{rule("GET", "/i")}}},
		{`"mock_response": [{"path": "/m", "method": "GET", "code": 418, "body": "b", "headers": {"X-A": "1"}}]`, grapnel.Version{
			Replies: []grapnel.ReplyRule{{PathRule: rule("GET", "/m"), Status: 418, Header: header, Body: []byte("b")}},
		}},
		{`"internal": [{"path": "/in", "method": "GET"}]`, grapnel.Version{Internal: []grapnel.PathRule{rule("GET", "/in")}}},
		{`"size_limits": [{"path": "/s", "method": "POST", "size_limit": 9}]`, grapnel.Version{Sizes: []grapnel.SizeRule{{PathRule: rule("POST", "/s"), Max: 9}}}},
		{`"method_transforms": [{"path": "/m", "method": "GET", "to_method": "PUT"}]`, grapnel.Version{Methods: []grapnel.MethodRule{{PathRule: rule("GET", "/m"), To: "PUT"}}}},
		{`"hard_timeouts": [{"path": "/t", "timeout": 2}, {"path": "/u", "timeout": 1, "duration": "150ms"}]`, grapnel.Version{Timeouts: []grapnel.TimeoutRule{
			{PathRule: rule("", "/t"), Timeout: 2 * time.Second}, {PathRule: rule("", "/u"), Timeout: 150 * time.Millisecond},
		}}},
		{`"transform_headers": [{"path": "/h", "delete_headers": ["X"], "add_headers": {"Y": "$tyk_meta.y $secret_env.K"}}]`, grapnel.Version{
			RequestHeaders: []grapnel.HeaderRule{{PathRule: rule("", "/h"), Delete: []string{"X"}, Set: map[string]string{"Y": "$tyk_meta.y v"}}},
		}},
		{`"transform_response_headers": [{"path": "/h", "add_headers": {"Y": "1"}}]`, grapnel.Version{
			ResponseHeaders: []grapnel.HeaderRule{{PathRule: rule("", "/h"), Set: map[string]string{"Y": "1"}}},
		}},
		{`"url_rewrites": [{"path": "/r", "method": "GET", "match_pattern": "/r/(.*)", "rewrite_to": "tyk://self/$1"}, {"path": "/x", "match_pattern": ".*"}]`, grapnel.Version{
			Rewrites: []grapnel.RewriteRule{{PathRule: rule("GET", "/r"), Match: regexp.MustCompile("/r/(.*)"), To: "tyk://self/$1"}},
		}},
	} {
		c.want.Name = "Default"
		got, _ := versioned(t, plugged, extended(c.lists))
		equal(t, c.lists, &c.want, got.Versions["Default"])
	}
}

// TestGlobalRules: rules for all paths, and their switches [P-25].
func TestGlobalRules(t *testing.T) {
	const globals = `"global_headers": {"A": "1"}, "global_headers_remove": ["B"], "global_response_headers": {"C": "2"},
		"global_size_limit": 7, "global_enforce_timeout": "1s", "override_target": "http://other",
		"use_extended_paths": true, "extended_paths": {"hard_timeouts": [{"path": "/t", "timeout": 2}]}`
	whole := func(more string) string {
		return `{"response_processors": [{"name": "header_injector", "options": {"remove_headers": ["D"]}}, {"name": "odd"}],
			"version_data": {"not_versioned": true, "versions": {"Default": {` + globals + more + `}}}}`
	}
	v, notices := versioned(t, plugged, whole(""))
	path := grapnel.TimeoutRule{PathRule: grapnel.PathRule{Path: regexp.MustCompile("/t")}, Timeout: 2 * time.Second}
	got := v.Versions["Default"]
	if got.Target.String() != "http://other" {
		t.Errorf("target %v", got.Target)
	}
	equal(t, "globals", &grapnel.Version{
		Name: "Default", Target: got.Target, MaxSize: 7, Timeouts: []grapnel.TimeoutRule{path, {Timeout: time.Second}},
		RequestHeaders: []grapnel.HeaderRule{{Set: map[string]string{"A": "1"}, Delete: []string{"B"}}},
		ResponseHeaders: []grapnel.HeaderRule{
			{Set: map[string]string{"C": "2"}}, {Set: map[string]string{}, Delete: []string{"D"}},
		},
	}, got)
	expectTold(t, notices, slog.LevelWarn, `response_processors[1]: has no effect: there is no "odd"`)

	v, _ = versioned(t, plugged, `{"version_data": {"not_versioned": true, "versions": {"Default": {`+globals+`,
		"global_headers_disabled": true, "global_response_headers_disabled": true, "global_size_limit_disabled": true, "global_enforce_timeout_disabled": true}}}}`)
	equal(t, "disabled", &grapnel.Version{Name: "Default", Target: got.Target, Timeouts: []grapnel.TimeoutRule{path}}, v.Versions["Default"])
}

// TestLegacyPaths: without use_extended_paths the short lists count, and the
// long ones do not [P-25].
func TestLegacyPaths(t *testing.T) {
	v, notices := versioned(t, plugged, `{"version_data": {"not_versioned": true, "versions": {"Default": {
		"paths": {"ignored": ["/i"], "white_list": ["/w"], "black_list": ["/b"]}, "extended_paths": {"ignored": [{"path": "/x"}]}}}}}`)
	rule := func(path string) []grapnel.PathRule { return []grapnel.PathRule{{Path: regexp.MustCompile(path)}} }
	expectTold(t, notices, slog.LevelWarn, "versions.Default.extended_paths: has no effect")
	equal(t, "legacy", &grapnel.Version{Name: "Default", Ignored: rule("/i"), Allowed: rule("/w"), Blocked: rule("/b")}, v.Versions["Default"])
}

// TestTriggers: a rewrite with triggers keeps its own rule, and says so.
func TestTriggers(t *testing.T) {
	v, notices := versioned(t, plugged, extended(`"url_rewrites": [{"path": "/r", "match_pattern": "x", "rewrite_to": "/y", "triggers": [{"on": "all"}]}]`))
	if len(v.Versions["Default"].Rewrites) != 1 {
		t.Error("the rule is gone")
	}
	expectTold(t, notices, slog.LevelWarn, extendedAt+"url_rewrites[0].triggers: has no effect")
}

// TestPathExpression builds the expressions of P-30.
func TestPathExpression(t *testing.T) {
	for _, c := range []struct {
		path                       string
		prefix, suffix, ignoreCase bool
		want                       string
	}{
		{"/a", false, false, false, "/a"},
		{"/a/{id}/b", false, false, false, "/a/([^/]+)/b"},
		{"/a/{id:[0-9]+}", false, false, false, "/a/([^/]+)"},
		{"/a/[0-9]{2,3}", false, false, false, "/a/[0-9]{2,3}"},
		{"/a/{", false, false, false, "/a/{"},
		{"/a/*/b", false, false, false, "/a/[^/]+/b"},
		{"/a/*", false, false, false, "/a/.*"},
		{"/a", true, true, true, "(?i)^/a$"},
		{"^/a$", true, true, false, "^/a$"},
		{"a", true, false, false, "a"},
	} {
		if got := pathExpression(c.path, c.prefix, c.suffix, c.ignoreCase); got != c.want {
			t.Errorf("%s: %s, want %s", c.path, got, c.want)
		}
	}
	conf := `{"ignore_endpoint_case": true, "http_server_options": {"enable_path_prefix_matching": true, "enable_path_suffix_matching": true}}`
	v, _ := versioned(t, conf, extended(`"ignored": [{"path": "/a"}]`))
	if got := v.Versions["Default"].Ignored[0].Path.String(); got != "(?i)^/a$" {
		t.Errorf("with all settings of tyk.conf: %s", got)
	}
}
