package coprocess

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// reply makes the reply of an upstream.
func reply(status int, h http.Header, body string) *http.Response {
	h = h.Clone()
	if h == nil {
		h = http.Header{}
	}
	return grapnel.Reply(status, h, []byte(body))
}

// B-28: what a Response hook sees.
func TestResponseObject(t *testing.T) {
	p := start(t)
	b := bind(t, p.client(t, grapnel.CompatTyk), testAPI(), grapnel.Response)
	h := header("Set-Cookie", "a=1", "Set-Cookie", "b=2")
	if _, err := b.Response(within(t), exchange(t, "GET /t/a", ""), reply(404, h, "multi")); err != nil {
		t.Fatal(err)
	}
	got := p.object()
	if got.HookType != wire.HookType_Response || got.Response.StatusCode != 404 || got.Response.Body != "multi" || string(got.Response.RawBody) != "multi" {
		t.Errorf("got %v", got)
	}
	if diff := cmp.Diff(map[string]string{"Set-Cookie": "a=1"}, got.Response.Headers); diff != "" {
		t.Error(diff)
	}
	list := got.Response.MultivalueHeaders
	if len(list) != 1 || list[0].Key != "Set-Cookie" || !cmp.Equal(list[0].Values, []string{"a=1", "b=2"}) {
		t.Errorf("multivalue_headers %v", list)
	}
}

