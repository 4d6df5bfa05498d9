package tyk

import (
	"encoding/json"
	"reflect"
	"strings"
)

// versionChoice is how a request names a version [P-21, P-24].
type versionChoice struct {
	Location            string            `json:"location"`
	Key                 string            `json:"key"`
	StripPath           bool              `json:"strip_path"`
	StripVersioningData bool              `json:"strip_versioning_data"`
	Default             string            `json:"default"`
	FallbackToDefault   bool              `json:"fallback_to_default"`
	Enabled             bool              `json:"enabled"`
	Versions            map[string]string `json:"versions"` // names to other definitions
}

type versionData struct {
	NotVersioned   bool               `json:"not_versioned"`
	DefaultVersion string             `json:"default_version"`
	Versions       map[string]version `json:"versions"`
}

// A version mirrors one entry of version_data.versions [P-25].
type version struct {
	Name                    string            `json:"name"`
	Expires                 string            `json:"expires"`
	OverrideTarget          string            `json:"override_target"`
	UseExtendedPaths        bool              `json:"use_extended_paths"`
	Paths                   legacyPaths       `json:"paths"`
	ExtendedPaths           extendedPaths     `json:"extended_paths"`
	IgnoreEndpointCase      bool              `json:"ignore_endpoint_case"`
	GlobalHeaders           map[string]string `json:"global_headers"`
	GlobalHeadersRemove     []string          `json:"global_headers_remove"`
	GlobalHeadersDisabled   bool              `json:"global_headers_disabled"`
	GlobalResponse          map[string]string `json:"global_response_headers"`
	GlobalResponseRemove    []string          `json:"global_response_headers_remove"`
	GlobalResponseDisabled  bool              `json:"global_response_headers_disabled"`
	GlobalSizeLimit         int64             `json:"global_size_limit"`
	GlobalSizeLimitDisabled bool              `json:"global_size_limit_disabled"`
	GlobalEnforceTimeout    span              `json:"global_enforce_timeout"`
	GlobalEnforceTimeoutOff bool              `json:"global_enforce_timeout_disabled"`
}

// legacyPaths are the lists of a version without extended paths: expressions
// alone.
type legacyPaths struct {
	Ignored []string `json:"ignored"`
	Allowed []string `json:"white_list"`
	Blocked []string `json:"black_list"`
}

// extendedPaths are the lists of 7.5 that have an effect here.
type extendedPaths struct {
	Ignored         []listed          `json:"ignored"`
	Allowed         []listed          `json:"white_list"`
	Blocked         []listed          `json:"black_list"`
	Mocks           []mock            `json:"mock_response"`
	Headers         []headerChange    `json:"transform_headers"`
	ResponseHeaders []headerChange    `json:"transform_response_headers"`
	Timeouts        []hardTimeout     `json:"hard_timeouts"`
	Rewrites        []rewrite         `json:"url_rewrites"`
	Sizes           []sizeLimit       `json:"size_limits"`
	Methods         []methodTransform `json:"method_transforms"`
	Internal        []endpoint        `json:"internal"`
	ValidateJSON    []endpoint        `json:"validate_json"`
	ValidateRequest []checked         `json:"validate_request"`
	GoPlugin        []endpoint        `json:"go_plugin"`
	RateLimit       []limited         `json:"rate_limit"`
}

// listed reports whether any path is to be treated in a way of its own.
func (p extendedPaths) listed() bool {
	lists := reflect.ValueOf(p)
	for i := range lists.NumField() {
		if lists.Field(i).Len() > 0 {
			return true
		}
	}
	return false
}

// An endpoint is what all entries of the lists have [P-30].
type endpoint struct {
	Path       string `json:"path"`
	Method     string `json:"method"`
	Disabled   bool   `json:"disabled"`
	IgnoreCase bool   `json:"ignore_case"`
}

type listed struct {
	endpoint
	Actions map[string]action `json:"method_actions"`
}

// An action is what a listed path does to one method.
type action struct {
	Action  string            `json:"action"` // no_action or reply
	Code    int               `json:"code"`
	Data    string            `json:"data"`
	Headers map[string]string `json:"headers"`
}

type mock struct {
	endpoint
	Code    int               `json:"code"`
	Body    string            `json:"body"`
	Headers map[string]string `json:"headers"`
}

type headerChange struct {
	endpoint
	Delete []string          `json:"delete_headers"`
	Add    map[string]string `json:"add_headers"`
}

type hardTimeout struct {
	endpoint
	Timeout  span `json:"timeout"`
	Duration span `json:"duration"` // finer, and wins
}

type rewrite struct {
	endpoint
	Match    string            `json:"match_pattern"`
	To       string            `json:"rewrite_to"`
	Triggers []json.RawMessage `json:"triggers"`
}

type sizeLimit struct {
	endpoint
	Limit int64 `json:"size_limit"`
}

type methodTransform struct {
	endpoint
	To string `json:"to_method"`
}

type checked struct {
	endpoint
	Enabled bool `json:"enabled"`
}

type limited struct {
	endpoint
	Rate float64 `json:"rate"`
}

// pathExpression makes a regular expression of an entry's path [P-30]: {name}
// stands for one segment, /* for anything that follows, and in the middle for
// one segment. Braces that count, as in {2,3}, are left alone.
func pathExpression(path string, prefix, suffix, ignoreCase bool) string {
	var b strings.Builder
	for rest := path; rest != ""; {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			b.WriteString(rest)
			break
		}
		end := strings.IndexByte(rest[open:], '}')
		if end < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:open])
		if name := rest[open : open+end+1]; len(name) > 2 && (name[1] < '0' || name[1] > '9') && name[1] != ',' {
			b.WriteString("([^/]+)")
		} else {
			b.WriteString(name)
		}
		rest = rest[open+end+1:]
	}
	text := strings.ReplaceAll(b.String(), "/*/", "/[^/]+/")
	text = strings.ReplaceAll(text, "/*", "/.*")
	if prefix && strings.HasPrefix(text, "/") {
		text = "^" + text
	}
	if suffix && !strings.HasSuffix(text, "$") {
		text += "$"
	}
	if ignoreCase {
		text = "(?i)" + text
	}
	return text
}
