package endpoint_test

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/endpoint"
)

func versioned(location, key string) *grapnel.API {
	return &grapnel.API{Versioning: &grapnel.Versioning{
		Location: location, Key: key, Strip: true, Default: "v1",
		Versions: map[string]*grapnel.Version{"v1": {Name: "v1"}, "v2": {Name: "v2"}},
	}}
}

// P-21, P-24: where the name stands, and that it is gone before the Pre hooks.
func TestVersionIsChosenAndStripped(t *testing.T) {
	for name, c := range map[string]struct {
		location, key, target, header string
		keep                          bool
		version, after                string
	}{
		"header":             {location: "header", key: "X-Version", target: "/app/x", header: "v2", version: "v2", after: "/app/x"},
		"header absent":      {location: "header", key: "X-Version", target: "/app/x", version: "v1", after: "/app/x"},
		"parameter":          {location: "url-param", key: "v", target: "/app/x?b=2&v=v2&a=%31", version: "v2", after: "/app/x?b=2&a=%31"},
		"parameter twice":    {location: "url-param", key: "v", target: "/app/x?v=v2&v=v1", version: "v2", after: "/app/x"},
		"parameter kept":     {location: "url-param", key: "v", target: "/app/x?v=v2", keep: true, version: "v2", after: "/app/x?v=v2"},
		"parameter absent":   {location: "url-param", key: "v", target: "/app/x?w=v2", version: "v1", after: "/app/x?w=v2"},
		"segment":            {location: "url", target: "/app/v2/x/y?q=1", version: "v2", after: "/app/x/y?q=1"},
		"segment alone":      {location: "url", target: "/app/v2", version: "v2", after: "/app/"},
		"segment kept":       {location: "url", target: "/app/v2/x", keep: true, version: "v2", after: "/app/v2/x"},
		"segment absent":     {location: "url", target: "/app/", version: "v1", after: "/app/"},
		"escapes after it":   {location: "url", target: "/app/v2/a%2Fb", version: "v2", after: "/app/a%2Fb"},
		"escapes within it":  {location: "url", target: "/app/v%32/a", version: "v2", after: "/app/a"},
		"unversioned header": {location: "", target: "/app/v2/x", header: "v2", version: "v1", after: "/app/v2/x"},
	} {
		t.Run(name, func(t *testing.T) {
			api := versioned(c.location, c.key)
			api.Versioning.Strip = !c.keep
			x := exchange(api, "GET", c.target)
			uri := x.Request.RequestURI
			if c.header != "" {
				x.Request.Header.Set("X-Version", c.header)
			}
			answered(t, with(api), x, http.StatusOK)
			if x.Version == nil || x.Version.Name != c.version {
				t.Errorf("got version %+v, want %s", x.Version, c.version)
			}
			if got := x.Request.URL.RequestURI(); got != c.after {
				t.Errorf("the URL is %s, want %s", got, c.after)
			}
			if x.Request.RequestURI != uri {
				t.Errorf("RequestURI became %s; it stays as received [B-10]", x.Request.RequestURI)
			}
			if c.location == "header" && x.Request.Header.Get("X-Version") != "" {
				t.Error("the header is still there")
			}
		})
	}
}

// P-20, P-21, P-23, 7.2, T-182, E-7: refusals, their texts and their event.
func TestVersionRefusals(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	past := now.Add(-time.Hour)
	a, b := &grapnel.Version{Name: "a"}, &grapnel.Version{Name: "b"}
	for name, c := range map[string]struct {
		versioning grapnel.Versioning
		header     string
		want       string
	}{
		"API expired":        {grapnel.Versioning{Expires: past}, "", "API has expired, please check documentation or contact administrator"},
		"API expires now":    {grapnel.Versioning{Expires: now}, "", "API has expired, please check documentation or contact administrator"},
		"version expired":    {grapnel.Versioning{Versions: map[string]*grapnel.Version{"a": {Expires: past}}}, "", "Api Version has expired, please check documentation or contact administrator"},
		"no name":            {grapnel.Versioning{Location: "header", Key: "V", Versions: map[string]*grapnel.Version{"a": a}}, "", "Version information not found"},
		"unknown":            {grapnel.Versioning{Location: "header", Key: "V", Default: "a", Versions: map[string]*grapnel.Version{"a": a}}, "z", "This API version does not seem to exist"},
		"unknown default":    {grapnel.Versioning{Location: "header", Key: "V", Default: "z", Versions: map[string]*grapnel.Version{"a": a}}, "", "This API version does not seem to exist"},
		"unversioned, none":  {grapnel.Versioning{Versions: map[string]*grapnel.Version{}}, "", "No default API version for this non-versioned API found"},
		"unversioned, many":  {grapnel.Versioning{Versions: map[string]*grapnel.Version{"a": a, "b": b}}, "", "Ambiguous default API version for this non-versioned API"},
		"stripped and known": {grapnel.Versioning{Location: "header", Key: "V", Versions: map[string]*grapnel.Version{"a": {Expires: past}}}, "a", "Api Version has expired, please check documentation or contact administrator"},
	} {
		t.Run(name, func(t *testing.T) {
			api := &grapnel.API{Versioning: &c.versioning}
			x := exchange(api, "GET", "/app/x")
			x.Start = now
			x.Request.Header.Set("V", c.header)
			fired := events{}
			refused(t, endpoint.Version(api, &fired)(served), x, http.StatusForbidden, c.want)
			if diff := cmp.Diff(events{"VersionFailure: " + c.want}, fired); diff != "" {
				t.Error("events:", diff)
			}
		})
	}
}