// T-80…T-82, T-88b, T-91, T-96 [A-42…A-49]: what a Response hook changes.
func TestChangeResponse(t *testing.T) {
	up := header("A", "1", "Content-Type", "text/plain", "Content-Length", "3", "Set-Cookie", "a", "Set-Cookie", "b", "Connection", "close")
	tests := []struct {
		name   string
		edit   func(*wire.Object)
		status int
		body   string
		header map[string][]string // beside up's
	}{
		{"T-82 echo", func(*wire.Object) {}, 200, "old", nil},
		{"T-80 raw_body", func(o *wire.Object) { o.Response.RawBody = []byte("newbody") }, 200, "newbody", map[string][]string{"Content-Length": {"7"}}},
		{"T-81 body only", func(o *wire.Object) { o.Response.Body = "new" }, 200, "old, or native: new", nil},
		{"T-91 status", func(o *wire.Object) { o.Response.StatusCode = 418 }, 418, "old", nil},
		{"T-88b list only", func(o *wire.Object) {
			o.Response.MultivalueHeaders = append(o.Response.MultivalueHeaders, &wire.Header{Key: "c", Values: []string{"1", "2"}})
		}, 200, "old", map[string][]string{"C": {"1", "2"}}},
		{"A-45 removed from headers", func(o *wire.Object) { delete(o.Response.Headers, "Set-Cookie") }, 200, "old", map[string][]string{"Set-Cookie": nil}},
		{"length is ours [A-47]", func(o *wire.Object) { o.Response.Headers["Content-Length"] = "99" }, 200, "old", nil},
		{"the connection is ours [A-50]", func(o *wire.Object) {
			o.Response.Headers["Connection"] = "upgrade"
			o.Response.Headers["trailer"] = "X"
		}, 200, "old", nil},
		{"T-96 the request and session are ignored [A-49]", func(o *wire.Object) {
			o.Request.SetHeaders, o.Session = map[string]string{"X": "1"}, nil
		}, 200, "old", nil},
		{"to no content", func(o *wire.Object) { o.Response.StatusCode = 204 }, 204, "", map[string][]string{"Content-Length": nil}},
	}
	p := start(t)
	for _, compat := range bothModes {
		b := bind(t, p.client(t, compat), testAPI(), grapnel.Response)
		for _, test := range tests {
			t.Run(string(compat)+"/"+test.name, func(t *testing.T) {
				p.edits(test.edit)
				resp := reply(200, up, "old")
				if _, err := b.Response(within(t), exchange(t, "GET /t/a", ""), resp); err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				wanted, native, differs := strings.Cut(test.body, ", or native: ")
				if differs && compat == grapnel.CompatNative {
					wanted = native
				}
				if resp.StatusCode != test.status || string(body) != wanted || resp.ContentLength != int64(len(body)) {
					t.Errorf("got %d %q, length %d", resp.StatusCode, body, resp.ContentLength)
				}
				want := up.Clone()
				for name, values := range test.header {
					want[name] = values
					if values == nil {
						delete(want, name)
					}
				}
				if diff := cmp.Diff(want, resp.Header); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// T-92, T-94, L-7, L-11: faulty answers. The reply stays as it was.
func TestFaultyResponse(t *testing.T) {
	tests := []struct {
		name string
		edit func(*wire.Object)
		want string
	}{
		{"T-94 no response", func(o *wire.Object) { o.Response = nil }, "response: missing"},
		{"T-92 status 0", func(o *wire.Object) { o.Response.StatusCode = 0 }, "response.status_code: 0"},
		{"status 1000", func(o *wire.Object) { o.Response.StatusCode = 1000 }, "response.status_code: 1000"},
		{"status 100", func(o *wire.Object) { o.Response.StatusCode = 100 }, "response.status_code: 100"},
		{"line break", func(o *wire.Object) { o.Response.Headers["X-A"] = "1\r\n" }, `response headers["X-A"]: value has a line break`},
		{"line break in list", func(o *wire.Object) {
			o.Response.MultivalueHeaders[0].Values[1] = "\n"
		}, `response headers["A"]: value has a line break`},
		{"name", func(o *wire.Object) { o.Response.Headers["X A"] = "1" }, `response headers: "X A" is not`},
		{"trailer in disguise", func(o *wire.Object) { o.Response.Headers["Trailer:X"] = "1" }, `response headers: "Trailer:X" is not`},
		{"transfer coding", func(o *wire.Object) { o.Response.Headers["transfer-encoding"] = "chunked" }, "frames messages itself"},
	}
	p := start(t)
	for _, compat := range bothModes {
		b := bind(t, p.client(t, compat), testAPI(), grapnel.Response)
		for _, test := range tests {
			t.Run(string(compat)+"/"+test.name, func(t *testing.T) {
				p.edits(func(o *wire.Object) {
					o.Response.RawBody, o.Response.Headers["A"] = []byte("changed"), "2"
					test.edit(o)
				})
				resp := reply(200, header("A", "1", "A", "2"), "old")
				instead, err := b.Response(within(t), exchange(t, "GET /t/a", ""), resp)
				wantFault(t, instead, err, test.want)
				body, _ := io.ReadAll(resp.Body)
				if resp.StatusCode != 200 || string(body) != "old" || !cmp.Equal(resp.Header, header("A", "1", "A", "2")) {
					t.Errorf("the reply has changed: %d %q %v", resp.StatusCode, body, resp.Header)
				}
			})
		}
	}
}

// T-96: an answer in the reply's place is ignored, and the log told once.
func TestResponseAnswersUnasked(t *testing.T) {
	p := start(t)
	for _, compat := range bothModes {
		b := bind(t, p.client(t, compat), testAPI(), grapnel.Response)
		var log bytes.Buffer
		for _, code := range []int32{-1, 200, 403} {
			p.edits(func(o *wire.Object) { o.Request.ReturnOverrides = &wire.ReturnOverrides{ResponseCode: code} })
			x := exchange(t, "GET /t/a", "")
			x.Log = slog.New(slog.NewTextHandler(&log, nil))
			if instead, err := b.Response(within(t), x, reply(200, header(), "old")); instead != nil || err != nil {
				t.Errorf("%s, %d: got %v, %v", compat, code, instead, err)
			}
		}
		if n := strings.Count(log.String(), "may_override"); n != 1 {
			t.Errorf("%s: the log is told %d times: %s", compat, n, &log)
		}
	}
}

// Replies without a body keep the length that they tell [RFC 9110 8.6].
func TestResponseWithoutBody(t *testing.T) {
	p := start(t)
	b := bind(t, p.client(t, grapnel.CompatTyk), testAPI(), grapnel.Response)
	p.edits(func(o *wire.Object) {
		o.Response.RawBody = []byte("body")
		o.Response.MultivalueHeaders = append(o.Response.MultivalueHeaders, &wire.Header{Key: "X-A", Values: []string{"1"}})
	})
	for _, test := range []struct {
		method string
		status int
		length []string
	}{{"HEAD", 200, []string{"166"}}, {"GET", 204, nil}, {"GET", 304, []string{"166"}}} {
		resp := &http.Response{StatusCode: test.status, Header: http.Header{}, Body: http.NoBody, ContentLength: 166}
		if test.length != nil {
			resp.Header["Content-Length"] = test.length
		}
		if _, err := b.Response(within(t), exchange(t, test.method+" /t/a", ""), resp); err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		if len(body) > 0 || resp.ContentLength != 166 || !cmp.Equal(resp.Header["Content-Length"], test.length) || resp.Header.Get("X-A") != "1" {
			t.Errorf("%s %d: body %q, length %d, %v", test.method, test.status, body, resp.ContentLength, resp.Header)
		}
	}
}

// T-95: a body stays encoded.
func TestResponseGzip(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	io.WriteString(w, "zipped")
	w.Close()
	p := start(t)
	resp := reply(200, header("Content-Encoding", "gzip"), zipped.String())
	if _, err := bind(t, p.client(t, grapnel.CompatNative), testAPI(), grapnel.Response).Response(within(t), exchange(t, "GET /t/a", ""), resp); err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	if got := p.object().Response; got.Body != "" || !bytes.Equal(got.RawBody, zipped.Bytes()) || !bytes.Equal(body, zipped.Bytes()) {
		t.Errorf("plugin sees %v, client gets %q", got, body)
	}
}

// trailers pass, and the framing lets them.
func TestResponseTrailer(t *testing.T) {
	p := start(t)
	resp := reply(200, nil, "body")
	resp.ContentLength, resp.Trailer = -1, header("X-Sum", "9")
	if _, err := bind(t, p.client(t, grapnel.CompatTyk), testAPI(), grapnel.Response).Response(within(t), exchange(t, "GET /t/a", ""), resp); err != nil {
		t.Fatal(err)
	}
	if resp.Trailer.Get("X-Sum") != "9" || resp.ContentLength != -1 || resp.Header.Get("Content-Length") != "" {
		t.Errorf("trailer %v, length %d %v", resp.Trailer, resp.ContentLength, resp.Header)
	}
}

// L-27: a reply over the limit is not buffered, and not the plugin's fault.
func TestResponseTooLarge(t *testing.T) {
	p := start(t)
	x := exchange(t, "GET /t/a", "")
	x.API.MaxBody = 3
	_, err := bind(t, p.client(t, grapnel.CompatTyk), x.API, grapnel.Response).Response(within(t), x, reply(200, nil, "1234"))
	if e, ok := errors.AsType[*grapnel.Error](err); !ok || e.Status != 502 {
		t.Errorf("got %v", err)
	}
	if p.object() != nil {
		t.Error("the plugin was asked")
	}
}

// T-43's counterpart.
func TestVerbatimResponseHeaders(t *testing.T) {
	p := start(t)
	c := dial(t, grapnel.PluginServer{Target: p.address, VerbatimHeaders: true})
	p.edits(func(o *wire.Object) { o.Response.Headers["x-lower"], o.Response.Headers["content-length"] = "1", "99" })
	resp := reply(200, header("A", "1"), "old")
	if _, err := bind(t, c, testAPI(), grapnel.Response).Response(within(t), exchange(t, "GET /t/a", ""), resp); err != nil {
		t.Fatal(err)
	}
	want := http.Header{"A": {"1"}, "x-lower": {"1"}, "Content-Length": {"3"}}
	if diff := cmp.Diff(want, resp.Header); diff != "" {
		t.Error(diff)
	}
}

// A reply whose raw_body was emptied is empty, whatever text is left: the text
// is a copy that a plugin need not look after.
func TestResponseRawBodyEmptied(t *testing.T) {
	p := start(t)
	p.edits(func(o *wire.Object) { o.Response.RawBody = nil })
	for _, compat := range []grapnel.Compat{grapnel.CompatTyk, grapnel.CompatNative} {
		resp := reply(200, nil, "old")
		if _, err := bind(t, p.client(t, compat), testAPI(), grapnel.Response).Response(within(t), exchange(t, "GET /t/a", ""), resp); err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(resp.Body); string(body) != "" {
			t.Errorf("%s: body %q, want none", compat, body)
		}
	}
}
