package coprocess

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

var bothModes = []grapnel.Compat{grapnel.CompatTyk, grapnel.CompatNative}

// T-2, T-3, T-30…T-32, T-44 [A-4…A-6]: headers.
func TestChangeHeaders(t *testing.T) {
	tests := []struct {
		name   string
		remove []string
		set    map[string]string
		want   map[string][]string
	}{
		{"T-2 echo", nil, nil, map[string][]string{"X-Foo": {"1", "2"}, "X-Del": {"d"}}},
		{"T-3 set replaces all values", nil, map[string]string{"X-Foo": "9"}, map[string][]string{"X-Foo": {"9"}, "X-Del": {"d"}}},
		{"T-30 set, name canonicalised", nil, map[string]string{"testheader": "v"}, map[string][]string{"X-Foo": {"1", "2"}, "X-Del": {"d"}, "Testheader": {"v"}}},
		{"T-31 delete, all values", []string{"x-foo", "X-Del"}, nil, map[string][]string{}},
		{"T-32 deleted and set is set", []string{"X-Del"}, map[string]string{"X-Del": "2"}, map[string][]string{"X-Foo": {"1", "2"}, "X-Del": {"2"}}},
		{"T-44 Host", []string{"Host"}, map[string]string{"host": "evil"}, map[string][]string{"X-Foo": {"1", "2"}, "X-Del": {"d"}}},
		{"delete of framing is harmless", []string{"Content-Length"}, nil, map[string][]string{"X-Foo": {"1", "2"}, "X-Del": {"d"}}},
	}
	p := start(t)
	for _, compat := range bothModes {
		b := bind(t, p.client(t, compat), testAPI(), grapnel.Pre)
		for _, test := range tests {
			t.Run(string(compat)+"/"+test.name, func(t *testing.T) {
				p.edits(func(o *wire.Object) { o.Request.DeleteHeaders, o.Request.SetHeaders = test.remove, test.set })
				x := exchange(t, "GET /t/a", "", "X-Foo: 1", "X-Foo: 2", "X-Del: d")
				pass(t, b, x)
				if diff := cmp.Diff(test.want, map[string][]string(x.Request.Header)); diff != "" {
					t.Error(diff)
				}
				if x.Request.Host != "gateway.test" {
					t.Errorf("Host became %q", x.Request.Host)
				}
			})
		}
	}
}

// T-43: names as the plugin wrote them, but for the host and the
// connection, which would escape notice.
func TestVerbatimHeaders(t *testing.T) {
	p := start(t)
	c := dial(t, grapnel.PluginServer{Target: p.address, VerbatimHeaders: true})
	p.edits(func(o *wire.Object) {
		o.Request.SetHeaders = map[string]string{"x-lower": "1", "x-foo": "2", "host": "evil", "connection": "x-secret"}
	})
	x := exchange(t, "GET /t/a", "", "X-Foo: 1")
	pass(t, bind(t, c, testAPI(), grapnel.Pre), x)
	want := map[string][]string{"X-Foo": {"1"}, "x-foo": {"2"}, "x-lower": {"1"}, "Connection": {"x-secret"}}
	if diff := cmp.Diff(want, map[string][]string(x.Request.Header)); diff != "" {
		t.Error(diff)
	}
}