// P-20, P-21, P-22: which version serves when none is named.
func TestVersionOfLastResort(t *testing.T) {
	a, b := &grapnel.Version{Name: "a"}, &grapnel.Version{Name: "b"}
	for name, c := range map[string]struct {
		versioning grapnel.Versioning
		want       *grapnel.Version
	}{
		"the only one":     {grapnel.Versioning{Versions: map[string]*grapnel.Version{"x": a}}, a},
		"Default":          {grapnel.Versioning{Versions: map[string]*grapnel.Version{"Default": a, "b": b}}, a},
		"default":          {grapnel.Versioning{Versions: map[string]*grapnel.Version{"default": a, "b": b}}, a},
		"nameless":         {grapnel.Versioning{Versions: map[string]*grapnel.Version{"": a, "b": b}}, a},
		"named as default": {grapnel.Versioning{Default: "b", Versions: map[string]*grapnel.Version{"Default": a, "b": b}}, b},
		"no versions":      {grapnel.Versioning{Expires: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, nil},
		"fallback":         {grapnel.Versioning{Location: "url", Default: "b", Fallback: true, Strip: true, Versions: map[string]*grapnel.Version{"b": b}}, b},
	} {
		t.Run(name, func(t *testing.T) {
			api := &grapnel.API{Versioning: &c.versioning}
			x := exchange(api, "GET", "/app/x")
			answered(t, with(api), x, http.StatusOK)
			if x.Version != c.want {
				t.Errorf("got %+v, want %+v", x.Version, c.want)
			}
			if x.Request.URL.Path != "/app/x" {
				t.Errorf("a segment that names no version was stripped: %s", x.Request.URL.Path)
			}
		})
	}
}

// P-23: an end that lies ahead is announced, on failures too.
func TestExpiryIsAnnounced(t *testing.T) {
	end := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	const want = "Wed, 02 Jan 2030 03:04:05 UTC"
	for name, v := range map[string]grapnel.Versioning{
		"version":       {Versions: map[string]*grapnel.Version{"a": {Expires: end}}},
		"API":           {Expires: end, Versions: map[string]*grapnel.Version{"a": {Expires: end.Add(time.Hour)}}},
		"API, no rules": {Expires: end},
	} {
		api := &grapnel.API{Versioning: &v}
		m := endpoint.Version(api, new(events))
		res := answered(t, m(served), exchange(api, "GET", "/app/x"), http.StatusOK)
		if got := res.Header.Get("x-tyk-api-expires"); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		failing := func(*grapnel.Exchange) (*http.Response, error) {
			return nil, &grapnel.Error{Status: http.StatusTeapot, Message: "no"}
		}
		e := refused(t, m(failing), exchange(api, "GET", "/app/x"), http.StatusTeapot, "no")
		if got := e.Header.Get("x-tyk-api-expires"); got != want {
			t.Errorf("%s, failure: got %q, want %q", name, got, want)
		}
	}
}

// the version is chosen once; what hooks change later does not matter.
func TestVersionStaysChosen(t *testing.T) {
	api := versioned("header", "X-Version")
	x := exchange(api, "GET", "/app/x")
	x.Request.Header.Set("X-Version", "v2")
	hook := func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			x.Request.Header.Set("X-Version", "v1")
			return next(x)
		}
	}
	answered(t, with(api, hook), x, http.StatusOK)
	if x.Version.Name != "v2" {
		t.Errorf("got %s", x.Version.Name)
	}
}

// P-30: paths are matched behind a version's name that stays in them, but not
// behind any other segment.
func TestRulesSeeThePathBehindTheVersion(t *testing.T) {
	rule := grapnel.PathRule{Path: regexp.MustCompile("^/public$"), Method: "GET"}
	for target, want := range map[string]bool{
		"/app/v2/public": true, "/app/public": true, "/public": true, "/app/zz/public": false, "/app/v2/private": false,
	} {
		api := versioned("url", "")
		api.Versioning.Strip = false
		if got := rule.Selects(exchange(api, "GET", target)); got != want {
			t.Errorf("%s: got %v", target, got)
		}
		if rule.Selects(exchange(api, "POST", target)) {
			t.Errorf("%s: selected with another method", target)
		}
	}
}
