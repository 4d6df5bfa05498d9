package coprocess

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

func valued(key string, values ...string) *wire.Header {
	return &wire.Header{Key: key, Values: values}
}

func param(name string, values ...string) *wire.Param { return &wire.Param{Name: name, Values: values} }

// A request without anything that the old fields lose looks as it always did, and
// so does every request where the original is reproduced [L-4, L-17].
func TestSeveralSent(t *testing.T) {
	p := start(t)
	for _, compat := range bothModes {
		b := bind(t, p.client(t, compat), testAPI(), grapnel.Pre)
		pass(t, b, exchange(t, "GET /t/a?a=1&b=2&%zz&;&", "", "X-A: 1", "X-B: 2"))
		if unknown := added(p.object()); len(unknown) > 0 {
			t.Errorf("%s: a plain request has %v", compat, unknown)
		}
		x := exchange(t, "GET /t/a?b=2&%61=1&a=&b=3&c=9&%zz&a", "", "X-A: 1", "X-A: 2", "X-B: 2")
		x.Request.Trailer = header("X-Sum", "1", "X-Sum", "2")
		pass(t, b, x)
		got := p.object().Request
		if compat == grapnel.CompatTyk {
			if unknown := added(p.object()); len(unknown) > 0 {
				t.Errorf("the original has no %v", unknown)
			}
			continue
		}
		want := []*wire.Param{param("b", "2", "3"), param("a", "1", "", "")}
		if diff := cmp.Diff(want, got.MultivalueParams, protoEqual()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]*wire.Header{valued("X-A", "1", "2")}, got.MultivalueHeaders, protoEqual()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]*wire.Header{valued("X-Sum", "1", "2")}, got.Trailers, protoEqual()); diff != "" {
			t.Error(diff)
		}
	}
}