// T-33…T-37, A-7…A-11, L-4, L-23: parameters and URL. Where the modes differ,
// native is what goes upstream natively.
func TestChangeURL(t *testing.T) {
	tests := []struct {
		name, from  string
		url         string // returned; empty is an echo
		remove      []string
		add         map[string]string
		tyk, native string
	}{
		{"T-33 add", "/t/a", "", nil, map[string]string{"customparam": "customvalue"}, "/t/a?customparam=customvalue", ""},
		{"add sorts or appends", "/t/a?b=2&a=1", "", nil, map[string]string{"p": "1"}, "/t/a?a=1&b=2&p=1", "/t/a?b=2&a=1&p=1"},
		{"T-34 delete", "/t/a?remove=1&keep=2&remove=3", "", []string{"remove"}, nil, "/t/a?keep=2", ""},
		{"T-35 set replaces all", "/t/a?x=1&x=2", "", nil, map[string]string{"x": "9"}, "/t/a?x=9", ""},
		{"L-4 untouched pairs keep their bytes", "/t/a?z=%7e&m=1&m=2&q", "", nil, map[string]string{"x": "9"}, "/t/a?m=1&m=2&q=&x=9&z=~", "/t/a?z=%7e&m=1&m=2&q&x=9"},
		{"no effect keeps the bytes", "/t/a?z=%7e&a", "", []string{"no"}, map[string]string{"z": "~"}, "/t/a?z=%7e&a", ""},
		{"T-36 path keeps query", "/t/a?q=1", "/t/other", nil, nil, "/t/other?q=1", ""},
		{"T-37 query in url", "/t/a?q=1", "/t/other?z=1", nil, nil, "/t/other?q=1", "/t/other?z=1"},
		{"empty query in url", "/t/a?q=1", "/t/other?", nil, nil, "/t/other?q=1", "/t/other?"},
		{"equal query in url keeps its bytes", "/t/a?b=1&a=2", "/t/other?a=2&b=1", nil, nil, "/t/other?a=2&b=1", ""},
		{"url and parameter", "/t/a?a=1", "/t/q", nil, map[string]string{"a": "5"}, "/t/q?a=5", ""},
		{"query in url and parameter", "/t/a?a=1", "/t/q?b=2", nil, map[string]string{"c": "5"}, "/t/q?a=1&c=5", "/t/q?b=2&c=5"},
		{"absolute", "/t/a?a=1", "http://h.test/p", nil, nil, "http://h.test/p?a=1", ""},
		{"A-12 loop", "/t/a", "tyk://other-api/newpath", nil, nil, "tyk://other-api/newpath", ""},
		{"two slashes are a path", "/t/a", "//evil.test/x", nil, nil, "//evil.test/x", ""},
	}
	p := start(t)
	for _, compat := range bothModes {
		b := bind(t, p.client(t, compat), testAPI(), grapnel.Pre)
		for _, test := range tests {
			t.Run(string(compat)+"/"+test.name, func(t *testing.T) {
				p.edits(func(o *wire.Object) {
					o.Request.DeleteParams, o.Request.AddParams = test.remove, test.add
					if test.url != "" {
						o.Request.Url = test.url
					}
				})
				x := exchange(t, "GET "+test.from, "")
				pass(t, b, x)
				want := test.tyk
				if compat == grapnel.CompatNative && test.native != "" {
					want = test.native
				}
				if got := x.Request.URL.String(); got != want || x.Rewrite != nil {
					t.Errorf("URL %q, rewrite %v; want %q", got, x.Rewrite, want)
				}
			})
		}
	}
}

// A-10, A-11c, A-13, L-23: with a rewrite and a method transform pending, they
// are what changes.
func TestChangePending(t *testing.T) {
	tests := []struct {
		name         string
		compat       grapnel.Compat
		edit         func(*wire.MiniRequestObject)
		url, rewrite string
		method       string
	}{
		{"echo", grapnel.CompatTyk, func(*wire.MiniRequestObject) {}, "/t/a?q=1", "http://r.test/b?z=%7e", "PUT"},
		{"echo native", grapnel.CompatNative, func(*wire.MiniRequestObject) {}, "/t/a?q=1", "http://r.test/b?z=%7e", "PUT"},
		{"url", grapnel.CompatTyk, func(r *wire.MiniRequestObject) { r.Url = "tyk://x/c" }, "/t/a?q=1", "tyk://x/c", "PUT"},
		{"url native", grapnel.CompatNative, func(r *wire.MiniRequestObject) { r.Url = "/c?n=1" }, "/t/a?q=1", "/c?n=1", "PUT"},
		{"path native", grapnel.CompatNative, func(r *wire.MiniRequestObject) { r.Url = "/c" }, "/t/a?q=1", "/c?z=%7e", "PUT"},
		{"parameter", grapnel.CompatTyk, func(r *wire.MiniRequestObject) { r.AddParams = map[string]string{"p": "1"} }, "/t/a?p=1&q=1", "http://r.test/b?z=%7e", "PUT"},
		{"parameter native", grapnel.CompatNative, func(r *wire.MiniRequestObject) { r.AddParams = map[string]string{"p": "1"} }, "/t/a?q=1", "http://r.test/b?z=%7e&p=1", "PUT"},
		{"method", grapnel.CompatTyk, func(r *wire.MiniRequestObject) { r.Method = "DELETE" }, "/t/a?q=1", "http://r.test/b?z=%7e", "DELETE"},
	}
	p := start(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p.edits(func(o *wire.Object) { test.edit(o.Request) })
			x := exchange(t, "GET /t/a?q=1", "")
			x.RewriteMethod = "PUT"
			x.Rewrite, _ = url.Parse("http://r.test/b?z=%7e")
			pass(t, bind(t, p.client(t, test.compat), testAPI(), grapnel.Post), x)
			if x.Request.URL.String() != test.url || x.Rewrite.String() != test.rewrite {
				t.Errorf("URL %q, rewrite %q; want %q, %q", x.Request.URL, x.Rewrite, test.url, test.rewrite)
			}
			if x.Request.Method != "GET" || x.RewriteMethod != test.method {
				t.Errorf("method %q, pending %q", x.Request.Method, x.RewriteMethod)
			}
		})
	}
}

