package upstream

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/grapnel-gateway/grapnel"
)

func parse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func apiOf(t *testing.T, targets ...string) *grapnel.API {
	t.Helper()
	api := &grapnel.API{ID: "a"}
	api.SetDefaults()
	api.ListenPath = "/t/"
	for _, s := range targets {
		u := &grapnel.URL{}
		if err := u.UnmarshalText([]byte(s)); err != nil {
			t.Fatal(err)
		}
		api.Targets = append(api.Targets, u)
	}
	return api
}

// stageOf is the stage behind Handler, to look at what it works out.
func stageOf(api *grapnel.API) *stage { return &stage{api: api} }

func exchange(t *testing.T, api *grapnel.API, method, target string) *grapnel.Exchange {
	t.Helper()
	return &grapnel.Exchange{ID: "id-1", API: api, Prefix: "/t/", Request: httptest.NewRequest(method, target, nil)}
}

func TestJoin(t *testing.T) { // 7.3
	for _, c := range []struct {
		name, target, request string
		keepSlash             bool
		want                  string
	}{
		{"no path", "http://h", "/t/x", false, "http://h/x"},
		{"slash", "http://h/", "/t/x", false, "http://h/x"},
		{"base", "http://h/base/path", "/t/x?a=1", false, "http://h/base/path/x?a=1"},
		{"base with slash", "http://h/base/", "/t/x", false, "http://h/base/x"},
		{"slash at the end stays", "http://h/base", "/t/x/", false, "http://h/base/x/"},
		{"nothing to join", "http://h/base/", "/t/", false, "http://h/base"},
		{"nothing to join, no path", "http://h/", "/t/", false, "http://h"},
		{"slash of the target is kept", "http://h/base/", "/t/", true, "http://h/base/"},
		{"no slash is added", "http://h/base", "/t/", true, "http://h/base"},
		{"keeping changes nothing else", "http://h/base/", "/t/x", true, "http://h/base/x"},
		{"query of the target", "http://h/b?k=v", "/t/x", false, "http://h/b/x?k=v"},
		{"both queries", "http://h/b?k=v", "/t/x?a=1&a=2", false, "http://h/b/x?k=v&a=1&a=2"},
		{"odd query", "http://h", "/t/x?a;b=%zz&&=", false, "http://h/x?a;b=%zz&&="},
		{"empty query", "http://h", "/t/x?", false, "http://h/x?"},
		{"encoded slash", "http://h/b", "/t/a%2Fb/c", false, "http://h/b/a%2Fb/c"},
		{"encoded as nobody does", "http://h/b", "/t/%61%2f", false, "http://h/b/%61%2f"},
		{"encoded in the target", "http://h/b%2Fc", "/t/x y", false, "http://h/b%2Fc/x%20y"},
		{"encoded in the prefix", "http://h", "/%74/a%2Fb", false, "http://h/a%2Fb"},
		{"two slashes", "http://h", "/t//x", false, "http://h/x"},
		{"slashes within", "http://h", "/t/a//b", false, "http://h/a//b"},
		{"not below the prefix", "http://h/b", "/other/x", false, "http://h/b/other/x"},
		{"dots", "http://h/b", "/t/../x", false, "http://h/b/../x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := join(parse(t, c.target), parse(t, c.request), "/t/", c.keepSlash)
			if got := u.String(); got != c.want {
				t.Errorf("join(%s, %s) = %s, want %s", c.target, c.request, got, c.want)
			}
		})
	}
}

func TestURL(t *testing.T) {
	version := func(s string) *grapnel.Version {
		return &grapnel.Version{Target: &grapnel.URL{URL: *parse(t, s)}}
	}
	for _, c := range []struct {
		name  string
		setup func(*grapnel.API, *grapnel.Exchange)
		want  string
	}{
		{"strip [7.3]", func(*grapnel.API, *grapnel.Exchange) {}, "http://h/base/x?q=1"},
		{"keep [7.3]", func(a *grapnel.API, _ *grapnel.Exchange) { a.StripListenPath = false }, "http://h/base/t/x?q=1"},
		{"host of a hook's URL is ignored [A-9]", func(_ *grapnel.API, x *grapnel.Exchange) {
			x.Request.URL = parse(t, "https://evil/t/y")
		}, "http://h/base/y"},
		{"a hook's path without the prefix [T-36]", func(_ *grapnel.API, x *grapnel.Exchange) {
			x.Request.URL = parse(t, "/other?q=2")
		}, "http://h/base/other?q=2"},
		{"version's target [P-25]", func(_ *grapnel.API, x *grapnel.Exchange) { x.Version = version("https://v2/up") }, "https://v2/up/x?q=1"},
		{"rewrite [A-10]", func(_ *grapnel.API, x *grapnel.Exchange) { x.Rewrite = parse(t, "/t/new?b=2") }, "http://h/base/new?b=2"},
		{"relative rewrite", func(_ *grapnel.API, x *grapnel.Exchange) { x.Rewrite = parse(t, "new") }, "http://h/base/new"},
		{"absolute rewrite [A-9]", func(_ *grapnel.API, x *grapnel.Exchange) { x.Rewrite = parse(t, "https://u:p@else:9/t/new?b=2#f") }, "https://else:9/t/new?b=2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			api := apiOf(t, "http://h/base")
			x := exchange(t, api, http.MethodGet, "/t/x?q=1")
			c.setup(api, x)
			u, err := stageOf(api).url(x)
			if err != nil {
				t.Fatal(err)
			}
			if got := u.String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestRoundRobin(t *testing.T) { // P-10; entries repeat for weight
	api := apiOf(t, "http://a", "http://b", "http://a")
	s := stageOf(api)
	var got string
	for range 6 {
		u, err := s.url(exchange(t, api, http.MethodGet, "/t/x"))
		if err != nil {
			t.Fatal(err)
		}
		got += u.Host
	}
	if got != "abaaba" {
		t.Errorf("hosts in turn: %s, want abaaba", got)
	}
}

func TestHandlerRefusesTargets(t *testing.T) {
	for name, api := range map[string]*grapnel.API{
		"none":            apiOf(t),
		"unknown scheme":  apiOf(t, "http://h", "ftp://h"),
		"unknown version": {Upstream: apiOf(t, "http://h").Upstream, Versioning: &grapnel.Versioning{Versions: map[string]*grapnel.Version{"1": {Target: &grapnel.URL{URL: *parse(t, "gopher://h")}}}}},
	} {
		if _, err := Handler(api, grapnel.Server{}, NewTransports(slog.New(slog.DiscardHandler))); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestLoopTargetHere(t *testing.T) { // P-10: only a loop may serve it
	api := apiOf(t, "tyk://other")
	h, err := Handler(api, grapnel.Server{}, NewTransports(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = h(exchange(t, api, http.MethodGet, "/t/x"))
	if e := grapnel.AsError(err); e.Status != 500 || e.Message != "Couldn't detect target" {
		t.Errorf("got %v", err)
	}
}
