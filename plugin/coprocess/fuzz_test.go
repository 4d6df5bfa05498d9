package coprocess

import (
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http/httpguts"
	"google.golang.org/protobuf/proto"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// seeds are answers of all kinds, to be merged into an echo.
func seeds() []*wire.Object {
	request := func(r *wire.MiniRequestObject) *wire.Object { return &wire.Object{Request: r} }
	override := func(o *wire.ReturnOverrides) *wire.Object {
		return request(&wire.MiniRequestObject{ReturnOverrides: o})
	}
	response := func(r *wire.ResponseObject) *wire.Object { return &wire.Object{Response: r} }
	return []*wire.Object{
		{},
		request(&wire.MiniRequestObject{SetHeaders: map[string]string{"X-A": "1", "Host": "h", "a\n": "\r"}, DeleteHeaders: []string{"X-Foo", ":"}}),
		request(&wire.MiniRequestObject{Url: "tyk://self/x?y=1", Method: "PUT", RawBody: []byte("\xff"), Body: "b"}),
		request(&wire.MiniRequestObject{Url: "//[::1", AddParams: map[string]string{"q": "2", "": ""}, DeleteParams: []string{"q"}}),
		override(&wire.ReturnOverrides{ResponseCode: 302, Headers: map[string]string{"Location": "/"}}),
		override(&wire.ReturnOverrides{ResponseCode: 401, ResponseError: "no", ResponseBody: "b"}),
		override(&wire.ReturnOverrides{ResponseCode: 99, OverrideError: true, Headers: map[string]string{"Content-Length": "1"}}),
		{Session: sessionState(fullSession(), false), Metadata: map[string]string{"token": "t"}},
		response(&wire.ResponseObject{StatusCode: 204, RawBody: []byte("x"), Headers: map[string]string{"A": "2", "Transfer-Encoding": "x"}}),
		response(&wire.ResponseObject{StatusCode: 99, MultivalueHeaders: []*wire.Header{{Key: "A", Values: []string{"\x00"}}, {Key: "B"}, {}}}),
	}
}

// Whatever a plugin answers, alone or as an edit of an echo: nothing panics, a
// faulty answer changes nothing, and what is left of a good one is HTTP [L-7].
func FuzzAnswer(f *testing.F) {
	for _, o := range seeds() {
		data, err := proto.Marshal(o)
		if err != nil {
			f.Fatal(err)
		}
		for kind := range byte(5 * 16) {
			f.Add(data, kind%5, kind/5)
		}
	}
	api := testAPI()
	f.Fuzz(func(t *testing.T, data []byte, stage, mode byte) {
		b := &binding{
			client: &Client{tyk: mode&1 == 0, verbatim: mode&2 == 0},
			stage:  grapnel.Pre + grapnel.Stage(stage%5), org: api.OrgID,
			overrides: &wire.ReturnOverrides{ResponseCode: -1}, nobody: &wire.SessionState{},
		}
		x := exchange(t, "POST /t/a?q=1&q=%7e;&z", "body", "X-Foo: 1", "X-Foo: 2", "X-Latin: \xe9")
		if mode&4 == 0 {
			x.Rewrite, x.RewriteMethod = &url.URL{Scheme: "http", Host: "r.test", Path: "/r"}, "PUT"
		}
		resp := reply(200, header("A", "1", "A", "2", "Connection", "close", "L", "\xe9", "L", "\uFFFD"), "reply")
		sent := b.object(x, []byte("body"))
		if b.stage == grapnel.Response {
			sent.Response = b.responseObject(resp, []byte("reply"))
		}
		got := &wire.Object{}
		if mode&8 == 0 {
			got = proto.CloneOf(sent)
		}
		if (proto.UnmarshalOptions{Merge: true}).Unmarshal(data, got) != nil {
			return
		}
		if b.stage == grapnel.Response {
			answerResponse(t, b, x, resp, sent.Response, got.Response)
		} else {
			answerRequest(t, b, x, sent, got)
		}
	})
}

func answerRequest(t *testing.T, b *binding, x *grapnel.Exchange, sent, got *wire.Object) {
	before := snapshot(t, x)
	resp, err := b.applyRequest(x, sent, got)
	if resp != nil || err != nil {
		if diff := cmp.Diff(before, snapshot(t, x)); diff != "" {
			t.Fatalf("%v, %v, and the exchange has changed: %s", resp, err, diff)
		}
		if resp != nil {
			wantMessage(t, resp.Header, nil)
			if err != nil || resp.StatusCode < 200 || resp.StatusCode > 599 {
				t.Fatalf("status %d, error %v", resp.StatusCode, err)
			}
		}
		return
	}
	r := x.Request
	wantMessage(t, r.Header, before.Header)
	if !httpguts.ValidHeaderFieldName(r.Method) || r.Host != before.Host || r.ContentLength != int64(len(bodyOf(t, x))) {
		t.Fatalf("the request has become %+v", snapshot(t, x))
	}
	if _, err := url.ParseRequestURI(r.URL.String()); err != nil {
		t.Fatal(err)
	}
	if (before.Rewrite == "") != (x.Rewrite == nil) || (before.RewriteMethod == "") != (x.RewriteMethod == "") {
		t.Fatalf("rewrite %v %q", x.Rewrite, x.RewriteMethod)
	}
	if (x.Session != nil) != (b.stage == grapnel.Auth) || x.Session != nil && (x.Session.KeyID == "" || x.Session.OrgID != b.org) {
		t.Fatalf("session %+v", x.Session)
	}
}

func answerResponse(t *testing.T, b *binding, x *grapnel.Exchange, resp *http.Response, sent, got *wire.ResponseObject) {
	before := resp.Header.Clone()
	err := b.applyResponse(x, resp, sent, got)
	body, _ := io.ReadAll(resp.Body)
	if err != nil {
		if resp.StatusCode != 200 || string(body) != "reply" || !cmp.Equal(before, resp.Header) {
			t.Fatalf("%v, and the reply has changed: %d %q %v", err, resp.StatusCode, body, resp.Header)
		}
		return
	}
	length := resp.Header.Get("Content-Length")
	resp.Header.Del("Content-Length")
	wantMessage(t, resp.Header, before)
	if resp.StatusCode < 200 || resp.StatusCode > 599 || resp.ContentLength != int64(len(body)) || (length == "") != (!statusHasBody(resp.StatusCode)) {
		t.Fatalf("the reply has become %d %q %q, length %d", resp.StatusCode, body, resp.Header, resp.ContentLength)
	}
	if !cmp.Equal(before["Connection"], resp.Header["Connection"]) {
		t.Fatalf("connection %q", resp.Header["Connection"])
	}
}

// wantMessage checks that fields can go on the wire and do not frame.
func wantMessage(t *testing.T, h, before http.Header) {
	for name, values := range h {
		if !httpguts.ValidHeaderFieldName(name) {
			t.Fatalf("header name %q", name)
		}
		if _, framed := before[name]; !framed && (http.CanonicalHeaderKey(name) == "Content-Length" || http.CanonicalHeaderKey(name) == "Transfer-Encoding") {
			t.Fatalf("header %q", name)
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				t.Fatalf("header %q: %q", name, v)
			}
		}
	}
}
