package sdk

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

func request() *coprocess.MiniRequestObject {
	return &coprocess.MiniRequestObject{
		Method: "GET", Url: "/x?a=1", Headers: map[string]string{"X-Name": "Zoë", "Host": "h"},
		Params: map[string]string{"a": "1"}, RawBody: []byte("x"), Body: "x",
	}
}

func reply() *coprocess.ResponseObject {
	return &coprocess.ResponseObject{
		StatusCode: 200, RawBody: []byte("x"), Body: "x",
		Headers: map[string]string{"Set-Cookie": "a", "Server": "up"},
		MultivalueHeaders: []*coprocess.Header{
			{Key: "Set-Cookie", Values: []string{"a", "b"}}, {Key: "Server", Values: []string{"up"}},
		},
	}
}

// A deed is a handler, and how the object that it was given differs from the
// one that the gateway gets.
type deed struct {
	do   Handler
	want func(*coprocess.Object)
}

func changes() map[string]deed {
	return map[string]deed{
		"headers": {
			func(x *Exchange) error {
				x.SetHeader("X-Was", x.Header("x-NAME")+x.Header("X-None"))
				x.SetHeader("X-B", "1")
				x.DeleteHeader("X-B")
				x.DeleteHeader("X-C")
				x.SetHeader("X-C", "new")
				return nil
			},
			func(o *coprocess.Object) {
				o.Request.SetHeaders = map[string]string{"X-Was": "Zoë", "X-C": "new"}
				o.Request.DeleteHeaders = []string{"X-B", "X-C"}
			},
		},
		"params": {
			func(x *Exchange) error {
				x.SetParam("b", x.Param("a")+x.Param("none"))
				x.SetParam("c", "1")
				x.DeleteParam("c")
				return nil
			},
			func(o *coprocess.Object) {
				o.Request.AddParams = map[string]string{"b": "1"}
				o.Request.DeleteParams = []string{"c"}
			},
		},
		"values": {
			func(x *Exchange) error {
				x.AddHeader("X-B", "taken back")
				x.DeleteHeader("X-B")
				x.AddHeader("X-A", "1")
				x.AddParam("b", "taken back")
				x.SetParam("b", "1")
				x.AddParam("a", "2")
				return nil
			},
			func(o *coprocess.Object) {
				o.Request.DeleteHeaders, o.Request.AddParams = []string{"X-B"}, map[string]string{"b": "1"}
				o.Request.AppendHeaders = []*coprocess.Header{{Key: "X-A", Values: []string{"1"}}}
				o.Request.AppendParams = []*coprocess.Param{{Name: "a", Values: []string{"2"}}}
			},
		},
		"text body":   {setBody("é"), func(o *coprocess.Object) { o.Request.RawBody, o.Request.Body = []byte("é"), "é" }},
		"binary body": {setBody("\xff\x00"), func(o *coprocess.Object) { o.Request.RawBody, o.Request.Body = []byte("\xff\x00"), "" }},
		"no body":     {setBody(""), func(o *coprocess.Object) { o.Request.RawBody, o.Request.Body = nil, "" }},
	}
}

func decisions() map[string]deed {
	return map[string]deed{
		"config": {
			func(x *Exchange) error {
				var c struct{ Tenant string }
				err := x.Config(&c)
				x.SetHeader("X-Tenant", c.Tenant)
				return err
			},
			func(o *coprocess.Object) { o.Request.SetHeaders = map[string]string{"X-Tenant": "acme"} },
		},
		"accept": {
			func(x *Exchange) error {
				x.Accept("t", &Session{Rate: 5, Metadata: map[string]string{"tier": "gold"}})
				return nil
			},
			func(o *coprocess.Object) {
				o.Session = &coprocess.SessionState{Rate: 5, Metadata: map[string]string{"tier": "gold"}}
				o.Metadata = map[string]string{"token": "t", "tier": "gold"}
			},
		},
		"deny": {
			func(x *Exchange) error { return Deny(403, "no") },
			func(o *coprocess.Object) {
				o.Request.ReturnOverrides = &coprocess.ReturnOverrides{ResponseCode: 403, ResponseError: "no"}
			},
		},
		"answer": {
			func(x *Exchange) error {
				return &Answer{Status: 418, Header: map[string]string{"X-A": "1"}, Body: "short"}
			},
			func(o *coprocess.Object) {
				o.Request.ReturnOverrides = &coprocess.ReturnOverrides{
					ResponseCode: 418, ResponseBody: "short", OverrideError: true, Headers: map[string]string{"X-A": "1"},
				}
			},
		},
	}
}

