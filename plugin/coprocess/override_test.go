package coprocess

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// T-45…T-49, T-52, T-57: answers in the upstream's place.
func TestOverrideReplies(t *testing.T) {
	foo := map[string]string{"x-foo": "Bar"}
	tests := []struct {
		name   string
		o      *wire.ReturnOverrides
		body   string
		header http.Header
	}{
		{"T-47 body", &wire.ReturnOverrides{ResponseCode: 200, ResponseBody: "foobar", Headers: foo}, "foobar", header("X-Foo", "Bar", "Content-Type", "text/plain; charset=utf-8")},
		{"T-48 error text, verbatim", &wire.ReturnOverrides{ResponseCode: 200, ResponseError: `{"foo": "bar"}`, Headers: foo}, `{"foo": "bar"}`, header("X-Foo", "Bar", "Content-Type", "text/plain; charset=utf-8")},
		{"T-49 error wins", &wire.ReturnOverrides{ResponseCode: 200, ResponseError: "E", ResponseBody: "B"}, "E", header("Content-Type", "text/plain; charset=utf-8")},
		{"T-52 flag and error", &wire.ReturnOverrides{ResponseCode: 401, ResponseError: `{"foo": "bar"}`, OverrideError: true, Headers: foo}, `{"foo": "bar"}`, header("X-Foo", "Bar", "Content-Type", "text/plain; charset=utf-8")},
		{"T-52 flag and body", &wire.ReturnOverrides{ResponseCode: 400, ResponseBody: "foobar", OverrideError: true}, "foobar", header("Content-Type", "text/plain; charset=utf-8")},
		{"Content-Type given [L-45]", &wire.ReturnOverrides{ResponseCode: 403, OverrideError: true, ResponseBody: "<b>", Headers: map[string]string{"content-type": "text/plain"}}, "<b>", header("Content-Type", "text/plain")},
		{"redirect", &wire.ReturnOverrides{ResponseCode: 302, Headers: map[string]string{"Location": "https://example.org/"}}, "", header("Location", "https://example.org/")},
		{"no content", &wire.ReturnOverrides{ResponseCode: 204, ResponseBody: "lost"}, "", http.Header{}},
		{"not modified", &wire.ReturnOverrides{ResponseCode: 304, ResponseBody: "lost"}, "", http.Header{}},
	}
	p := start(t)
	for _, stage := range []grapnel.Stage{grapnel.Pre, grapnel.Auth, grapnel.PostKeyAuth, grapnel.Post} {
		b := bind(t, p.client(t, grapnel.CompatTyk), testAPI(), stage)
		for _, test := range tests {
			t.Run(stage.String()+"/"+test.name, func(t *testing.T) {
				p.edits(func(o *wire.Object) { o.Request.ReturnOverrides = test.o })
				x := exchange(t, "GET /t/a", "")
				resp, err := b.Request(within(t), x)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				if resp.StatusCode != int(test.o.ResponseCode) || string(body) != test.body || resp.ContentLength != int64(len(body)) {
					t.Errorf("got %d %q, length %d", resp.StatusCode, body, resp.ContentLength)
				}
				if diff := cmp.Diff(test.header, resp.Header); diff != "" {
					t.Error(diff)
				}
				if x.Session != nil {
					t.Error("the client is authenticated [A-24]")
				}
			})
		}
	}
}

// T-50, T-51, T-53, T-54: refusals, which the gateway words.
func TestOverrideRefuses(t *testing.T) {
	tests := []struct {
		name, message string
		o             *wire.ReturnOverrides
	}{
		{"T-50 body", "foobar", &wire.ReturnOverrides{ResponseCode: 400, ResponseBody: "foobar", Headers: map[string]string{"X-Foo": "Bar"}}},
		{"T-51 error", "custom error message", &wire.ReturnOverrides{ResponseCode: 401, ResponseError: "custom error message"}},
		{"T-53 quotes", `{"foo":"bar"}`, &wire.ReturnOverrides{ResponseCode: 400, ResponseError: `{"foo":"bar"}`}},
		{"T-54 nothing said", "Key not authorised", &wire.ReturnOverrides{ResponseCode: 401}},
		{"500", "broken", &wire.ReturnOverrides{ResponseCode: 500, ResponseError: "broken"}},
	}
	p := start(t)
	for _, stage := range []grapnel.Stage{grapnel.Pre, grapnel.Auth, grapnel.PostKeyAuth, grapnel.Post} {
		b := bind(t, p.client(t, grapnel.CompatTyk), testAPI(), stage)
		for _, test := range tests {
			t.Run(stage.String()+"/"+test.name, func(t *testing.T) {
				p.edits(func(o *wire.Object) {
					o.Request.ReturnOverrides, o.Request.SetHeaders = test.o, map[string]string{"X-A": "1"}
				})
				x := exchange(t, "POST /t/a", "body")
				before := snapshot(t, x)
				resp, err := b.Request(within(t), x)
				e, ok := errors.AsType[*grapnel.Error](err)
				if !ok || resp != nil {
					t.Fatalf("got %v, %v", resp, err)
				}
				if e.Status != int(test.o.ResponseCode) || e.Code != grapnel.CodePluginRefused || e.Message != test.message {
					t.Errorf("got %+v", e)
				}
				for name, value := range test.o.Headers {
					if e.Header.Get(name) != value {
						t.Errorf("%s is %q", name, e.Header.Get(name))
					}
				}
				if diff := cmp.Diff(before, snapshot(t, x)); diff != "" {
					t.Error("the exchange has changed:", diff)
				}
			})
		}
	}
}

// T-45, T-46: no code, no override.
func TestNoOverride(t *testing.T) {
	p := start(t)
	b := bind(t, p.client(t, grapnel.CompatTyk), testAPI(), grapnel.Pre)
	for _, code := range []int32{0, -1, -5} {
		p.edits(func(o *wire.Object) {
			o.Request.ReturnOverrides = &wire.ReturnOverrides{
				ResponseCode: code, ResponseError: "x", ResponseBody: "y", OverrideError: true, Headers: map[string]string{"A": "1"},
			}
		})
		pass(t, b, exchange(t, "GET /t/a", ""))
	}
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}
