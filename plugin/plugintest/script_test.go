package plugintest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

func client(t *testing.T, s *plugintest.Server) coprocess.DispatcherClient {
	t.Helper()
	conn, err := grpc.NewClient(s.Target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return coprocess.NewDispatcherClient(conn)
}

// object is what a gateway would send for a hook with these verbs.
func object(verbs string) *coprocess.Object {
	return &coprocess.Object{
		HookName: verbs,
		Request: &coprocess.MiniRequestObject{
			Headers: map[string]string{"X-Case": "c", "Authorization": "abc"}, RawBody: []byte("b"), Body: "b",
			ReturnOverrides: &coprocess.ReturnOverrides{ResponseCode: -1},
		},
		Response: &coprocess.ResponseObject{
			Headers:           map[string]string{"X-Up": "1"},
			MultivalueHeaders: []*coprocess.Header{{Key: "X-Up", Values: []string{"1"}}},
		},
	}
}

func TestVerbs(t *testing.T) {
	dispatcher := client(t, plugintest.Serve(t))
	for verbs, change := range map[string]func(*coprocess.Object){
		"":     func(*coprocess.Object) {},
		"noop": func(*coprocess.Object) {},
		"set X-A=1=2;del X-B": func(o *coprocess.Object) {
			o.Request.SetHeaders, o.Request.DeleteHeaders = map[string]string{"X-A": "1=2"}, []string{"X-B"}
		},
		"param a=1;delparam b": func(o *coprocess.Object) {
			o.Request.AddParams, o.Request.DeleteParams = map[string]string{"a": "1"}, []string{"b"}
		},
		"url ;method PUT":        func(o *coprocess.Object) { o.Request.Url, o.Request.Method = "", "PUT" },
		"raw r s;body t":         func(o *coprocess.Object) { o.Request.RawBody, o.Request.Body = []byte("r s"), "t" },
		"clearraw":               func(o *coprocess.Object) { o.Request.RawBody = nil },
		"if X-Case;set A=b":      func(o *coprocess.Object) { o.Request.SetHeaders = map[string]string{"A": "b"} },
		"if X-None;set A=b":      func(o *coprocess.Object) {},
		"copy X-Case=X-B":        func(o *coprocess.Object) { o.Request.SetHeaders = map[string]string{"X-B": "c"} },
		`set X=\n;esc;set Y=\n"`: func(o *coprocess.Object) { o.Request.SetHeaders = map[string]string{"X": `\n`, "Y": "\n\""} },
		"ov 403;overr a b;ovbody c;ovflag;ovh X-O=1": func(o *coprocess.Object) {
			o.Request.ReturnOverrides = &coprocess.ReturnOverrides{
				ResponseCode: 403, ResponseError: "a b", ResponseBody: "c", OverrideError: true, Headers: map[string]string{"X-O": "1"}}
		},
		"rh X-New=1;rdel X-Up;rraw r;rbody b;rstatus 201": func(o *coprocess.Object) {
			o.Response.Headers, o.Response.RawBody = map[string]string{"X-New": "1"}, []byte("r")
			o.Response.Body, o.Response.StatusCode = "b", 201
		},
		"rmv X-N=1,2;rmvdel X-Up": func(o *coprocess.Object) {
			o.Response.MultivalueHeaders = []*coprocess.Header{{Key: "X-N", Values: []string{"1", "2"}}}
		},
		"rnil": func(o *coprocess.Object) { o.Response = nil },
		"auth abc;meta k=v;quota 5=60": func(o *coprocess.Object) {
			o.Session = &coprocess.SessionState{Rate: 1000, Per: 1, QuotaMax: 5, QuotaRemaining: 5, QuotaRenewalRate: 60}
			o.Metadata = map[string]string{"token": "abc", "k": "v"}
		},
		"auth abc;rate 2=60;notoken": func(o *coprocess.Object) {
			o.Session = &coprocess.SessionState{Rate: 2, Per: 60, QuotaMax: -1}
		},
		"auth other;set X-A=1": func(o *coprocess.Object) {
			o.Request.ReturnOverrides = &coprocess.ReturnOverrides{ResponseCode: 403, ResponseError: "wrong credentials"}
		},
		"auth abc;nosession": func(o *coprocess.Object) { o.Metadata = map[string]string{"token": "abc"} },
		"norequest":          func(o *coprocess.Object) { o.Request = nil },
		"nooverrides":        func(o *coprocess.Object) { o.Request.ReturnOverrides = nil },
		"fill 3":             func(o *coprocess.Object) { o.Spec = map[string]string{"fill": "xxx"} },
	} {
		t.Run(verbs, func(t *testing.T) {
			want := object(verbs)
			change(want)
			got, err := dispatcher.Dispatch(t.Context(), object(verbs))
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" || err != nil {
				t.Errorf("answer (-want +got), %v:\n%s", err, diff)
			}
		})
	}
	if got, err := dispatcher.Dispatch(t.Context(), object("empty")); err != nil || !cmp.Equal(got, &coprocess.Object{}, protocmp.Transform()) {
		t.Errorf("empty = %v, %v", got, err)
	}
}

func TestFailingVerbs(t *testing.T) {
	for verbs, code := range map[string]codes.Code{
		"rpc 14":                codes.Unavailable,
		"rpc 16;set X-A=1":      codes.Unauthenticated,
		"garbage":               codes.Internal,
		"die":                   codes.Unavailable,
		"hang":                  codes.DeadlineExceeded,
		"sleep 1h":              codes.DeadlineExceeded,
		"sleep 1ms;rpc 5":       codes.NotFound,
		"set X-A=1;sleep never": codes.OK,
	} {
		t.Run(verbs, func(t *testing.T) {
			s := plugintest.Serve(t)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if _, err := client(t, s).Dispatch(ctx, object(verbs)); status.Code(err) != code {
				t.Errorf("error is %v, want code %v", err, code)
			}
		})
	}
}

// TestRecord: the server remembers what it received, before the verbs, and
// tells it over HTTP just as in process.
func TestRecord(t *testing.T) {
	s := plugintest.Serve(t)
	dispatcher := client(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if _, err := dispatcher.Dispatch(ctx, object("set X-A=1")); err != nil {
		t.Fatal(err)
	}
	if _, err := dispatcher.DispatchEvent(ctx, &coprocess.Event{Payload: "p"}); err != nil {
		t.Fatal(err)
	}
	calls := s.Calls("c")
	if len(calls) != 1 || len(s.Calls("other")) != 0 || len(s.Calls("")) != 1 {
		t.Fatalf("remembers %v", s.Calls(""))
	}
	c := calls[0]
	if diff := cmp.Diff(object("set X-A=1"), c.Object, protocmp.Transform()); diff != "" {
		t.Errorf("object (-want +got):\n%s", diff)
	}
	if c.Timeout <= 59*time.Minute || c.Timeout > time.Hour || c.Authority != s.Target || c.Cancelled {
		t.Errorf("call is %+v", c)
	}
	record := httptest.NewServer(s.Script)
	defer record.Close()
	var told []plugintest.Call
	fetch(t, record.URL+"/calls?case=c", &told)
	if diff := cmp.Diff(calls, told, protocmp.Transform()); diff != "" {
		t.Errorf("told (-in process +over HTTP):\n%s", diff)
	}
	var events []string
	fetch(t, record.URL+"/events", &events)
	if !cmp.Equal(events, []string{"p"}) {
		t.Errorf("events = %q", events)
	}
}

func fetch(t *testing.T, url string, v any) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		t.Fatal(err)
	}
}
