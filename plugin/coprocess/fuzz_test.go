package coprocess

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/net/http/httpguts"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
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
		request(&wire.MiniRequestObject{
			MultivalueHeaders: []*wire.Header{valued("X-Foo", "2"), valued("Host", "h"), {}}, AppendHeaders: []*wire.Header{valued("x-foo", "3"), valued("X-Latin", "\uFFFD")},
			MultivalueParams: []*wire.Param{param("q", "3", "~"), {}}, AppendParams: []*wire.Param{param("q", "", "é")}, Trailers: []*wire.Header{valued("X-Sum", "1")},
		}),
		request(&wire.MiniRequestObject{SetHeaders: map[string]string{"X-Foo": "9"}, MultivalueHeaders: []*wire.Header{valued("X-Foo")}, Trailers: []*wire.Header{valued("Host", "1")}}),
		override(&wire.ReturnOverrides{ResponseCode: 200, MultivalueHeaders: []*wire.Header{valued("Set-Cookie", "a", "b"), valued("a\n", "1")}}),
		response(&wire.ResponseObject{StatusCode: 200, Trailers: []*wire.Header{valued("X-Sum", "1"), valued("X-Gone"), valued("Trailer", "x")}}),
		{Facts: &wire.Facts{Client: &wire.ClientFacts{Peer: "p"}, Certificate: &wire.ClientCertificate{Chain: []string{"c"}, NotAfter: 1}, Graphql: &wire.GraphQLFacts{Operations: []*wire.GraphQLOperation{{Kind: "query"}}}}},
		response(&wire.ResponseObject{StatusCode: 204, RawBody: []byte("x"), Headers: map[string]string{"A": "2", "Transfer-Encoding": "x"}}),
		response(&wire.ResponseObject{StatusCode: 99, MultivalueHeaders: []*wire.Header{{Key: "A", Values: []string{"\x00"}}, {Key: "B"}, {}}}),
	}
}

// Whatever a plugin answers, alone or as an edit of an echo: it is read as the
// generated code reads it, and is a fault where that says so; nothing panics, a
// faulty answer changes nothing, and what is left of a good one is HTTP [L-7].
func FuzzAnswer(f *testing.F) {
	for _, o := range seeds() {
		for kind := range byte(5 * 16) {
			f.Add(marshal(f, o), kind%5, kind/5)
		}
	}
	for _, data := range oddities() {
		for stage := range byte(5) {
			f.Add(data, stage, stage&1<<3)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, stage, mode byte) {
		b := offline(mode&1 == 0, mode&2 == 0, grapnel.Pre+grapnel.Stage(stage%5))
		x := exchange(t, "POST /t/a?q=1&q=%7e;&z", "body", "X-Foo: 1", "X-Foo: 2", "X-Latin: \xe9")
		if mode&4 == 0 {
			x.Rewrite, x.RewriteMethod = &url.URL{Scheme: "http", Host: "r.test", Path: "/r"}, "PUT"
		}
		h := header("A", "1", "A", "2", "Connection", "close", "B", "3")
		if mode&16 != 0 {
			h = header("A", "1", "L", "\xe9", "L", "\uFFFD")
		}
		resp := reply(200, h, "reply")
		q := b.question(x, wholeBody([]byte("body")))
		if b.stage == grapnel.Response {
			b.describe(q, resp, wholeBody([]byte("reply")))
		}
		if mode&8 == 0 { // one message after the other is both merged
			data = append(q.slices().Materialize(), data...)
		}
		a, err := b.read(q, &received{buffer: mem.SliceBuffer(data)})
		want := &wire.Object{}
		if reference := proto.Unmarshal(data, want); (err == nil) != (reference == nil) {
			t.Fatalf("reading fails with %v, the reference with %v", err, reference)
		}
		if err != nil {
			return
		}
		wantAnswer(t, b, q, a, referenceAnswer(b.stage, want))
		if b.stage == grapnel.Response {
			answerResponse(t, b, x, resp, q, &a)
		} else {
			answerRequest(t, b, x, q, &a)
		}
	})
}

// wantAnswer checks that an answer is that of the reference. Where headers are
// not built because they are unchanged, building them changes nothing.
func wantAnswer(t *testing.T, b *binding, q *question, got, want answer) {
	t.Helper()
	if b.stage == grapnel.Response && got.reply.unchanged(&q.reply) {
		if got.reply.headers != nil || got.reply.list != nil {
			t.Fatal("unchanged headers were built")
		}
		built, err := b.responseHeader(&q.reply, &want.reply)
		if diff := cmp.Diff(q.reply.header, built); err != nil || diff != "" {
			t.Fatalf("unchanged headers are %v, %s", err, diff)
		}
		want.reply.headers, want.reply.list = nil, nil
	}
	if bytes.Equal(want.reply.text, q.reply.text) {
		want.reply.text = nil // as it is where it is the one that was sent
	}
	got.reply.same, want.reply.same, got.data = same{}, same{}, nil
	options := []cmp.Option{
		cmp.AllowUnexported(answer{}, edits{}, several{}, overrides{}, gotReply{}, same{}, line{}),
		cmpopts.EquateEmpty(), cmpopts.EquateNaNs(),
	}
	if diff := cmp.Diff(want, got, options...); diff != "" {
		t.Fatal(diff)
	}
}

