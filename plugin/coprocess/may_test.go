package coprocess

import (
	"testing"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// A change is one edit of a plugin, where it is refused, and the permission for it.
type permitted struct {
	name  string
	edit  func(*wire.Object)
	fault string
	allow grapnel.May
}

// wantPermitted asks without the permission, and with it.
func wantPermitted(t *testing.T, p *plugin, stage grapnel.Stage, c permitted, ask func(grapnel.Binding) error) {
	t.Helper()
	p.edits(c.edit)
	hook := grapnel.Hook{Stage: stage, WriteBack: stage == grapnel.Post, May: &grapnel.May{}}
	wantFault(t, nil, ask(bindHook(t, p, hook)), c.fault)
	hook.May = &c.allow
	if err := ask(bindHook(t, p, hook)); err != nil {
		t.Errorf("with permission: %v", err)
	}
	p.echo()
	hook.May = &grapnel.May{}
	if err := ask(bindHook(t, p, hook)); err != nil {
		t.Errorf("an echo: %v", err)
	}
}

func TestMayRequest(t *testing.T) {
	p := start(t)
	for _, c := range []permitted{
		{"set", func(o *wire.Object) { o.Request.SetHeaders = map[string]string{"X-Tenant": "1"} }, `set_headers["X-Tenant"]`, grapnel.May{SetHeaders: []string{"x-*"}}},
		{"add", func(o *wire.Object) { o.Request.AppendHeaders = []*wire.Header{{Key: "X-A", Values: []string{"1"}}} }, `headers["X-A"]`, grapnel.May{SetHeaders: []string{"X-A"}}},
		{"delete", func(o *wire.Object) { o.Request.DeleteHeaders = []string{"Accept"} }, `delete_headers["Accept"]`, grapnel.May{DeleteHeaders: []string{"*"}}},
		{"empty", func(o *wire.Object) { o.Request.MultivalueHeaders = []*wire.Header{{Key: "Accept"}} }, `headers["Accept"]`, grapnel.May{DeleteHeaders: []string{"accept"}}},
		{"params", func(o *wire.Object) { o.Request.AddParams = map[string]string{"a": "2"} }, "params", grapnel.May{Params: true}},
		{"url", func(o *wire.Object) { o.Request.Url = "/t/b?a=1" }, "url", grapnel.May{URL: true}},
		{"method", func(o *wire.Object) { o.Request.Method = "PUT" }, "method", grapnel.May{Method: true}},
		{"body", func(o *wire.Object) { o.Request.RawBody = []byte("new") }, "raw_body", grapnel.May{Body: true}},
		{"session", func(o *wire.Object) { o.Metadata["a"] = "2" }, "session", grapnel.May{Session: true}},
		{"trailers", func(o *wire.Object) { o.Request.Trailers = []*wire.Header{{Key: "X-T", Values: []string{"1"}}} }, `trailers["X-T"]`, grapnel.May{SetHeaders: []string{"X-T"}}},
		{"nothing, by an empty answer", func(o *wire.Object) { o.Request, o.Metadata = nil, map[string]string{"a": "2"} }, "session", grapnel.May{Session: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantPermitted(t, p, grapnel.Post, c, func(b grapnel.Binding) error {
				x := exchange(t, "POST /t/a?a=1", "old", "Accept: text/plain")
				x.Session = &grapnel.Session{Metadata: map[string]any{"a": "1"}}
				before := snapshot(t, x)
				_, err := b.Request(within(t), x)
				if err != nil && (snapshot(t, x).Body != before.Body || snapshot(t, x).URL != before.URL || x.Request.Method != before.Method) {
					t.Error("a refused answer changed the exchange")
				}
				return err
			})
		})
	}
}

func TestMayOverride(t *testing.T) {
	p := start(t)
	p.edits(func(o *wire.Object) { o.Request.ReturnOverrides.ResponseCode = 403 })
	for _, stage := range []grapnel.Stage{grapnel.Pre, grapnel.Auth, grapnel.Post} {
		resp, err := bindHook(t, p, grapnel.Hook{Stage: stage, May: &grapnel.May{}}).Request(within(t), exchange(t, "GET /t/a", ""))
		if stage == grapnel.Auth { // refusing is its work
			wantRefusal(t, err, 403)
		} else {
			wantFault(t, resp, err, "return_overrides")
		}
		_, err = bindHook(t, p, grapnel.Hook{Stage: stage, May: &grapnel.May{Override: true}}).Request(within(t), exchange(t, "GET /t/a", ""))
		wantRefusal(t, err, 403)
	}
}

func TestMayReply(t *testing.T) {
	p := start(t)
	for _, c := range []permitted{
		{"set", func(o *wire.Object) { o.Response.Headers["X-A"] = "1" }, `response.headers["X-A"]`, grapnel.May{SetHeaders: []string{"X-*"}}},
		{"delete", func(o *wire.Object) { delete(o.Response.Headers, "Server") }, `response.headers["Server"]`, grapnel.May{DeleteHeaders: []string{"Server"}}},
		{"status", func(o *wire.Object) { o.Response.StatusCode = 418 }, "response.status_code", grapnel.May{Status: true}},
		{"body", func(o *wire.Object) { o.Response.RawBody = []byte("new") }, "response.raw_body", grapnel.May{Body: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantPermitted(t, p, grapnel.Response, c, func(b grapnel.Binding) error {
				_, err := b.Response(within(t), exchange(t, "GET /t/a", ""), reply(200, header("Server", "up"), "old"))
				return err
			})
		})
	}
}

// A Response hook answers in the reply's place where it is told that it may
// [L-26]; the original ignores it.
func TestOverrideReply(t *testing.T) {
	p := start(t)
	ask := func(h grapnel.Hook, code int32) (int, error) {
		p.edits(func(o *wire.Object) {
			o.Request.ReturnOverrides.ResponseCode, o.Request.ReturnOverrides.ResponseBody = code, "instead"
		})
		h.Stage = grapnel.Response
		resp, err := bindHook(t, p, h).Response(within(t), exchange(t, "GET /t/a", ""), reply(200, nil, "secret"))
		if resp == nil {
			return 0, err
		}
		return resp.StatusCode, err
	}
	if status, err := ask(grapnel.Hook{}, 403); status != 0 || err != nil {
		t.Errorf("without the switch: %d, %v", status, err)
	}
	for _, h := range []grapnel.Hook{{MayOverride: true}, {May: &grapnel.May{Override: true}}} {
		if status, err := ask(h, 202); status != 202 || err != nil {
			t.Errorf("%d, %v", status, err)
		}
		_, err := ask(h, 451)
		wantRefusal(t, err, 451)
	}
}