// TestHandlers: over a real connection, what a handler does is what the gateway
// is told, and nothing else has changed.
func TestHandlers(t *testing.T) {
	cases := changes()
	maps.Copy(cases, decisions())
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			want := &coprocess.Object{
				HookName: name, HookType: coprocess.HookType_Pre, Request: request(),
				Spec: map[string]string{"config_data": `{"tenant":"acme"}`},
			}
			conn, _ := serve(t, t.Context(), Hook(name, c.do))
			got, err := dispatch(t, conn, want)
			if err != nil {
				t.Fatal(err)
			}
			c.want(want)
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func setBody(body string) Handler {
	return func(x *Exchange) error { x.SetBody([]byte(body)); return nil }
}

// TestAnswerToReply: a Response hook answers as others do.
func TestAnswerToReply(t *testing.T) {
	conn, _ := serve(t, t.Context(), Hook("Late", func(*Exchange) error { return Deny(403, "late") }))
	got, err := dispatch(t, conn, &coprocess.Object{HookName: "Late", HookType: coprocess.HookType_Response, Response: reply()})
	want := &coprocess.ReturnOverrides{ResponseCode: 403, ResponseError: "late"}
	if err != nil || !proto.Equal(got.GetRequest().GetReturnOverrides(), want) {
		t.Errorf("%v, %v", got, err)
	}
}

// TestReply: a header is the same in both of the reply's lists.
func TestReply(t *testing.T) {
	conn, _ := serve(t, t.Context(), Hook("Reply", func(x *Exchange) error {
		r := x.Reply()
		r.StatusCode = 202
		r.SetHeader("x-reply", "sample")
		r.AddHeader("set-cookie", "c")
		r.DeleteHeader("SERVER")
		r.SetBody(append(r.RawBody, " (seen)"...))
		return nil
	}))
	o := &coprocess.Object{HookName: "Reply", HookType: coprocess.HookType_Response, Response: reply()}
	got, err := dispatch(t, conn, o)
	if err != nil {
		t.Fatal(err)
	}
	want := &coprocess.ResponseObject{
		StatusCode: 202, RawBody: []byte("x (seen)"), Body: "x (seen)",
		Headers: map[string]string{"Set-Cookie": "a", "X-Reply": "sample"},
		MultivalueHeaders: []*coprocess.Header{
			{Key: "Set-Cookie", Values: []string{"a", "b", "c"}}, {Key: "X-Reply", Values: []string{"sample"}},
		},
	}
	if diff := cmp.Diff(want, got.Response, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestValues: all values of what has several, and the one of what has one.
func TestValues(t *testing.T) {
	x := &Exchange{Object: &coprocess.Object{Request: request(), Response: reply(), Facts: &coprocess.Facts{
		Certificate: &coprocess.ClientCertificate{Serial: "7"}, Claims: `{"sub":"ann"}`,
	}}}
	x.Request.MultivalueHeaders = []*coprocess.Header{{Key: "X-A", Values: []string{"1", "2"}}}
	x.Request.MultivalueParams = []*coprocess.Param{{Name: "p", Values: []string{"3", "4"}}}
	var claims struct{ Sub string }
	if err := x.Claims(&claims); err != nil || claims.Sub != "ann" || x.Certificate().GetSerial() != "7" {
		t.Errorf("claims %v, %v, certificate %v", claims, err, x.Certificate())
	}
	got := [][]string{
		x.HeaderValues("x-a"), x.HeaderValues("host"), x.HeaderValues("X-None"), x.ParamValues("p"), x.ParamValues("a"), x.ParamValues("none"),
		x.Reply().HeaderValues("set-cookie"), x.Reply().HeaderValues("X-None"),
	}
	want := [][]string{{"1", "2"}, {"h"}, nil, {"3", "4"}, {"1"}, nil, {"a", "b"}, nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if x = (&Exchange{Object: &coprocess.Object{}}); x.Certificate().GetPem() != "" || x.Claims(&claims) == nil || x.HeaderValues("A") != nil {
		t.Error("an empty Object has facts")
	}
}

// TestEmptyObject: parts that were not sent read as empty, and setting them is
// no panic.
func TestEmptyObject(t *testing.T) {
	x := &Exchange{Object: &coprocess.Object{}}
	if got := x.Header("X") + x.Param("x") + x.Session.GetAlias(); got != "" {
		t.Errorf("read %q", got)
	}
	x.SetHeader("X", "1")
	x.Reply().SetHeader("X", "1")
	if x.Request.SetHeaders["X"] != "1" || x.Response.Headers["X"] != "1" || x.Context() == nil {
		t.Errorf("set %v", x.Object)
	}
}
