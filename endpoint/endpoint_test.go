package endpoint_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/endpoint"
)

// events records what was fired.
type events []string

func (e *events) Fire(_ *grapnel.Exchange, t grapnel.EventType, text string) {
	*e = append(*e, string(t)+": "+text)
}

// served ends the chain: it answers 200, as an upstream would.
func served(*grapnel.Exchange) (*http.Response, error) {
	return grapnel.Reply(http.StatusOK, http.Header{"X-Up": {"1"}}, []byte("up")), nil
}

// exchange is a request to an API that listens on /app/.
func exchange(api *grapnel.API, method, target string) *grapnel.Exchange {
	return &grapnel.Exchange{ID: "id-1", API: api, Prefix: "/app", Request: httptest.NewRequest(method, target, nil)}
}

// oneVersion is an unversioned API with these rules.
func oneVersion(v *grapnel.Version) *grapnel.API {
	return &grapnel.API{ID: "a", Versioning: &grapnel.Versioning{Versions: map[string]*grapnel.Version{"Default": v}}}
}

func path(expression string) grapnel.PathRule {
	return grapnel.PathRule{Path: regexp.MustCompile(expression)}
}

// with chains a middleware behind the choice of the version.
func with(api *grapnel.API, m ...grapnel.Middleware) grapnel.Handler {
	return grapnel.Chain(served, append([]grapnel.Middleware{endpoint.Version(api, new(events))}, m...)...)
}

// refused checks that the handler refuses, with this status and message.
func refused(t *testing.T, h grapnel.Handler, x *grapnel.Exchange, status int, message string) *grapnel.Error {
	t.Helper()
	res, err := h(x)
	e, ok := errors.AsType[*grapnel.Error](err)
	if !ok || res != nil {
		t.Fatalf("got %v, %v; want a refusal", res, err)
	}
	if e.Status != status || e.Message != message {
		t.Errorf("got %d %q, want %d %q", e.Status, e.Message, status, message)
	}
	return e
}

// answered checks that the handler answers, with this status.
func answered(t *testing.T, h grapnel.Handler, x *grapnel.Exchange, status int) *http.Response {
	t.Helper()
	res, err := h(x)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != status {
		t.Errorf("got %d, want %d", res.StatusCode, status)
	}
	return res
}

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What an API does not need is not there, and costs nothing.
func TestUnneededIsNil(t *testing.T) {
	for name, api := range map[string]*grapnel.API{"no rules": {}, "empty version": oneVersion(&grapnel.Version{})} {
		got := map[string]grapnel.Middleware{
			"Lists": endpoint.Lists(api, new(events)), "Replies": endpoint.Replies(api),
			"RequestHeaders": endpoint.RequestHeaders(api), "ResponseHeaders": endpoint.ResponseHeaders(api),
			"Rewrite": endpoint.Rewrite(api), "Method": endpoint.Method(api), "CORS": endpoint.CORS(api, served),
		}
		for constructor, m := range got {
			if m != nil {
				t.Errorf("%s: %s is not nil", name, constructor)
			}
		}
	}
	if endpoint.Version(&grapnel.API{}, new(events)) != nil {
		t.Error("an API without versioning has a version check [P-22]")
	}
}

// A request that no rule selects allocates nothing. The method decides here: the
// pools of package regexp lose things on purpose under the race detector.
func TestUnselectedAllocatesNothing(t *testing.T) {
	other := grapnel.PathRule{Path: path("^/x$").Path, Method: "PATCH"}
	api := oneVersion(&grapnel.Version{
		Ignored: []grapnel.PathRule{other}, Blocked: []grapnel.PathRule{other},
		Replies:         []grapnel.ReplyRule{{PathRule: other, Status: 200}},
		RequestHeaders:  []grapnel.HeaderRule{{PathRule: other, Set: map[string]string{"A": "1"}}},
		ResponseHeaders: []grapnel.HeaderRule{{PathRule: other, Set: map[string]string{"A": "1"}}},
		Rewrites:        []grapnel.RewriteRule{{PathRule: other, Match: regexp.MustCompile("x"), To: "y"}},
		Methods:         []grapnel.MethodRule{{PathRule: other, To: "PUT"}},
	})
	reply := grapnel.Reply(http.StatusOK, nil, nil)
	h := grapnel.Chain(func(*grapnel.Exchange) (*http.Response, error) { return reply, nil },
		endpoint.Version(api, new(events)), endpoint.Lists(api, new(events)), endpoint.Replies(api),
		endpoint.RequestHeaders(api), endpoint.Rewrite(api), endpoint.Method(api), endpoint.ResponseHeaders(api))
	x := exchange(api, "GET", "/app/x")
	if n := testing.AllocsPerRun(100, func() {
		if _, err := h(x); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