// T-39: the method.
func TestChangeMethod(t *testing.T) {
	p := start(t)
	b := bind(t, p.client(t, grapnel.CompatTyk), testAPI(), grapnel.Pre)
	for returned, want := range map[string]string{"DELETE": "DELETE", "POST": "POST", "x-own": "x-own", "": "GET"} {
		p.edits(func(o *wire.Object) { o.Request.Method = returned })
		x := exchange(t, "POST /t/a", "")
		pass(t, b, x)
		if x.Request.Method != want {
			t.Errorf("returned %q: method %q, want %q", returned, x.Request.Method, want)
		}
	}
}

// T-40…T-42 [A-2, A-3, L-19, L-24]: the body.
func TestChangeBody(t *testing.T) {
	tests := []struct {
		name, from  string
		raw, body   string // returned
		tyk, native string
	}{
		{"T-40 raw_body", "old", "new", "old", "new", "new"},
		{"T-41 body only", "old", "old", "new", "old", "new"},
		{"T-42 raw_body emptied", "old", "", "old", "", "old"},
		{"raw_body emptied, body edited", "old", "", "new", "", "new"},
		{"both edited", "old", "raw", "text", "raw", "raw"},
		{"both emptied", "old", "", "", "", ""},
		{"body emptied only", "old", "old", "", "old", "old"},
		{"binary", "\xff\xfe", "\xff\x00", "", "\xff\x00", "\xff\x00"},
		{"from nothing", "", "", "new", "", "new"},
	}
	p := start(t)
	for _, compat := range bothModes {
		b := bind(t, p.client(t, compat), testAPI(), grapnel.Pre)
		for _, test := range tests {
			t.Run(string(compat)+"/"+test.name, func(t *testing.T) {
				p.edits(func(o *wire.Object) { o.Request.RawBody, o.Request.Body = []byte(test.raw), test.body })
				x := exchange(t, "POST /t/a", test.from, "Content-Length: 3")
				pass(t, b, x)
				want := test.tyk
				if compat == grapnel.CompatNative {
					want = test.native
				}
				if got := bodyOf(t, x); got != want || x.Request.ContentLength != int64(len(want)) {
					t.Errorf("body %q, length %d; want %q", got, x.Request.ContentLength, want)
				}
			})
		}
	}
}

// set, code, moved and overridden are edits of a request that are faulty or not.
func set(name, value string) func(*wire.Object) {
	return func(o *wire.Object) { o.Request.SetHeaders = map[string]string{"X-Good": "1", name: value} }
}

func code(n int32) func(*wire.Object) {
	return func(o *wire.Object) { o.Request.ReturnOverrides.ResponseCode = n }
}

func moved(url string) func(*wire.Object) {
	return func(o *wire.Object) { o.Request.Url = url }
}

func overridden(name, value string) func(*wire.Object) {
	return func(o *wire.Object) {
		o.Request.ReturnOverrides = &wire.ReturnOverrides{ResponseCode: 200, Headers: map[string]string{name: value}}
	}
}

