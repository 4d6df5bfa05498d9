package coprocess

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// headers draws header fields with several values, some of them not UTF-8.
func headers(t *rapid.T) http.Header {
	name := rapid.SampledFrom([]string{"Accept", "Cookie", "X-Forwarded-For", "X-A", "X-B", "Content-Length"})
	value := rapid.StringMatching(`([!-~]|[!-~][ -~]*[!-~]|é|\x{fffd})?`)
	latin := rapid.Map(rapid.SliceOf(rapid.ByteRange(0xa0, 0xff)), func(b []byte) string { return string(b) })
	return rapid.MapOf(name, rapid.SliceOfN(rapid.OneOf(value, latin), 1, 3)).Draw(t, "headers")
}

func body(t *rapid.T) string {
	binary := rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })
	return rapid.OneOf(rapid.String(), binary).Draw(t, "body")
}

// target draws a request target with an odd path and query.
func target(t *rapid.T) *url.URL {
	path := rapid.StringMatching(`/(/|[a-z:;,.~@]|%2f|%C3%A9|%ff|\*){0,6}`).Draw(t, "path")
	query := rapid.StringMatching(`(\?(&|=|;|%|%zz|%41|[a-c+~/?:@]|é){0,8})?`).Draw(t, "query")
	u, err := url.ParseRequestURI(path + query)
	if err != nil {
		t.Skip(err)
	}
	return u
}

// A plugin that only echoes leaves every request as it was [L-4, L-17].
func TestEchoRequest(t *testing.T) {
	p := start(t)
	for _, compat := range bothModes {
		b := bind(t, p.client(t, compat), testAPI(), grapnel.Pre)
		t.Run(string(compat), rapid.MakeCheck(func(rt *rapid.T) {
			x := exchange(t, "POST /", body(rt))
			x.Request.Header, x.Request.URL = headers(rt), target(rt)
			x.Request.Method = rapid.SampledFrom([]string{"GET", "POST", "x-own"}).Draw(rt, "method")
			if rapid.Bool().Draw(rt, "rewrite") {
				x.Rewrite, x.RewriteMethod = target(rt), "PUT"
			}
			before := snapshot(t, x)
			pass(t, b, x)
			if diff := cmp.Diff(before, snapshot(t, x)); diff != "" {
				rt.Fatal(diff)
			}
		}))
	}
}

// A plugin that only echoes leaves every reply as it was, but for the length,
// which is the body's; and one that changes a header leaves the others.
func TestEchoResponse(t *testing.T) {
	p := start(t)
	for _, compat := range bothModes {
		b := bind(t, p.client(t, compat), testAPI(), grapnel.Response)
		for name, edit := range map[string]func(*wire.Object){
			"echo": nil,
			"add":  func(o *wire.Object) { o.Response.Headers = with(o.Response.Headers, "X-New", "1") },
		} {
			t.Run(string(compat)+"/"+name, rapid.MakeCheck(func(rt *rapid.T) {
				p.edits(edit)
				h, sent := headers(rt), body(rt)
				resp := &http.Response{StatusCode: rapid.IntRange(200, 599).Draw(rt, "status"), Header: h.Clone(), Body: io.NopCloser(bytes.NewBufferString(sent)), ContentLength: -1}
				if !statusHasBody(resp.StatusCode) {
					resp.Body, sent = http.NoBody, ""
				}
				status := resp.StatusCode
				if _, err := b.Response(within(t), exchange(t, "GET /t/a", ""), resp); err != nil {
					rt.Fatal(err)
				}
				got, _ := io.ReadAll(resp.Body)
				if resp.StatusCode != status || string(got) != sent {
					rt.Fatalf("%d %q became %d %q", status, sent, resp.StatusCode, got)
				}
				if statusHasBody(status) {
					delete(h, "Content-Length")
					delete(resp.Header, "Content-Length")
				}
				if edit != nil {
					h["X-New"] = []string{"1"}
				}
				if diff := cmp.Diff(h, resp.Header); diff != "" {
					rt.Fatal(diff)
				}
			}))
		}
	}
}

func with(m map[string]string, key, value string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}
