package condition_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/condition"
)

func exchange(method, target string, headers ...string) *grapnel.Exchange {
	r := httptest.NewRequest(method, target, nil)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return &grapnel.Exchange{
		Request: r, Prefix: "/shop/", Client: netip.MustParseAddr("192.0.2.7"),
		API: &grapnel.API{ID: "shop", Name: "Shop", OrgID: "acme"},
	}
}

func hook(stage grapnel.Stage, c grapnel.Condition) grapnel.Hook {
	return grapnel.Hook{Name: "h", Stage: stage, Condition: c}
}

func made(t testing.TB, stage grapnel.Stage, from grapnel.Condition) *condition.Condition {
	t.Helper()
	c, err := condition.New(&grapnel.API{ID: "shop"}, hook(stage, from))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A hook without a condition is always called.
func TestNone(t *testing.T) {
	c := made(t, grapnel.Pre, grapnel.Condition{})
	if c != nil || !c.Holds(exchange("GET", "/shop/"), nil) || !c.May(exchange("GET", "/shop/")) {
		t.Errorf("%v", c)
	}
}

func TestMethods(t *testing.T) {
	c := made(t, grapnel.Pre, grapnel.Condition{Methods: []string{"POST", "PUT"}})
	for method, want := range map[string]bool{"POST": true, "PUT": true, "GET": false, "HEAD": false} {
		if got := c.Holds(exchange(method, "/shop/"), nil); got != want {
			t.Errorf("%s: %v", method, got)
		}
	}
}

// Patterns see the path after the listen path, and slashes in a row as one.
func TestPaths(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"/a", "/shop/a", true},
		{"/a", "/shop//a", true},
		{"/a", "/shop/a/", false},
		{"/a", "/shop/ab", false},
		{"/a", "/shop/x/a", false},
		{"/a*", "/shop/ab", true},
		{"/a*", "/shop/ab/c", false},
		{"/*/b", "/shop/a/b", true},
		{"/*/b", "/shop/b", false},
		{"/**", "/shop/", true},
		{"/**", "/shop/a/b/c", true},
		{"/a/**", "/shop/a", true},
		{"/a/**", "/shop/a/b//c", true},
		{"/a/**", "/shop/ab", false},
		{"/a/**/z", "/shop/a/z", true},
		{"/a/**/z", "/shop/a/b/c/z", true},
		{"/a/**/z", "/shop/a/b/cz", false},
		{"/a.b", "/shop/axb", false},
		{"/(a|b)", "/shop/a", false},
	} {
		if got := made(t, grapnel.Pre, grapnel.Condition{Paths: []string{"/never", c.pattern}}).Holds(exchange("GET", c.path), nil); got != c.want {
			t.Errorf("%s, %s: %v", c.pattern, c.path, got)
		}
	}
}

// A sample is a share of the callers; it is the same ones each time, and others
// for other hooks.
func TestSample(t *testing.T) {
	share := grapnel.Percent(20)
	first := made(t, grapnel.Pre, grapnel.Condition{Sample: &share})
	second := made(t, grapnel.Post, grapnel.Condition{Sample: &share})
	const callers = 10_000
	in, both := 0, 0
	for i := range callers {
		x := exchange("GET", "/shop/")
		x.Client = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		if i%2 == 0 {
			x.Session = &grapnel.Session{KeyID: fmt.Sprint("key", i)}
		}
		got := first.Holds(x, nil)
		if again := first.Holds(x, nil); again != got {
			t.Fatalf("caller %d: %v, then %v", i, got, again)
		}
		if got {
			in++
			if second.Holds(x, nil) {
				both++
			}
		}
	}
	if in < callers*17/100 || in > callers*23/100 {
		t.Errorf("%d of %d are in a sample of 20%%", in, callers)
	}
	if both < callers*2/100 || both > callers*6/100 {
		t.Errorf("%d of %d are in both samples, independent ones have 4%%", both, callers)
	}
	for p, want := range map[grapnel.Percent]bool{0: false, 100: true} {
		if got := made(t, grapnel.Pre, grapnel.Condition{Sample: &p}).Holds(exchange("GET", "/shop/"), nil); got != want {
			t.Errorf("%v%%: %v", p, got)
		}
	}
}