// T-38, T-58…T-60, L-7, L-11, L-12: answers that are faulty, and the field that
// the error names. The exchange stays as it was.
func TestFaultyAnswer(t *testing.T) {
	tests := []struct {
		name string
		edit func(*wire.Object)
		want string
	}{
		{"line break", set("X-A", "1\r\nEvil: 2"), `set_headers["X-A"]: value has a line break`},
		{"NUL", set("X-A", "1\x00"), `set_headers["X-A"]: value has a NUL byte`},
		{"control", set("X-A", "1\x1b"), `set_headers["X-A"]: value has a control character`},
		{"colon in name", set("X-A: 1", "1"), `set_headers["X-A: 1"]: not a header name`},
		{"line break in name", set("X\nA", "1"), `set_headers["X\nA"]: not a header name`},
		{"empty name", set("", "1"), `set_headers[""]: not a header name`},
		{"length", set("content-length", "5"), `set_headers["content-length"]: the gateway frames`},
		{"transfer coding", set("Transfer-Encoding", "chunked"), `set_headers["Transfer-Encoding"]: the gateway frames`},
		{"delete", func(o *wire.Object) { o.Request.DeleteHeaders = []string{"A", "b:c"} }, `delete_headers: "b:c"`},
		{"T-38 empty url", moved(""), `url: ""`},
		{"T-38 relative url", moved("foo/bar"), `url: "foo/bar"`},
		{"bad url", moved("/a%zz"), `url: "/a%zz"`},
		{"url with line break", moved("/a\r\nX: y"), `url: "/a\r\nX: y"`},
		{"opaque url", moved("mailto:x@y"), `url: "mailto:x@y"`},
		{"asterisk", moved("*"), `url: "*"`},
		{"method", func(o *wire.Object) { o.Request.Method = "GET /x" }, `method: "GET /x"`},
		{"T-58 code 50", code(50), "return_overrides.response_code: 50"},
		{"T-58 code 1000", code(1000), "return_overrides.response_code: 1000"},
		{"code 101", code(101), "return_overrides.response_code: 101"},
		{"code 600", code(600), "return_overrides.response_code: 600"},
		{"override header", overridden("X-A", "1\n2"), `return_overrides.headers["X-A"]: value has a line break`},
		{"override length", overridden("Content-Length", "7"), `return_overrides.headers["Content-Length"]`},
	}
	p := start(t)
	for _, compat := range bothModes {
		b := bind(t, p.client(t, compat), testAPI(), grapnel.Pre)
		for _, test := range tests {
			t.Run(string(compat)+"/"+test.name, func(t *testing.T) {
				p.edits(func(o *wire.Object) {
					o.Request.RawBody, o.Request.AddParams = []byte("changed"), map[string]string{"p": "1"}
					test.edit(o)
				})
				x := exchange(t, "POST /t/a?q=1", "body", "X-Foo: 1")
				before := snapshot(t, x)
				resp, err := b.Request(within(t), x)
				wantFault(t, resp, err, test.want)
				if diff := cmp.Diff(before, snapshot(t, x)); diff != "" {
					t.Error("the exchange has changed:", diff)
				}
			})
		}
	}
}

// T-59, T-60 [L-12]: what is missing changes nothing.
func TestMissingParts(t *testing.T) {
	p := start(t)
	for _, compat := range bothModes {
		b := bind(t, p.client(t, compat), testAPI(), grapnel.Pre)
		for name, edit := range map[string]func(*wire.Object){
			"T-59 no request":          func(o *wire.Object) { o.Reset() },
			"T-60 no return_overrides": func(o *wire.Object) { o.Request.ReturnOverrides = nil },
		} {
			p.edits(edit)
			x := exchange(t, "POST /t/a?q=1", "body", "X-Foo: 1", "X-Foo: 2")
			before := snapshot(t, x)
			pass(t, b, x)
			if diff := cmp.Diff(before, snapshot(t, x)); diff != "" {
				t.Errorf("%s, %s: %s", compat, name, diff)
			}
		}
	}
}

// A faulty name is told, but not at any length.
func TestFaultIsShort(t *testing.T) {
	err := checkHeaders("set_headers", map[string]string{strings.Repeat("\n", 1<<20): ""})
	if err == nil || len(err.Error()) > 300 {
		t.Errorf("error of %d bytes", len(err.Error()))
	}
}
