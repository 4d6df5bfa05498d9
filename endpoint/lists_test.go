package endpoint_test

import (
	"net/http"
	"testing"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/endpoint"
)

// M-5, C-3, A-12, T-172, 7.5: what the lists decide, and that refusals are told.
func TestLists(t *testing.T) {
	rules := func(expressions ...string) (out []grapnel.PathRule) {
		for _, e := range expressions {
			out = append(out, path(e))
		}
		return out
	}
	const open, serve, refuse, hide = "open", "serve", "refuse", "hide"
	for name, c := range map[string]struct {
		version grapnel.Version
		method  string
		loops   int
		want    string
	}{
		"nothing listed":      {version: grapnel.Version{Blocked: rules("^/y")}, want: serve},
		"ignored":             {version: grapnel.Version{Ignored: rules("^/x")}, want: open},
		"ignored and blocked": {version: grapnel.Version{Ignored: rules("^/x"), Blocked: rules("^/x")}, want: open},
		"ignored, others all": {version: grapnel.Version{Ignored: rules("^/x"), Allowed: rules("^/y")}, want: open},
		"blocked":             {version: grapnel.Version{Blocked: rules("^/y", "^/x")}, want: refuse},
		"blocked, whole path": {version: grapnel.Version{Blocked: rules("^/app/x")}, want: refuse},
		"allowed":             {version: grapnel.Version{Allowed: rules("^/y", "^/x")}, want: serve},
		"not allowed":         {version: grapnel.Version{Allowed: rules("^/y")}, want: refuse},
		"allowed and blocked": {version: grapnel.Version{Allowed: rules("^/x"), Blocked: rules("^/x")}, want: refuse},
		"other method": {version: grapnel.Version{Allowed: []grapnel.PathRule{{Path: path("^/x").Path, Method: "GET"}}},
			method: "POST", want: refuse},
		"internal":         {version: grapnel.Version{Internal: rules("^/x"), Ignored: rules("^/x")}, want: hide},
		"internal, looped": {version: grapnel.Version{Internal: rules("^/x")}, loops: 1, want: serve},
	} {
		t.Run(name, func(t *testing.T) {
			api := oneVersion(&c.version)
			fired := events{}
			h := with(api, endpoint.Lists(api, &fired))
			if c.method == "" {
				c.method = "GET"
			}
			x := exchange(api, c.method, "/app/x")
			x.Loops = c.loops
			switch c.want {
			case refuse:
				refused(t, h, x, http.StatusForbidden, "Requested endpoint is forbidden")
			case hide:
				refused(t, h, x, http.StatusNotFound, "Not Found")
			default:
				answered(t, h, x, http.StatusOK)
			}
			if x.Open != (c.want == open) {
				t.Errorf("Open is %v", x.Open)
			}
			if told := len(fired) == 1; told != (c.want == refuse) {
				t.Errorf("events: %v", fired)
			}
		})
	}
}

// M-5, T-180: fixed replies; the next handler does not run.
func TestReplies(t *testing.T) {
	header := http.Header{"X-Mock": {"yes"}}
	api := oneVersion(&grapnel.Version{Replies: []grapnel.ReplyRule{
		{PathRule: grapnel.PathRule{Path: path("^/x").Path, Method: "POST"}, Status: 202, Body: []byte("posted")},
		{PathRule: path("^/x"), Status: 418, Header: header, Body: []byte("mock")},
	}})
	h := with(api, endpoint.Replies(api))
	res := answered(t, h, exchange(api, "GET", "/app/x"), 418)
	if got := body(t, res); got != "mock" || res.Header.Get("X-Mock") != "yes" {
		t.Errorf("got %q, %v", got, res.Header)
	}
	res.Header.Set("X-Mock", "changed")
	if header.Get("X-Mock") != "yes" {
		t.Error("a reply shares its header with the configuration")
	}
	if got := body(t, answered(t, h, exchange(api, "POST", "/app/x"), 202)); got != "posted" {
		t.Errorf("got %q", got)
	}
	if got := body(t, answered(t, h, exchange(api, "GET", "/app/y"), 200)); got != "up" {
		t.Errorf("another path got %q", got)
	}
}

// B-12, M-8: the method is scheduled, not changed.
func TestMethod(t *testing.T) {
	api := oneVersion(&grapnel.Version{Methods: []grapnel.MethodRule{
		{PathRule: grapnel.PathRule{Path: path("^/x").Path, Method: "GET"}, To: "POST"},
		{PathRule: path("^/x"), To: "PUT"},
	}})
	for _, c := range []struct{ method, target, want string }{
		{"GET", "/app/x", "POST"}, {"DELETE", "/app/x", "PUT"}, {"GET", "/app/y", ""},
	} {
		x := exchange(api, c.method, c.target)
		answered(t, with(api, endpoint.Method(api)), x, http.StatusOK)
		if x.RewriteMethod != c.want || x.Request.Method != c.method {
			t.Errorf("%s %s: scheduled %q, visible %s", c.method, c.target, x.RewriteMethod, x.Request.Method)
		}
	}
}