// Expressions see the path with slashes in a row as one, so that nobody gets past
// them with two.
func TestWhen(t *testing.T) {
	x := exchange("POST", "/shop//a/b?q=1&q=2&Q=3", "X-Tenant: beta", "X-Tenant: other", "Accept: text/html")
	x.Request.Host, x.Request.ContentLength = "shop.example", 7
	x.Session = &grapnel.Session{
		KeyID: "k", Alias: "me", OrgID: "acme", ApplyPolicies: []string{"gold"}, Tags: []string{"t"},
		Metadata: map[string]any{"plan": "pro", "level": 3.0, "deep": map[string]any{"a": []any{"b"}}},
	}
	reply := &http.Response{StatusCode: 404, Header: http.Header{"X-Up": {"1"}}}
	for when, want := range map[string]bool{
		`request.method == "POST" && request.path == "/shop/a/b" && request.host == "shop.example" && request.size == 7`: true,
		`request.headers["x-tenant"] == "beta"`:                                        true,
		`"X-Tenant" in request.headers`:                                                false,
		`request.headers[?"x-none"].orValue("none") == "none"`:                         true,
		`request.headers.exists(name, name.startsWith("x-"))`:                          true,
		`request.query["q"] == "1" && request.query["Q"] == "3"`:                       true,
		`request.query["q"] == "2"`:                                                    false,
		`client.address == "192.0.2.7"`:                                                true,
		`api.id == "shop" && api.name == "Shop" && api.org == "acme"`:                  true,
		`session.key == "k" && session.alias == "me" && session.org == "acme"`:         true,
		`session.metadata.plan == "pro" && session.metadata["level"] > 2`:              true,
		`session.metadata.deep.a[0] == "b"`:                                            true,
		`"gold" in session.policies && "t" in session.tags`:                            true,
		`"silver" in session.policies`:                                                 false,
		`response.status >= 400 && response.headers["x-up"] == "1"`:                    true,
		`response.status == 200`:                                                       false,
		`request.headers["x-none"] == "a"`:                                             true, // it fails
		`1 / (request.size - 7) == 0`:                                                  true, // and so does this
		`request.path.matches("^/shop/[a-z]/[a-z]$") && !request.path.endsWith(".js")`: true,
	} {
		if got := made(t, grapnel.Response, grapnel.Condition{When: when}).Holds(x, reply); got != want {
			t.Errorf("%s: %v", when, got)
		}
	}
	x.Session = nil
	nobody := made(t, grapnel.Pre, grapnel.Condition{When: `session.key == "" && session.alias == "" && size(session.metadata) == 0 && size(session.policies) == 0`})
	if !nobody.Holds(x, nil) {
		t.Error("nobody is somebody")
	}
}

// What was declared harmless at load is stopped when it is not: it counts as true.
func TestCostLimitAtRun(t *testing.T) {
	c := made(t, grapnel.Pre, grapnel.Condition{When: `request.headers.exists(a, request.headers[a].contains("needle"))`})
	x := exchange("GET", "/shop/")
	if c.Holds(x, nil) {
		t.Fatal("there is no needle")
	}
	for i := range 3000 {
		x.Request.Header.Set(fmt.Sprint("X-", i), strings.Repeat("hay", 1000))
	}
	if !c.Holds(x, nil) {
		t.Error("an expression that takes too long did not have the hook called")
	}
}

// Everything that can be wrong is told at load, with the key.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		from    grapnel.Condition
		key     string
		message string
	}{
		{grapnel.Condition{When: "request.pth == 1"}, "when", "undeclared reference"},
		{grapnel.Condition{When: "request.method == 1"}, "when", "column 16: found no matching overload"},
		{grapnel.Condition{When: "request.method"}, "when", "gives string, not true or false"},
		{grapnel.Condition{When: "session.metadata.beta"}, "when", "gives dyn, not true or false"},
		{grapnel.Condition{When: "response.status == 200"}, "when", "undeclared reference"},
		{grapnel.Condition{When: "a ="}, "when", "Syntax error"},
		{grapnel.Condition{When: `request.headers.all(a, request.headers.all(b, request.headers.all(c, request.headers[c].contains("x"))))`}, "when", "may cost"},
		{grapnel.Condition{When: strings.Repeat("true && ", 1000) + "true"}, "when", "size"},
		{grapnel.Condition{Methods: []string{"GET", "post"}}, "methods[1]", `"post" is not a method`},
		{grapnel.Condition{Paths: []string{"a"}}, "paths[0]", "does not begin with a slash"},
		{grapnel.Condition{Paths: []string{"/", "/a**"}}, "paths[1]", "whole segments"},
	} {
		_, err := condition.New(&grapnel.API{}, hook(grapnel.Pre, c.from))
		fault, ok := errors.AsType[*condition.Error](err)
		if !ok || fault.Key != c.key || !strings.Contains(err.Error(), c.message) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v", c.from, err)
		}
	}
}

func BenchmarkHolds(b *testing.B) {
	x := exchange("POST", "/shop/a/b", "X-Tenant: beta", "Accept: */*", "User-Agent: bench", "Authorization: key")
	for name, from := range map[string]grapnel.Condition{
		"methods": {Methods: []string{"POST"}},
		"paths":   {Paths: []string{"/a/**"}},
		"method":  {When: `request.method == "POST"`},
		"header":  {When: `request.headers[?"x-tenant"].orValue("") == "beta"`},
	} {
		c := made(b, grapnel.Pre, from)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Holds(x, nil)
			}
		})
	}
}
