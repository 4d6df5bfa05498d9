package coprocess

import (
	"crypto/tls"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// noBundle is the MD5 of the empty string.
const noBundle = "d41d8cd98f00b204e9800998ecf8427e"

// T-1, T-4, T-8, T-9, T-10: the whole Object, as it arrives.
func TestObject(t *testing.T) {
	p := start(t)
	b := bind(t, p.client(t, grapnel.CompatTyk), testAPI(), grapnel.Pre)
	x := exchange(t, "POST /t/a?x=1&x=2&y=3&%zz=4&a;b=5", `{"a":1}`, "x-foo: 1", "X-Foo: 2", "Content-Length: 7")
	pass(t, b, x)
	want := &wire.Object{
		HookType: wire.HookType_Pre,
		HookName: "preHook",
		Request: &wire.MiniRequestObject{
			Headers:         map[string]string{"X-Foo": "1", "Host": "gateway.test", "Content-Length": "7"},
			Method:          "POST",
			Url:             "/t/a?x=1&x=2&y=3&%zz=4&a;b=5",
			RequestUri:      "/t/a?x=1&x=2&y=3&%zz=4&a;b=5",
			Params:          map[string]string{"x": "1", "y": "3"},
			Scheme:          "http",
			Body:            `{"a":1}`,
			RawBody:         []byte(`{"a":1}`),
			ReturnOverrides: &wire.ReturnOverrides{ResponseCode: -1},
		},
		Spec: map[string]string{"APIID": "api-1", "OrgID": "org-1", "bundle_hash": noBundle},
	}
	if diff := cmp.Diff(want, p.object(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

// B-1: the hook types, whose numbers do not follow the order of the stages.
func TestHookTypes(t *testing.T) {
	p := start(t)
	c := p.client(t, grapnel.CompatTyk)
	p.edits(func(o *wire.Object) {
		o.Session, o.Metadata = &wire.SessionState{}, map[string]string{"token": "t"}
	})
	for stage, want := range map[grapnel.Stage]wire.HookType{
		grapnel.Pre: 1, grapnel.Post: 2, grapnel.PostKeyAuth: 3, grapnel.Auth: 4,
	} {
		pass(t, bind(t, c, testAPI(), stage), exchange(t, "GET /t/a", ""))
		if got := p.object(); got.HookType != want || got.HookName != stage.String()+"Hook" {
			t.Errorf("%s: hook_type %d, hook_name %q; want %d", stage, got.HookType, got.HookName, want)
		}
	}
	if _, err := c.Bind(testAPI(), grapnel.Hook{}); err == nil {
		t.Error("Bind of a hook without a stage succeeded")
	}
}

// T-5, T-6, T-7: bodies that are not text, or not wanted as text.
func TestBodyText(t *testing.T) {
	p := start(t)
	c := p.client(t, grapnel.CompatTyk)
	tests := []struct {
		name, body, text string
		rawOnly          bool
	}{
		{"T-4 JSON", `{"a":1}`, `{"a":1}`, false},
		{"T-5 binary", "\xff\xfe\x00", "", false},
		{"T-6 multipart with a binary part", "--b\r\n\r\n\x89PNG\xff\r\n--b--", "", false},
		{"T-7 raw_body_only", `{"a":1}`, "", true},
		{"none", "", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b, err := c.Bind(testAPI(), grapnel.Hook{Stage: grapnel.Pre, RawBodyOnly: test.rawOnly})
			if err != nil {
				t.Fatal(err)
			}
			x := exchange(t, "POST /t/a", test.body)
			pass(t, b.(*binding), x)
			got := p.object().Request
			if got.Body != test.text || string(got.RawBody) != test.body {
				t.Errorf("body %q, raw_body %q", got.Body, got.RawBody)
			}
			if up := bodyOf(t, x); up != test.body || x.Request.ContentLength != int64(len(test.body)) {
				t.Errorf("upstream gets %q, length %d", up, x.Request.ContentLength)
			}
		})
	}
}

// T-10…T-14: what is constant.
func TestSpec(t *testing.T) {
	p := start(t)
	c := p.client(t, grapnel.CompatTyk)
	tests := []struct {
		name   string
		bundle string
		data   map[string]any
		hash   string
		config string
	}{
		{"T-10 no bundle", "", nil, noBundle, ""},
		{"T-11 bundle", "bundle.zip", nil, "c343271e0935000c0ea41f8d9822015c", ""},
		{"T-12 config_data", "", map[string]any{"k": "v"}, noBundle, `{"k":"v"}`},
		{"T-14 empty config_data", "", map[string]any{}, noBundle, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api := testAPI()
			api.Bundle, api.ConfigData = test.bundle, test.data
			pass(t, bind(t, c, api, grapnel.Pre), exchange(t, "GET /t/a", ""))
			spec := p.object().Spec
			config, has := spec["config_data"]
			if spec["bundle_hash"] != test.hash || config != test.config || has != (test.config != "") {
				t.Errorf("spec = %v", spec)
			}
		})
	}
	api := testAPI()
	api.ConfigData = map[string]any{"f": func() {}}
	if _, err := c.Bind(api, grapnel.Hook{Stage: grapnel.Pre}); err == nil {
		t.Error("config_data without a JSON form was accepted")
	}
}

// T-15 [B-13]: only the client's connection says what the scheme is.
func TestScheme(t *testing.T) {
	p := start(t)
	b := bind(t, p.client(t, grapnel.CompatTyk), testAPI(), grapnel.Pre)
	x := exchange(t, "GET /t/a", "", "X-Forwarded-Proto: https")
	pass(t, b, x)
	if got := p.object().Request.Scheme; got != "http" {
		t.Errorf("scheme %q over plain HTTP", got)
	}
	x.Request.TLS = &tls.ConnectionState{}
	pass(t, b, x)
	if got := p.object().Request.Scheme; got != "https" {
		t.Errorf("scheme %q over TLS", got)
	}
}

// T-21, B-9, B-12: what a Post hook sees of a rewrite; B-29: and a Response hook.
func TestRewritePending(t *testing.T) {
	p := start(t)
	c := p.client(t, grapnel.CompatTyk)
	x := exchange(t, "GET /t/get?q=1", "")
	x.Rewrite, _ = url.Parse("http://other.test/test2?z=9")
	x.RewriteMethod = "POST"
	pass(t, bind(t, c, testAPI(), grapnel.Post), x)
	got := p.object().Request
	if got.Url != "http://other.test/test2?z=9" || got.RequestUri != "/test2?z=9" || got.Method != "POST" || got.Params["q"] != "1" {
		t.Errorf("Post hook sees %v", got)
	}

	x.Request.URL, _ = url.Parse("http://up.test/test2")
	resp := grapnel.Reply(200, nil, nil)
	if _, err := bind(t, c, testAPI(), grapnel.Response).Response(within(t), x, resp); err != nil {
		t.Fatal(err)
	}
	got = p.object().Request
	if got.Url != "http://up.test/test2" || got.RequestUri != "/t/get?q=1" || got.Method != "GET" {
		t.Errorf("Response hook sees %v", got)
	}
}

// T-2, T-23, B-4: hooks see what the ones before them left.
func TestHeadersSeen(t *testing.T) {
	p := start(t)
	b := bind(t, p.client(t, grapnel.CompatTyk), testAPI(), grapnel.Pre)
	x := exchange(t, "GET /t/a", "", "X-Foo: 1", "X-Foo: 2")
	p.edits(func(o *wire.Object) { o.Request.SetHeaders = map[string]string{"a": "1"} })
	pass(t, b, x)
	if diff := cmp.Diff([]string{"1", "2"}, x.Request.Header["X-Foo"]); diff != "" {
		t.Error("X-Foo:", diff)
	}
	x.Request.Host, x.Request.URL.Host = "", "url.test"
	pass(t, b, x)
	want := map[string]string{"A": "1", "X-Foo": "1", "Host": "url.test"}
	if diff := cmp.Diff(want, p.object().Request.Headers); diff != "" {
		t.Error(diff)
	}
	x.Request.URL.Host = ""
	pass(t, b, x)
	if host, ok := p.object().Request.Headers["Host"]; ok {
		t.Errorf("Host %q of a request that has none", host)
	}
}

// Text that is not UTF-8 reaches the plugin in a form that it can read, and the
// upstream in the form that it had [L-17].
func TestInvalidUTF8(t *testing.T) {
	p := start(t)
	b := bind(t, p.client(t, grapnel.CompatNative), testAPI(), grapnel.Pre)
	x := exchange(t, "GET /t/\xe9?n=\xe9&m=%e9", "", "X-Latin: caf\xe9")
	before := x.Request.URL.String()
	pass(t, b, x)
	got := p.object().Request
	if got.Headers["X-Latin"] != "caf\uFFFD" || got.Params["n"] != "\uFFFD" || got.Params["m"] != "\uFFFD" {
		t.Errorf("plugin sees %v", got)
	}
	if x.Request.Header.Get("X-Latin") != "caf\xe9" || x.Request.URL.String() != before {
		t.Errorf("upstream gets %q %q", x.Request.URL, x.Request.Header)
	}
}
