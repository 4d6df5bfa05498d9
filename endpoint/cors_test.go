package endpoint_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/endpoint"
)

func corsAPI() *grapnel.API {
	return &grapnel.API{CORS: &grapnel.CORS{
		AllowedOrigins: []string{"https://page.test"}, AllowedMethods: []string{"GET", "PUT"},
		AllowedHeaders: []string{"X-Token"}, ExposedHeaders: []string{"x-seen"}, AllowCredentials: true, MaxAge: 60,
	}}
}

// unreached is a handler that must not run.
func unreached(t *testing.T) grapnel.Handler {
	return func(*grapnel.Exchange) (*http.Response, error) {
		t.Error("the request went on")
		return served(nil)
	}
}

// M-4, T-175, 7.2: every OPTIONS is answered, preflight or not.
func TestCORSAnswersOptions(t *testing.T) {
	preflight := http.Header{
		"Origin": {"https://page.test"}, "Access-Control-Request-Method": {"PUT"}, "Access-Control-Request-Headers": {"x-token"},
	}
	const varies = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
	for name, c := range map[string]struct{ request, want http.Header }{
		"preflight": {preflight, http.Header{
			"Access-Control-Allow-Origin": {"https://page.test"}, "Access-Control-Allow-Methods": {"PUT"},
			"Access-Control-Allow-Headers": {"x-token"}, "Access-Control-Allow-Credentials": {"true"},
			"Access-Control-Max-Age": {"60"}, "Vary": {varies},
		}},
		"other origin": {http.Header{"Origin": {"https://evil.test"}, "Access-Control-Request-Method": {"PUT"}}, http.Header{"Vary": {varies}}},
		"no preflight": {http.Header{}, http.Header{"Vary": {"Origin"}}},
	} {
		api := corsAPI()
		x := exchange(api, "OPTIONS", "/app/x")
		x.Request.Header = c.request
		res := answered(t, endpoint.CORS(api, unreached(t))(unreached(t)), x, http.StatusNoContent)
		if diff := cmp.Diff(c.want, res.Header); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// M-3, T-176: with passthrough, OPTIONS goes upstream past everything, and the
// upstream's answer stays as it is.
func TestCORSPassthrough(t *testing.T) {
	api := corsAPI()
	api.CORS.Passthrough = true
	x := exchange(api, "OPTIONS", "/app/x")
	x.Request.Header = http.Header{"Origin": {"https://page.test"}, "Access-Control-Request-Method": {"PUT"}}
	res := answered(t, endpoint.CORS(api, served)(unreached(t)), x, http.StatusOK)
	if diff := cmp.Diff(http.Header{"X-Up": {"1"}}, res.Header); diff != "" {
		t.Error(diff)
	}
	answered(t, endpoint.CORS(api, unreached(t))(served), exchange(api, "GET", "/app/x"), http.StatusOK)
}

// 7.2: replies and failures bear the CORS headers; the upstream's give way, and
// what hooks do to the request changes nothing.
func TestCORSOnReplies(t *testing.T) {
	api := corsAPI()
	want := http.Header{
		"Access-Control-Allow-Origin": {"https://page.test"}, "Access-Control-Expose-Headers": {"X-Seen"},
		"Access-Control-Allow-Credentials": {"true"}, "Vary": {"Origin"},
	}
	upstream := func(x *grapnel.Exchange) (*http.Response, error) {
		x.Request.Header.Del("Origin")
		return grapnel.Reply(200, http.Header{"Access-Control-Allow-Origin": {"*"}, "Vary": {"Accept"}}, nil), nil
	}
	x := exchange(api, "GET", "/app/x")
	x.Request.Header.Set("Origin", "https://page.test")
	got := answered(t, endpoint.CORS(api, served)(upstream), x, http.StatusOK).Header
	if diff := cmp.Diff([]string{"Accept", "Origin"}, got["Vary"]); diff != "" {
		t.Error(diff)
	}
	got["Vary"] = []string{"Origin"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	shared := &grapnel.Error{Status: http.StatusForbidden, Message: "no", Header: http.Header{"X-Kept": {"1"}}}
	failing := func(*grapnel.Exchange) (*http.Response, error) { return nil, shared }
	x = exchange(api, "GET", "/app/x")
	x.Request.Header.Set("Origin", "https://page.test")
	e := refused(t, endpoint.CORS(api, served)(failing), x, http.StatusForbidden, "no")
	want["X-Kept"] = []string{"1"}
	if diff := cmp.Diff(want, e.Header); diff != "" {
		t.Error(diff)
	}
	if len(shared.Header) != 1 {
		t.Errorf("an error that exchanges share was changed: %v", shared.Header)
	}
}
