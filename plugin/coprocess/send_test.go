package coprocess

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/coding"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// wholeBody is a body that is sent whole.
func wholeBody(b []byte) content {
	return content{Share: grapnel.Share{Bytes: b, Size: int64(len(b))}}
}

// bindHook binds a hook to the plugin, in native mode.
func bindHook(t testing.TB, p *plugin, h grapnel.Hook) grapnel.Binding {
	t.Helper()
	h.Name = "h"
	b, err := p.client(t, grapnel.CompatNative).Bind(testAPI(), h)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// untouchable is a body that must not be read.
type untouchable struct{ t testing.TB }

func (u untouchable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func (untouchable) Close() error { return nil }

// A hook that is sent no body never reads it, and what it was not sent stays as it
// was after an echo [L-22, L-27].
func TestHeaderOnly(t *testing.T) {
	p := start(t)
	send := grapnel.Send{Body: grapnel.BodyNone, HideHeaders: []string{"authorization", "x-hidden-*"}}
	x := exchange(t, "POST /t/a", "", "Authorization: a", "X-Hidden-1: a", "X-Hidden-1: b", "X-Seen: c", "X-Seen: d")
	x.Request.Body, x.Request.ContentLength = untouchable{t}, 5
	want := x.Request.Header.Clone()
	pass(t, bindHook(t, p, grapnel.Hook{Stage: grapnel.Post, Send: send}).(*binding), x)
	r := p.object().Request
	if len(r.RawBody) != 0 || !r.BodyTruncated || r.BodySize != 5 {
		t.Errorf("sent a body %q, truncated %t, of %d", r.RawBody, r.BodyTruncated, r.BodySize)
	}
	if diff := cmp.Diff(map[string]string{"X-Seen": "c", "Host": "gateway.test"}, r.Headers); diff != "" {
		t.Error(diff)
	}
	if len(r.MultivalueHeaders) != 1 {
		t.Errorf("sent %v", r.MultivalueHeaders)
	}
	if diff := cmp.Diff(want, x.Request.Header); diff != "" {
		t.Error(diff)
	}

	h := header("Set-Cookie", "a", "Set-Cookie", "b", "A", "1", "X-Hidden-2", "c", "Content-Length", "3")
	resp := reply(200, h, "")
	resp.Body, resp.ContentLength, resp.Trailer = untouchable{t}, 3, http.Header{"X-Sum": nil}
	b := bindHook(t, p, grapnel.Hook{Stage: grapnel.Response, Send: grapnel.Send{Body: grapnel.BodyNone, Headers: []string{"A"}}})
	p.edits(func(o *wire.Object) {
		if diff := cmp.Diff(map[string]string{"A": "1"}, o.Response.Headers); diff != "" || len(o.Response.MultivalueHeaders) != 1 {
			t.Errorf("sent %v", o.Response)
		}
		o.Response.Headers["B"] = "2"
	})
	if _, err := b.Response(within(t), x, resp); err != nil {
		t.Fatal(err)
	}
	h.Set("B", "2")
	if diff := cmp.Diff(h, resp.Header); diff != "" || resp.ContentLength != 3 {
		t.Errorf("length %d, %s", resp.ContentLength, diff)
	}
}

// A body that replaces one which was not sent is the whole body; trailers behind
// what was not sent cannot be known, nor changed.
func TestReplaceUnseen(t *testing.T) {
	p := start(t)
	b := bindHook(t, p, grapnel.Hook{Stage: grapnel.Post, Send: grapnel.Send{Body: grapnel.BodyNone}}).(*binding)
	p.edits(func(o *wire.Object) { o.Request.RawBody = []byte("new") })
	x := exchange(t, "POST /t/a", "old body")
	pass(t, b, x)
	if got := bodyOf(t, x); got != "new" || x.Request.ContentLength != 3 {
		t.Errorf("got %q", got)
	}
	x = exchange(t, "POST /t/a", "old body")
	p.edits(func(o *wire.Object) { o.Request.Trailers = []*wire.Header{{Key: "X-Sum", Values: []string{"1"}}} })
	resp, err := b.Request(within(t), x)
	wantFault(t, resp, err, "request.trailers")
}

// What is over the size is refused, sent in part, or not sent [B-14].
func TestBodyOver(t *testing.T) {
	p := start(t)
	for over, want := range map[grapnel.BodyOver]string{grapnel.OverTruncate: "0123", grapnel.OverSkip: ""} {
		send := grapnel.Send{Body: 4, BodyOver: over}
		b := bindHook(t, p, grapnel.Hook{Stage: grapnel.Post, Send: send}).(*binding)
		x := exchange(t, "POST /t/a", "0123456789")
		p.echo()
		pass(t, b, x)
		r := p.object().Request
		if string(r.RawBody) != want || r.Body != want || !r.BodyTruncated || r.BodySize != 10 || bodyOf(t, x) != "0123456789" {
			t.Errorf("%s: sent %q, truncated %t, of %d; upstream gets %q", over, r.RawBody, r.BodyTruncated, r.BodySize, bodyOf(t, x))
		}
		p.edits(func(o *wire.Object) { o.Request.RawBody = []byte("new") })
		resp, err := b.Request(within(t), exchange(t, "POST /t/a", "0123456789"))
		wantFault(t, resp, err, "request.raw_body: it was not sent whole")
		x = exchange(t, "POST /t/a", "0123")
		if pass(t, b, x); bodyOf(t, x) != "new" || p.object().Request.BodyTruncated {
			t.Errorf("%s: a body of the size is not sent whole", over)
		}
		p.edits(func(o *wire.Object) { // who answers needs no body
			o.Request.RawBody, o.Request.ReturnOverrides.ResponseCode = nil, 204
		})
		if resp, err := b.Request(within(t), exchange(t, "POST /t/a", "0123456789")); err != nil || resp.StatusCode != 204 {
			t.Errorf("%s: %v, %v", over, resp, err)
		}
	}
	p.echo()
	send := grapnel.Send{Body: 4, BodyOver: grapnel.OverReject}
	_, err := bindHook(t, p, grapnel.Hook{Stage: grapnel.Post, Send: send}).Request(within(t), exchange(t, "POST /t/a", "0123456789"))
	wantRefusal(t, err, 413)
	_, err = bindHook(t, p, grapnel.Hook{Stage: grapnel.Response, Send: send}).Response(within(t), exchange(t, "POST /t/a", ""), reply(200, nil, "0123456789"))
	wantRefusal(t, err, 502)
}

func wantRefusal(t testing.TB, err error, status int) {
	t.Helper()
	if e, ok := errors.AsType[*grapnel.Error](err); !ok || e.Status != status {
		t.Errorf("got %v, want a %d", err, status)
	}
}

// Secrets of the session stay at home [L-49], and survive a write-back.
func TestSendSession(t *testing.T) {
	p := start(t)
	s := &grapnel.Session{
		KeyID: "k", Alias: "ann", OAuthKeys: map[string]string{"a": "b"}, HMACSecret: "h", Metadata: map[string]any{"token": "k", "plan": "gold"},
		BasicAuthData: grapnel.BasicAuthData{Password: "p", Hash: "bcrypt"}, JWTData: grapnel.JWTData{Secret: "j"},
	}
	ask := func(part grapnel.SessionPart, edit func(*wire.Object)) *grapnel.Session {
		x := exchange(t, "GET /t/a", "")
		x.Session = s
		p.edits(edit)
		pass(t, bindHook(t, p, grapnel.Hook{Stage: grapnel.Post, WriteBack: true, Send: grapnel.Send{Session: part}}).(*binding), x)
		return x.Session
	}
	for part, want := range map[grapnel.SessionPart]string{
		"": "ann k h p bcrypt j b k gold", grapnel.SessionFull: "ann k h p bcrypt j b k gold",
		grapnel.SessionRedacted: "ann b k gold", grapnel.SessionMetadata: "k gold", grapnel.SessionNone: "",
	} {
		ask(part, nil)
		o := p.object()
		g := o.Session
		got := []string{
			g.GetAlias(), g.GetKeyId(), g.GetHmacSecret(), g.GetBasicAuthData().GetPassword(), g.GetBasicAuthData().GetHash(),
			g.GetJwtData().GetSecret(), g.GetOauthKeys()["a"], g.GetMetadata()["token"], g.GetMetadata()["plan"],
		}
		if text := strings.Join(strings.Fields(strings.Join(got, " ")), " "); text != want || o.Metadata["token"] != g.GetMetadata()["token"] {
			t.Errorf("%q: sent %q, metadata %v", part, text, o.Metadata)
		}
	}
	got := ask(grapnel.SessionRedacted, func(o *wire.Object) { o.Metadata["plan"] = "silver" })
	if diff := cmp.Diff(map[string]any{"token": "k", "plan": "silver"}, got.Metadata); diff != "" || got.HMACSecret != "h" || got.KeyID != "k" {
		t.Errorf("written back %+v: %s", got, diff)
	}
}

// Bodies are decoded for the plugin, and encoded again when it changed them
// [L-28].
func TestDecodeBody(t *testing.T) {
	p := start(t)
	upper := func(o *wire.Object) {
		o.Request.RawBody = bytes.ToUpper(o.Request.RawBody)
		if o.Response != nil {
			o.Response.RawBody = bytes.ToUpper(o.Response.RawBody)
		}
	}
	for _, name := range []string{"gzip", "br", "deflate", "zstd"} {
		hook := grapnel.Hook{Stage: grapnel.Post, Send: grapnel.Send{DecodeBody: true}}
		sent := string(coding.Encode(name, []byte("text")))
		run := func(edit func(*wire.Object)) (request, reply *http.Response) {
			p.edits(edit)
			hook.Stage = grapnel.Post
			x := exchange(t, "POST /t/a", sent, "Content-Encoding: "+name)
			pass(t, bindHook(t, p, hook).(*binding), x)
			if got := p.object().Request; string(got.RawBody) != "text" || got.Body != "text" {
				t.Errorf("%s: sent %q", name, got.RawBody)
			}
			hook.Stage = grapnel.Response
			resp := grapnel.Reply(200, header("Content-Encoding", name), []byte(sent))
			if _, err := bindHook(t, p, hook).Response(within(t), exchange(t, "GET /t/a", ""), resp); err != nil {
				t.Fatal(err)
			}
			return &http.Response{Header: x.Request.Header, Body: x.Request.Body}, resp
		}
		check := func(got *http.Response, coding2, want string) {
			t.Helper()
			b, err := io.ReadAll(got.Body)
			if coding2 != "" && err == nil && want != sent {
				b, err = coding.Decode(coding2, b, 0)
			}
			if err != nil || string(b) != want || got.Header.Get("Content-Encoding") != coding2 {
				t.Errorf("%s: got %q, %v, coding %q", name, b, err, got.Header.Get("Content-Encoding"))
			}
		}
		request, answer := run(nil)
		check(request, name, sent) // byte for byte
		check(answer, name, sent)
		request, answer = run(upper)
		check(request, name, "TEXT")
		check(answer, name, "TEXT")
		request, answer = run(func(o *wire.Object) {
			o.Request.DeleteHeaders = []string{"Content-Encoding"}
			delete(o.Response.GetHeaders(), "Content-Encoding")
		})
		check(request, "", "text")
		check(answer, "", "text")
	}
}

// A line that says nothing before the one with the coding hides no body from a hook.
func TestDecodeBodySeveralLines(t *testing.T) {
	p := start(t)
	sent := string(coding.Encode("br", coding.Encode("gzip", []byte("text"))))
	for _, lines := range [][]string{{"identity", "gzip", "br"}, {"gzip, br"}} {
		x := exchange(t, "POST /t/a", sent)
		x.Request.Header["Content-Encoding"] = lines
		pass(t, bindHook(t, p, grapnel.Hook{Stage: grapnel.Post, Send: grapnel.Send{DecodeBody: true}}).(*binding), x)
		if got := p.object().Request; string(got.RawBody) != "text" {
			t.Errorf("%q: sent %q", lines, got.RawBody)
		}
		if b, err := io.ReadAll(x.Request.Body); err != nil || string(b) != sent || !slices.Equal(x.Request.Header["Content-Encoding"], lines) {
			t.Errorf("%q: goes on as %q, %v, coding %q", lines, b, err, x.Request.Header["Content-Encoding"])
		}
	}
}

// What cannot be decoded, or is too much then, goes nowhere.
func TestUndecodable(t *testing.T) {
	p := start(t)
	bomb := string(coding.Encode("gzip", make([]byte, 1<<20)))
	for _, c := range []struct {
		name, coding, body string
		request, reply     int
	}{{"malformed", "gzip", "no gzip", 400, 502}, {"bomb", "gzip", bomb, 413, 502}} {
		api := testAPI()
		api.MaxBody = 1 << 16
		send := grapnel.Send{DecodeBody: true}
		x := exchange(t, "POST /t/a", c.body, "Content-Encoding: "+c.coding)
		x.API = api
		_, err := bindHook(t, p, grapnel.Hook{Stage: grapnel.Post, Send: send}).Request(within(t), x)
		wantRefusal(t, err, c.request)
		x = exchange(t, "GET /t/a", "")
		x.API = api
		resp := grapnel.Reply(200, header("Content-Encoding", c.coding), []byte(c.body))
		_, err = bindHook(t, p, grapnel.Hook{Stage: grapnel.Response, Send: send}).Response(within(t), x, resp)
		wantRefusal(t, err, c.reply)
	}
	x := exchange(t, "POST /t/a", "raw", "Content-Encoding: odd")
	pass(t, bindHook(t, p, grapnel.Hook{Stage: grapnel.Post, Send: grapnel.Send{DecodeBody: true}}).(*binding), x)
	if got := p.object().Request.RawBody; string(got) != "raw" {
		t.Errorf("an unknown coding: sent %q", got)
	}
}