// oddities are messages as only a strange encoder would write them: fields more
// than once, in parts, of another type, unknown ones, groups, and what breaks
// off.
func oddities() [][]byte {
	field := func(num protowire.Number, parts ...[]byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), bytes.Join(parts, nil))
	}
	number := func(num protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), v)
	}
	text := func(num protowire.Number, s string) []byte { return field(num, []byte(s)) }
	double := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), 1<<62)
	group := slices.Concat(protowire.AppendTag(nil, 99, protowire.StartGroupType), number(1, 2), protowire.AppendTag(nil, 99, protowire.EndGroupType))
	right := func(parts ...[]byte) []byte { return field(objectSession, field(sessionAccessRights, parts...)) }
	token := field(objectMetadata, text(entryKey, "token"), text(entryValue, "t"))
	return [][]byte{
		slices.Concat(field(objectRequest, text(requestURL, "/a"), text(requestURL, "/b")), field(objectRequest, text(requestMethod, "PUT"))),
		field(objectRequest, field(requestReturnOverrides, number(1, 200)), field(requestReturnOverrides, text(5, "body"))),
		field(objectRequest, field(requestReturnOverrides, number(1, 1<<33|200), number(4, 7), text(1, "not a number"))),
		field(objectRequest, field(requestSetHeaders, text(2, "v"), text(1, "K"), text(1, "X-K"), number(3, 1), group)),
		field(objectRequest, field(requestSetHeaders), field(requestAddParams, text(1, "n"))),
		field(objectRequest, number(requestURL, 1), field(requestDeleteHeaders), field(requestDeleteParams, []byte("n"))),
		slices.Concat(token, field(objectSession, field(sessionMonitor, double), field(sessionMonitor, field(1, double[1:], double[1:])))),
		slices.Concat(token, field(objectSession, field(sessionMonitor, field(1, double)))),
		slices.Concat(token, right(text(1, "a"), field(2, text(1, "n")), field(2, text(2, "i"), field(4, text(1, "u"), text(2, "m"))))),
		slices.Concat(token, right(text(1, "a"), field(2, text(1, "n"))), right(text(1, "a"), field(2, text(2, "i")))),
		slices.Concat(token, field(objectSession, field(sessionBasicAuthData, text(1, "p")), field(sessionBasicAuthData, text(2, "h"), text(3, "\xff")))),
		slices.Concat(token, field(objectSession, field(sessionJWTData, text(1, "\xff")))),
		field(objectResponse, text(responseBody, "x"), text(responseBody, "reply")),
		field(objectResponse, number(1, 200), field(5, text(2, "1"), text(1, "A"), text(2, "2")), field(5, text(1, "A"), text(1, "B"))),
		slices.Concat(field(objectResponse, field(4, text(1, "A"), text(2, "9"))), field(objectResponse, field(4, text(1, "A"), text(2, "1")), text(2, "x"))),
		field(objectResponse, field(4, text(1, "A"), text(2, "1")), field(4, text(1, "A"), text(2, "1")), field(5)),
		field(objectFacts, field(factsClient, text(clientProtocol, "\xff"))), field(objectFacts, field(factsClient, text(4, "\xff"))),
		field(objectFacts, field(factsCertificate, text(certificateChain, "\xff"))), field(objectFacts, field(factsCertificate, text(certificateNotBefore, "\xff"))),
		field(objectFacts, field(factsGraphQL, field(graphQLOperations, text(operationRootFields, "\xff")))), field(objectFacts, field(factsForm, text(2, "\xff"))),
		field(objectRequest, field(requestMultivalueHeaders, text(2, "1"), text(1, "X-Foo"), text(2, "\xff"))), field(objectRequest, field(requestTrailers, []byte{1})),
		slices.Concat(token, right(text(1, "a"), field(2, field(rightLimit, number(5, 1)), field(rightLimit, double, number(6, 2)), field(rightEndpoints, field(endpointMethods, text(1, "\xff")))))),
		slices.Concat(token, right(text(1, "a"), field(2, field(rightLimit, number(5, 1)), field(rightLimit, double, number(6, 2)), field(rightExtra, text(1, "x"), text(2, "1"))))),
		slices.Concat(token, field(objectSession, field(sessionMetadataJSON, text(1, "token"), text(2, "1")), field(sessionExtra, text(1, "x"), text(2, "{")))),
		field(objectSpec, text(1, "\xff")), field(objectHookName, []byte("\xff")), field(objectSession, text(sessionKeyID, "\xff")),
		field(objectResponse, text(responseBody, "\xff")), field(objectRequest, text(requestBody, "\xff")), field(objectRequest, text(requestScheme, "\xff")),
		group, group[:len(group)-2], group[:len(group)-1], protowire.AppendTag(nil, 99, protowire.EndGroupType),
		{0}, {7}, {0x80}, {0x1a}, {0x1a, 5, 1}, {0x80, 0}, bytes.Repeat([]byte{0xff}, 11), protowire.AppendVarint(nil, 1<<33),
		protowire.AppendFixed32(protowire.AppendTag(nil, 3, protowire.Fixed32Type), 1), {0x1d, 1}, {0x19, 1},
	}
}

func answerRequest(t *testing.T, b *binding, x *grapnel.Exchange, q *question, a *answer) {
	before := snapshot(t, x)
	resp, err := b.applyRequest(x, q, a)
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
	wantMessage(t, r.Trailer, nil)
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

func answerResponse(t *testing.T, b *binding, x *grapnel.Exchange, resp *http.Response, q *question, a *answer) {
	before := resp.Header.Clone()
	err := b.applyResponse(x, resp, q, a)
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
	wantMessage(t, resp.Trailer, nil)
	framed := int64(len(body))
	if len(resp.Trailer) > 0 && statusHasBody(resp.StatusCode) {
		framed = -1
	}
	if resp.StatusCode < 200 || resp.StatusCode > 599 || resp.ContentLength != framed || (length == "") != (framed < 0 || !statusHasBody(resp.StatusCode)) {
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
