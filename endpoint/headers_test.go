package endpoint_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/endpoint"
)

// M-8, T-178, 7.5: which rules apply, in which order.
func TestRequestHeaders(t *testing.T) {
	api := oneVersion(&grapnel.Version{RequestHeaders: []grapnel.HeaderRule{
		{Delete: []string{"x-gone", "X-Both"}, Set: map[string]string{"x-both": "global", "X-Global": "1", "X-Over": "global"}},
		{PathRule: path("^/x"), Set: map[string]string{"X-Over": "path", "X-First": "1"}},
		{PathRule: path("^/x"), Set: map[string]string{"X-Over": "second", "X-Second": "1"}},
	}})
	for target, want := range map[string]http.Header{
		"/app/x": {"X-Both": {"global"}, "X-Global": {"1"}, "X-Over": {"path"}, "X-First": {"1"}, "X-Kept": {"a", "b"}},
		"/app/y": {"X-Both": {"global"}, "X-Global": {"1"}, "X-Over": {"global"}, "X-Kept": {"a", "b"}},
	} {
		x := exchange(api, "GET", target)
		x.Request.Header = http.Header{"X-Gone": {"1"}, "X-Both": {"client", "twice"}, "X-Kept": {"a", "b"}}
		answered(t, with(api, endpoint.RequestHeaders(api)), x, http.StatusOK)
		if diff := cmp.Diff(want, x.Request.Header); diff != "" {
			t.Errorf("%s: %s", target, diff)
		}
	}
}

// 7.5: values may name facts of the exchange; what is missing is empty.
func TestHeaderValues(t *testing.T) {
	for value, want := range map[string][]string{
		"plain":                             {"plain"},
		"a $tyk_meta.user b":                {"a ann b"},
		"$tyk_meta.number":                  {"7"},
		"$tyk_meta.nested":                  {`{"a":[1,"b"]}`},
		"$tyk_meta.none":                    {""},
		"$tyk_context.request_id":           {"id-1"},
		"$tyk_context.path":                 {"/app/x"},
		"$tyk_context.remote_addr":          {"192.0.2.7"},
		"$tyk_context.headers_X_Trace_Id":   {"t1"},
		"$tyk_context.headers_Host":         {"example.com"},
		"$tyk_context.unknown.":             {""},
		"$tyk_meta.user,$tyk_meta.user":     {"ann,ann"},
		"costs $1, $tyk_other.x, $tyk_meta": {"costs $1, $tyk_other.x, $tyk_meta"},
		"$tyk_meta.split":                   nil, // a value that HTTP forbids is not sent
	} {
		api := oneVersion(&grapnel.Version{RequestHeaders: []grapnel.HeaderRule{{Set: map[string]string{"X-Value": value}}}})
		x := exchange(api, "GET", "/app/x?q=1")
		x.Client = netip.MustParseAddr("192.0.2.7")
		x.Request.Header.Set("X-Trace-Id", "t1")
		x.Request.Header.Set("X-Value", "the client's")
		x.Session = &grapnel.Session{Metadata: map[string]any{
			"user": "ann", "number": 7.0, "nested": map[string]any{"a": []any{1.0, "b"}}, "split": "a\r\nX-Evil: 1",
		}}
		answered(t, with(api, endpoint.RequestHeaders(api)), x, http.StatusOK)
		if diff := cmp.Diff(want, x.Request.Header["X-Value"]); diff != "" {
			t.Errorf("%s: %s", value, diff)
		}
		x.Session = nil
		answered(t, with(api, endpoint.RequestHeaders(api)), x, http.StatusOK)
	}
}

// M-20, A-40: the upstream's replies are changed by the path that came in; the
// gateway's own errors are not.
func TestResponseHeaders(t *testing.T) {
	api := oneVersion(&grapnel.Version{ResponseHeaders: []grapnel.HeaderRule{
		{Delete: []string{"x-up"}, Set: map[string]string{"X-All": "$tyk_meta.user"}},
		{PathRule: path("^/x"), Set: map[string]string{"X-Path": "1"}},
	}})
	m := endpoint.ResponseHeaders(api)
	upstream := func(x *grapnel.Exchange) (*http.Response, error) {
		x.Request.URL.Path = "/elsewhere" // as the upstream stage does
		return served(x)
	}
	for target, want := range map[string]http.Header{
		"/app/x": {"X-All": {"ann"}, "X-Path": {"1"}},
		"/app/y": {"X-All": {"ann"}},
	} {
		x := exchange(api, "GET", target)
		x.Session = &grapnel.Session{Metadata: map[string]any{"user": "ann"}}
		res := answered(t, grapnel.Chain(upstream, endpoint.Version(api, new(events)), m), x, http.StatusOK)
		if diff := cmp.Diff(want, res.Header); diff != "" {
			t.Errorf("%s: %s", target, diff)
		}
	}
	failing := func(*grapnel.Exchange) (*http.Response, error) {
		return nil, &grapnel.Error{Status: 500, Message: "no"}
	}
	if e := refused(t, m(failing), exchange(api, "GET", "/app/x"), 500, "no"); e.Header != nil {
		t.Errorf("an error got %v", e.Header)
	}
}