// What the new fields do, alone and beside the old ones, which win [L-4, L-17].
func TestSeveralHeaders(t *testing.T) {
	type edit = func(*wire.MiniRequestObject)
	tests := map[string]struct {
		edit edit
		want []string // the values of X-A
	}{
		"set": {func(o *wire.MiniRequestObject) { o.MultivalueHeaders = []*wire.Header{valued("x-a", "3", "4")} }, []string{"3", "4"}},
		"set, twice": {func(o *wire.MiniRequestObject) {
			o.MultivalueHeaders = []*wire.Header{valued("X-A", "3"), valued("X-A", "4")}
		}, []string{"3", "4"}},
		"remove one": {func(o *wire.MiniRequestObject) { o.MultivalueHeaders[0].Values = []string{"caf\uFFFD"} }, []string{"caf\xe9"}},
		"reorder":    {func(o *wire.MiniRequestObject) { o.MultivalueHeaders[0].Values = []string{"caf\uFFFD", "1"} }, []string{"caf\xe9", "1"}},
		"remove all": {func(o *wire.MiniRequestObject) { o.MultivalueHeaders[0].Values = nil }, nil},
		"missing":    {func(o *wire.MiniRequestObject) { o.MultivalueHeaders = nil }, []string{"1", "caf\xe9"}},
		"append":     {func(o *wire.MiniRequestObject) { o.AppendHeaders = []*wire.Header{valued("X-A", "1", "")} }, []string{"1", "caf\xe9", "1", ""}},
		"set and append": {func(o *wire.MiniRequestObject) {
			o.SetHeaders, o.AppendHeaders = with(nil, "X-A", "5"), []*wire.Header{valued("X-A", "6")}
		}, []string{"5", "6"}},
		"delete and append": {
			func(o *wire.MiniRequestObject) {
				o.DeleteHeaders, o.AppendHeaders = []string{"X-A"}, []*wire.Header{valued("X-A", "6")}
			}, []string{"6"},
		},
		"both set: the old one wins": {
			func(o *wire.MiniRequestObject) {
				o.SetHeaders, o.MultivalueHeaders = with(nil, "X-A", "5"), []*wire.Header{valued("X-A", "6", "7")}
			}, []string{"5"},
		},
		"set and deleted: the old one wins": {
			func(o *wire.MiniRequestObject) {
				o.DeleteHeaders, o.MultivalueHeaders = []string{"x-a"}, []*wire.Header{valued("X-A", "6", "7")}
			}, nil,
		},
		"the host": {
			func(o *wire.MiniRequestObject) {
				o.MultivalueHeaders, o.AppendHeaders = []*wire.Header{valued("Host", "evil")}, []*wire.Header{valued("host", "evil")}
			}, []string{"1", "caf\xe9"},
		},
	}
	p := start(t)
	b := bind(t, p.client(t, grapnel.CompatNative), testAPI(), grapnel.Post)
	for name, test := range tests {
		p.edits(func(o *wire.Object) {
			slices.SortFunc(o.Request.MultivalueHeaders, func(a, b *wire.Header) int { return strings.Compare(a.Key, b.Key) }) // X-A first
			test.edit(o.Request)
		})
		x := exchange(t, "GET /t/a", "", "X-A: 1", "X-A: caf\xe9", "X-B: 1", "X-B: 2", "Connection: close, x-a")
		pass(t, b, x)
		if diff := cmp.Diff(test.want, x.Request.Header["X-A"]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff([]string{"1", "2"}, x.Request.Header["X-B"]); diff != "" || x.Request.Host != "gateway.test" || x.Request.Header["Host"] != nil {
			t.Errorf("%s: X-B %s, host %q", name, diff, x.Request.Host)
		}
	}
}

// What a plugin of this gateway's own says means nothing to the original.
func TestSeveralIgnored(t *testing.T) {
	p := start(t)
	b := bind(t, p.client(t, grapnel.CompatTyk), testAPI(), grapnel.Post)
	p.edits(func(o *wire.Object) {
		r := o.Request
		r.MultivalueHeaders, r.AppendHeaders = []*wire.Header{valued("X-A", "3")}, []*wire.Header{valued("X-A", "\n")}
		r.MultivalueParams, r.AppendParams = []*wire.Param{param("a", "3")}, []*wire.Param{param("a", "4")}
		r.Trailers = []*wire.Header{valued("X-Sum", "1")}
	})
	x := exchange(t, "POST /t/a?a=1&a=2", "body", "X-A: 1", "X-A: 2")
	before := snapshot(t, x)
	pass(t, b, x)
	if diff := cmp.Diff(before, snapshot(t, x)); diff != "" {
		t.Error(diff)
	}
}

func TestSeveralParams(t *testing.T) { // [L-4]
	tests := map[string]struct {
		query string
		edit  func(*wire.MiniRequestObject)
		want  string
	}{
		"set":           {"b=%7e&a=1&&a=2&%zz", func(o *wire.MiniRequestObject) { o.MultivalueParams = []*wire.Param{param("a", "1", "3", "é &")} }, "b=%7e&a=1&&a=3&%zz&a=%C3%A9+%26"},
		"set a new one": {"", func(o *wire.MiniRequestObject) { o.MultivalueParams = []*wire.Param{param("n", "1", "2")} }, "n=1&n=2"},
		"remove one":    {"a=%31&b&a=2", func(o *wire.MiniRequestObject) { o.MultivalueParams[0].Values = []string{"1"} }, "a=%31&b"},
		"remove all":    {"a=1&b&%61=2", func(o *wire.MiniRequestObject) { o.MultivalueParams[0].Values = nil }, "b"},
		"missing":       {"a=1&b&a=2", func(o *wire.MiniRequestObject) { o.MultivalueParams = nil }, "a=1&b&a=2"},
		"append":        {"a=1&b&", func(o *wire.MiniRequestObject) { o.AppendParams = []*wire.Param{param("a", "1"), param("", "x")} }, "a=1&b&&a=1&=x"},
		"set and append": {"a=1&b", func(o *wire.MiniRequestObject) {
			o.AddParams, o.AppendParams = with(nil, "a", "2"), []*wire.Param{param("a", "3")}
		}, "a=2&b&a=3"},
		"both set: the old one wins": {
			"a=1&b&a=2", func(o *wire.MiniRequestObject) {
				o.AddParams, o.MultivalueParams = with(nil, "a", "5"), []*wire.Param{param("a", "6", "7")}
			}, "a=5&b",
		},
		"set and deleted: the old one wins": {
			"a=1&b&a=2", func(o *wire.MiniRequestObject) {
				o.DeleteParams, o.MultivalueParams = []string{"a"}, []*wire.Param{param("a", "6", "7")}
			}, "b",
		},
		"a query in url: the old one wins": {
			"a=1&b&a=2", func(o *wire.MiniRequestObject) {
				o.Url, o.MultivalueParams = "/t/a?c=1", []*wire.Param{param("a", "6", "7")}
			}, "c=1",
		},
		"a path in url": {
			"a=1&b&a=2", func(o *wire.MiniRequestObject) {
				o.Url, o.MultivalueParams = "/t/c", []*wire.Param{param("a", "6", "7")}
			}, "a=6&b&a=7",
		},
		"appended to the query in url": {
			"a=1", func(o *wire.MiniRequestObject) { o.Url, o.AppendParams = "/t/c?d", []*wire.Param{param("a", "6")} }, "d&a=6",
		},
	}
	p := start(t)
	b := bind(t, p.client(t, grapnel.CompatNative), testAPI(), grapnel.Post)
	for name, test := range tests {
		p.edits(func(o *wire.Object) { test.edit(o.Request) })
		x := exchange(t, strings.TrimSuffix("GET /t/a?"+test.query, "?"), "")
		pass(t, b, x)
		if got := x.Request.URL.RawQuery; got != test.want {
			t.Errorf("%s: %q became %q, want %q", name, test.query, got, test.want)
		}
	}
}

// L-7: what HTTP forbids fails the hook, and nothing has changed.
func TestSeveralFaults(t *testing.T) {
	tests := map[string]func(*wire.MiniRequestObject){
		`multivalue_headers["a b"]: not a header name`: func(o *wire.MiniRequestObject) { o.MultivalueHeaders = []*wire.Header{valued("a b", "1")} },
		`multivalue_headers[""]: not a header name`:    func(o *wire.MiniRequestObject) { o.MultivalueHeaders = []*wire.Header{{}} },
		`multivalue_headers["Content-Length"]: the ga`: func(o *wire.MiniRequestObject) {
			o.MultivalueHeaders = []*wire.Header{valued("content-length", "1", "2")}
		},
		`multivalue_headers["X-A"]: value has a line `: func(o *wire.MiniRequestObject) {
			o.MultivalueHeaders = []*wire.Header{valued("X-A", "1", "2\r\nX: 1")}
		},
		`append_headers["Transfer-Encoding"]: the gat`: func(o *wire.MiniRequestObject) {
			o.AppendHeaders = []*wire.Header{valued("transfer-encoding", "chunked")}
		},
		`append_headers["X-A"]: value has a NUL byte`:  func(o *wire.MiniRequestObject) { o.AppendHeaders = []*wire.Header{valued("X-A", "\x00")} },
		`trailers["Authorization"]: not the name of a`: func(o *wire.MiniRequestObject) { o.Trailers = []*wire.Header{valued("authorization", "x")} },
		`trailers["X-Sum"]: value has a control`:       func(o *wire.MiniRequestObject) { o.Trailers = []*wire.Header{valued("X-Sum", "\x01")} },
		`return_overrides.multivalue_headers["A"]: va`: func(o *wire.MiniRequestObject) {
			o.ReturnOverrides = &wire.ReturnOverrides{ResponseCode: 200, MultivalueHeaders: []*wire.Header{valued("A", "\n")}}
		},
	}
	p := start(t)
	b := bind(t, p.client(t, grapnel.CompatNative), testAPI(), grapnel.Pre)
	for where, edit := range tests {
		p.edits(func(o *wire.Object) { edit(o.Request) })
		x := exchange(t, "POST /t/a", "body", "X-A: 1", "X-A: 2")
		before := snapshot(t, x)
		resp, err := b.Request(within(t), x)
		wantFault(t, resp, err, where)
		if diff := cmp.Diff(before, snapshot(t, x)); diff != "" {
			t.Errorf("%s: %s", where, diff)
		}
	}
}

// Trailers are set and removed one by one, both ways.
func TestTrailers(t *testing.T) {
	p := start(t)
	c := p.client(t, grapnel.CompatNative)
	edit := func(list []*wire.Header) []*wire.Header {
		for _, h := range list {
			if h.Key == "X-Gone" {
				h.Values = nil
			}
		}
		return append(list, valued("X-New", "1", "2"))
	}
	p.edits(func(o *wire.Object) {
		if o.Response != nil {
			o.Response.Trailers = edit(o.Response.Trailers)
		} else {
			o.Request.Trailers = edit(o.Request.Trailers)
		}
	})
	want := header("X-Sum", "9", "X-New", "1", "X-New", "2")
	x := exchange(t, "POST /t/a", "body")
	x.Request.Trailer = header("X-Sum", "9", "X-Gone", "1")
	pass(t, bind(t, c, testAPI(), grapnel.Post), x)
	if diff := cmp.Diff(want, x.Request.Trailer); diff != "" {
		t.Error("request:", diff)
	}
	for name, trailer := range map[string]http.Header{"some": header("X-Sum", "9", "X-Gone", "1"), "none": nil} {
		resp := reply(200, header("A", "1"), "reply")
		resp.Trailer = trailer
		if _, err := bind(t, c, testAPI(), grapnel.Response).Response(within(t), x, resp); err != nil {
			t.Fatal(err)
		}
		want := want.Clone()
		if trailer == nil {
			want.Del("X-Sum")
		}
		if diff := cmp.Diff(want, resp.Trailer); diff != "" || resp.ContentLength != -1 {
			t.Errorf("reply with %s: length %d, %s", name, resp.ContentLength, diff)
		}
	}
}

// A-25 lifted: an answer has headers with several values; one that has a single
// value in the old field has that.
func TestOverrideSeveral(t *testing.T) {
	p := start(t)
	p.edits(func(o *wire.Object) {
		o.Request.ReturnOverrides = &wire.ReturnOverrides{
			ResponseCode: 302, Headers: with(nil, "Location", "/"),
			MultivalueHeaders: []*wire.Header{valued("set-cookie", "a=1", "b=2"), valued("Set-Cookie", "c=3"), valued("Location", "/evil")},
		}
	})
	for compat, want := range map[grapnel.Compat]http.Header{
		grapnel.CompatNative: header("Location", "/", "Set-Cookie", "a=1", "Set-Cookie", "b=2", "Set-Cookie", "c=3"),
		grapnel.CompatTyk:    header("Location", "/"),
	} {
		resp, err := bind(t, p.client(t, compat), testAPI(), grapnel.Pre).Request(within(t), exchange(t, "GET /t/a", ""))
		if err != nil || resp == nil {
			t.Fatal(resp, err)
		}
		if diff := cmp.Diff(want, resp.Header); diff != "" {
			t.Errorf("%s: %s", compat, diff)
		}
	}
}

// What is not named stays byte for byte, whatever else an answer changes [L-4].
func TestSeveralLeavesTheRest(t *testing.T) {
	p := start(t)
	b := bind(t, p.client(t, grapnel.CompatNative), testAPI(), grapnel.Pre)
	rapid.Check(t, func(rt *rapid.T) {
		x := exchange(t, "POST /", body(rt))
		x.Request.Header, x.Request.URL, x.Request.Trailer = headers(rt), target(rt), headers(rt)
		delete(x.Request.Trailer, "Content-Length")
		values := rapid.SliceOf(rapid.StringMatching(`[!-~]{0,3}`)).Draw(rt, "values")
		p.edits(func(o *wire.Object) {
			o.Request.MultivalueHeaders = append(o.Request.MultivalueHeaders, valued("X-New", values...))
			o.Request.MultivalueParams = append(o.Request.MultivalueParams, param("new", values...))
			o.Request.Trailers = append(o.Request.Trailers, valued("X-New", values...))
		})
		want, trailer := snapshot(t, x), x.Request.Trailer.Clone()
		pass(t, b, x)
		if len(values) > 0 {
			want.Header["X-New"], trailer["X-New"] = values, values
		}
		query := x.Request.URL.Query()["new"]
		got := snapshot(t, x)
		got.URL = strings.TrimRight(strings.TrimSuffix(got.URL, tailOf(values)), "?&")
		want.URL = strings.TrimRight(want.URL, "?&")
		if diff := cmp.Diff(want, got); diff != "" || len(query) != len(values) {
			rt.Fatalf("%s, parameters %q", diff, query)
		}
		if diff := cmp.Diff(trailer, x.Request.Trailer); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// tailOf is the end of a query to which the values were added.
func tailOf(values []string) string {
	return appendValues("", []*line{{"new", values}})
}
