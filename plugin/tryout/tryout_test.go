package tryout_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
	"github.com/grapnel-gateway/grapnel/plugin/tryout"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

func dial(t *testing.T, address string) *tryout.Server {
	t.Helper()
	s, err := tryout.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// question is one about a request, or a reply, that has a little of everything.
func question(stage grapnel.Stage, hook string) tryout.Question {
	q := tryout.Question{
		Stage: stage, Hook: hook, Method: "POST", URL: "/x?a=1", Body: []byte("old"), Header: http.Header{"X-Old": {"1"}},
	}
	if stage == grapnel.Response {
		q.Reply = tryout.Reply{Status: 200, Header: http.Header{"Set-Cookie": {"a", "b"}, "X-Up": {"1"}}, Body: []byte("up")}
	}
	return q
}

func call(t *testing.T, s *tryout.Server, q tryout.Question) *tryout.Answer {
	t.Helper()
	o, err := q.Message()
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Call(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A turn is what a hook does, how that differs from the question, and what a
// gateway makes of it.
type turn struct {
	stage   grapnel.Stage
	hook    string
	changes []string
	effects []string
}

func requestTurns() []turn {
	return []turn{
		{grapnel.Pre, "noop", nil, []string{"lets the request pass unchanged"}},
		{grapnel.Pre, "set x-tenant=acme;del X-Old;del x-tenant",
			[]string{`+ request.delete_headers[0]: "X-Old"`, `+ request.delete_headers[1]: "x-tenant"`, `+ request.set_headers["x-tenant"]: "acme"`},
			[]string{"removes header X-Old", "sets header X-Tenant: acme"}},
		{grapnel.Post, "raw new;url /y?b=1;method PUT;param c=2;delparam a",
			[]string{`+ request.add_params["c"]: "2"`, `+ request.delete_params[0]: "a"`, `~ request.method: "POST" -> "PUT"`,
				`~ request.raw_body: "old" -> "new"`, `~ request.url: "/x?a=1" -> "/y?b=1"`},
			[]string{`replaces the request's body by 3 bytes: "new"`, "changes the URL to /y?b=1", "removes parameter a", "sets parameter c=2", "changes the method to PUT"}},
		{grapnel.Pre, "clearraw;body ", []string{`- request.body: "old"`, `- request.raw_body: "old"`}, []string{"empties the request's body"}},
		{grapnel.Pre, "url tyk://other/x", []string{`~ request.url: "/x?a=1" -> "tyk://other/x"`}, []string{"hands the request to another API: tyk://other/x"}},
		{grapnel.PostKeyAuth, "rate 1=2", []string{"+ session.per: 2", "+ session.rate: 1"}, []string{"lets the request pass unchanged", "ignores the change of session"}},
		{grapnel.Pre, "set Host=h", []string{`+ request.set_headers["Host"]: "h"`}, []string{"ignores set_headers: Host cannot be set"}},
	}
}

// severalTurns are about what has several values, of which the question has none:
// the older of two fields about one name counts.
func severalTurns() []turn {
	return []turn{
		{grapnel.Pre, "mv x-new=a,b;mv X-Old;mv X-Up",
			[]string{`+ request.multivalue_headers["X-Old"]: {}`, `+ request.multivalue_headers["X-Up"]: {}`, `+ request.multivalue_headers["x-new"][0]: "a"`, `+ request.multivalue_headers["x-new"][1]: "b"`},
			[]string{"sets header X-New: a, b", "removes header X-Old"}},
		{grapnel.Pre, "mv X-A=a,b;set X-A=c;mv Host=h;add X-B=d,e;trailer X-T=f",
			[]string{`+ request.append_headers["X-B"][0]: "d"`, `+ request.append_headers["X-B"][1]: "e"`, `+ request.multivalue_headers["Host"][0]: "h"`,
				`+ request.multivalue_headers["X-A"][0]: "a"`, `+ request.multivalue_headers["X-A"][1]: "b"`, `+ request.set_headers["X-A"]: "c"`, `+ request.trailers["X-T"][0]: "f"`},
			[]string{"sets header X-A: c", "adds to header X-B: d, e", "sets trailer X-T: f"}},
		{grapnel.Pre, "mvparam a=2,3;mvparam b=1;param b=2;addparam c=4",
			[]string{`+ request.add_params["b"]: "2"`, `+ request.append_params["c"][0]: "4"`, `+ request.multivalue_params["a"][0]: "2"`, `+ request.multivalue_params["a"][1]: "3"`, `+ request.multivalue_params["b"][0]: "1"`},
			[]string{"sets parameter a=2, 3", "sets parameter b=2", "adds to parameter c=4"}},
		{grapnel.Pre, "ov 200;ovmv Set-Cookie=a,b;ovh X-O=1;ovmv X-O=2",
			[]string{`+ request.return_overrides.headers["X-O"]: "1"`, `+ request.return_overrides.multivalue_headers["Set-Cookie"][0]: "a"`, `+ request.return_overrides.multivalue_headers["Set-Cookie"][1]: "b"`,
				`+ request.return_overrides.multivalue_headers["X-O"][0]: "2"`, "~ request.return_overrides.response_code: -1 -> 200"},
			[]string{"answers the client: 200 OK, without a body", "its header X-O: 1", "its header Set-Cookie: a, b", "does not ask the upstream, nor any further hook"}},
		{grapnel.Pre, "add Content-Length=1", []string{`+ request.append_headers["Content-Length"][0]: "1"`},
			[]string{`fails the hook: append_headers["Content-Length"]: the gateway frames messages itself`, `answers the client: 500 "Middleware error"`}},
		{grapnel.Post, "meta k=v", []string{`+ metadata["k"]: "v"`}, []string{"lets the request pass unchanged", "ignores the change of metadata, unless the hook has write_back: true"}},
		{grapnel.Response, "ov 403", []string{"~ request.return_overrides.response_code: -1 -> 403"},
			[]string{"lets the reply pass unchanged", "ignores the change of request.return_overrides, unless the hook has may_override: true"}},
	}
}

func decisionTurns() []turn {
	return []turn{
		{grapnel.Pre, "ov 403;overr no;ovh X-O=1;set X-A=1",
			[]string{`+ request.return_overrides.headers["X-O"]: "1"`, "~ request.return_overrides.response_code: -1 -> 403", `+ request.return_overrides.response_error: "no"`, `+ request.set_headers["X-A"]: "1"`},
			[]string{`answers the client: 403 Forbidden, an error page that says "no"`, "its header X-O: 1", "does not ask the upstream, nor any further hook"}},
		{grapnel.Pre, "ov 200;ovbody hi",
			[]string{`+ request.return_overrides.response_body: "hi"`, "~ request.return_overrides.response_code: -1 -> 200"},
			[]string{`answers the client: 200 OK, with the body "hi"`, "does not ask the upstream, nor any further hook"}},
		{grapnel.Pre, "ov 99", []string{"~ request.return_overrides.response_code: -1 -> 99"},
			[]string{"fails the hook: return_overrides.response_code: 99 is not the status of a reply", `answers the client: 500 "Middleware error"`}},
		{grapnel.Auth, "noop", nil, []string{"refuses the caller: 403 Forbidden, because there is no session"}},
		{grapnel.Auth, "rate 1=2;meta k=v", []string{`+ metadata["k"]: "v"`, "+ session.per: 2", "+ session.rate: 1"},
			[]string{`refuses the caller: 403 Forbidden, because metadata["token"] is missing`}},
		{grapnel.Auth, "rate 1=2;quota 5=60;meta token=t;meta k=v;set X-A=1",
			[]string{`+ metadata["k"]: "v"`, `+ metadata["token"]: "t"`, `+ request.set_headers["X-A"]: "1"`, "+ session.per: 2", "+ session.quota_max: 5", "+ session.quota_remaining: 5", "+ session.quota_renewal_rate: 60", "+ session.rate: 1"},
			[]string{`lets the caller in, under the token "t"`, "limits the caller to 1 requests in 2 s", "limits the caller to a quota of 5 requests in 60 s", "keeps the metadata k: v", "sets header X-A: 1"}},
		{grapnel.Auth, "set Content-Length=1", []string{`+ request.set_headers["Content-Length"]: "1"`},
			[]string{`fails the hook: set_headers["Content-Length"]: the gateway frames messages itself`, `answers the client: 403 "Key not authorised"`}},
	}
}

func replyTurns() []turn {
	return []turn{
		{grapnel.Response, "noop", nil, []string{"lets the reply pass unchanged"}},
		{grapnel.Response, "rh X-New=1;rdel X-Up;rraw r;rstatus 201",
			[]string{`+ response.headers["X-New"]: "1"`, `- response.headers["X-Up"]: "1"`, `~ response.raw_body: "up" -> "r"`, "~ response.status_code: 200 -> 201"},
			[]string{"removes reply header X-Up", "sets reply header X-New: 1", "changes the status to 201 Created", `replaces the reply's body by 1 bytes: "r"`}},
		{grapnel.Response, "rmv Set-Cookie=c,d;rmvdel X-Up",
			[]string{`+ response.multivalue_headers["Set-Cookie"][2]: "c"`, `+ response.multivalue_headers["Set-Cookie"][3]: "d"`, `- response.multivalue_headers["X-Up"][0]: "1"`},
			[]string{"removes reply header X-Up", "sets reply header Set-Cookie: a, b, c, d"}},
		{grapnel.Response, "rbody new", []string{`~ response.body: "up" -> "new"`}, []string{`replaces the reply's body by 3 bytes: "new"`}},
		{grapnel.Response, "set X-A=1", []string{`+ request.set_headers["X-A"]: "1"`},
			[]string{"lets the reply pass unchanged", "ignores the change of request.set_headers"}},
		{grapnel.Response, "rstatus 700", []string{"~ response.status_code: 200 -> 700"},
			[]string{"fails the hook: response.status_code: 700 is not the status of a reply", `answers the client: 500 "Middleware error"`}},
	}
}

func TestAnswers(t *testing.T) {
	s := dial(t, plugintest.Serve(t).Target)
	for _, c := range slices.Concat(requestTurns(), severalTurns(), decisionTurns(), replyTurns()) {
		t.Run(c.stage.String()+" "+c.hook, func(t *testing.T) {
			a := call(t, s, question(c.stage, c.hook))
			var changes []string
			for _, change := range a.Changes() {
				changes = append(changes, change.String())
			}
			if diff := cmp.Diff(c.changes, changes); diff != "" {
				t.Errorf("changes -want +got\n%s", diff)
			}
			if diff := cmp.Diff(c.effects, a.Effects()); diff != "" {
				t.Errorf("effects -want +got\n%s", diff)
			}
		})
	}
}

// TestAnswerJSON: what is printed is the message that came back.
func TestAnswerJSON(t *testing.T) {
	a := call(t, dial(t, plugintest.Serve(t).Target), question(grapnel.Pre, "set X-A=1"))
	b, err := a.JSON()
	if err != nil || !strings.Contains(string(b), "set_headers") {
		t.Fatalf("%s, %v", b, err)
	}
	back := &wire.Object{}
	if err := protojson.Unmarshal(b, back); err != nil || !proto.Equal(back, a.Got) {
		t.Errorf("%v, %v", back, err)
	}
}

// TestLongValues are cut, and say how long they were.
func TestLongValues(t *testing.T) {
	a := call(t, dial(t, plugintest.Serve(t).Target), question(grapnel.Pre, "set X-A="+strings.Repeat("é", 5000)))
	if line := a.Changes()[0].String(); len(line) > 300 || !strings.HasSuffix(line, "é… (5002 characters)") {
		t.Errorf("%s", line)
	}
}

func TestQuestions(t *testing.T) {
	base := `{"hook_type":"Post","hook_name":"A","request":{"url":"/x","headers":{"X-Old":"1"}},"spec":{"APIID":"a"}}`
	q := tryout.Question{
		Object: []byte(base), Hook: "B", Method: "PUT", URL: "/x?p=1&q=2", Params: map[string]string{"p": "a b"}, Header: http.Header{"X-New": {"2", "3"}},
		Body: []byte("\xff"), Session: []byte(`{"rate":1,"metadata":{"k":"v"}}`), Config: []byte(`{}`),
	}
	got, err := q.Message()
	if err != nil {
		t.Fatal(err)
	}
	want := &wire.Object{
		HookType: wire.HookType_Post, HookName: "B", Spec: map[string]string{"APIID": "a", "config_data": "{}"},
		Request: &wire.MiniRequestObject{
			Method: "PUT", Url: "/x?p=1&q=2&p=a+b", RequestUri: "/x?p=1&q=2&p=a+b", Params: map[string]string{"p": "1", "q": "2"},
			MultivalueParams: []*wire.Param{{Name: "p", Values: []string{"1", "a b"}}},
			Headers:          map[string]string{"X-Old": "1", "X-New": "2"}, RawBody: []byte("\xff"),
			MultivalueHeaders: []*wire.Header{{Key: "X-New", Values: []string{"2", "3"}}},
		},
		Session:  &wire.SessionState{Rate: 1, Metadata: map[string]string{"k": "v"}},
		Metadata: map[string]string{"k": "v"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for name, bad := range map[string]tryout.Question{
		"the Object": {Object: []byte(`{"hook_nam":"x"}`)}, "the session": {Session: []byte("{")}, "the URL": {URL: "x y"},
	} {
		if _, err := bad.Message(); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: err = %v", name, err)
		}
	}
}

// TestFailedCalls: each failure has an error that says what to look for.
func TestFailedCalls(t *testing.T) {
	scripted := plugintest.Serve(t)
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	for name, c := range map[string]struct{ address, hook, want string }{
		"nobody":        {"127.0.0.1:1", "", "no plugin server answers at 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused"},
		"no socket":     {"unix:///nonexistent", "", "no plugin server answers at unix:///nonexistent: dial unix /nonexistent: connect: no such file"},
		"no gRPC":       {web.Listener.Addr().String(), "", "no plugin server answers at"},
		"unimplemented": {serve(t, nil), "", "does not implement coprocess.Dispatcher"},
		"late":          {scripted.Target, "hang", "no answer within "},
		"error":         {scripted.Target, "rpc 5", "the plugin failed with the gRPC error NotFound: "},
		"no message":    {scripted.Target, "garbage", "the plugin failed with the gRPC error Internal: "},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if name == "late" {
				ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
			}
			_, err := dial(t, c.address).Call(ctx, &wire.Object{HookName: c.hook})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("err = %v, want %q", err, c.want)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	for _, bad := range []string{"", "localhost", ":5555", "http://localhost:1", "unix://", "host:"} {
		if _, err := tryout.Dial(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	socket := "unix://" + t.TempDir() + "/s"
	plugintest.ServeAt(t, socket)
	for _, good := range []string{socket, "tcp://" + plugintest.Serve(t).Target} {
		call(t, dial(t, good), question(grapnel.Pre, "noop"))
	}
}
