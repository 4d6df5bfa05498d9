package coprocess

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// keeping binds a hook that keeps what its plugin changes of the metadata.
func keeping(t *testing.T, c *Client, stage grapnel.Stage) *binding {
	t.Helper()
	b, err := c.Bind(testAPI(), grapnel.Hook{Stage: stage, WriteBack: true})
	if err != nil {
		t.Fatal(err)
	}
	return b.(*binding)
}

// ask asks a binding of any stage about an exchange.
func ask(t *testing.T, b *binding, x *grapnel.Exchange) {
	t.Helper()
	if b.stage != grapnel.Response {
		pass(t, b, x)
		return
	}
	if _, err := b.Response(within(t), x, grapnel.Reply(200, nil, nil)); err != nil {
		t.Fatal(err)
	}
}

// L-21, L-30: what hooks change of the metadata, which of two words counts, and
// which types entries have.
func TestWriteBack(t *testing.T) {
	type metadata = map[string]any
	was := func() metadata { // shared, and not to be written to
		return metadata{"token": "the-key", "a": "1", "n": json.Number("7"), "l": []any{"x"}}
	}
	tests := map[string]struct {
		edit func(*wire.Object)
		want func(metadata)
	}{
		"echo":            {func(o *wire.Object) {}, nil},
		"nothing at all":  {func(o *wire.Object) { o.Session, o.Metadata = nil, nil }, nil},
		"empty session":   {func(o *wire.Object) { o.Session, o.Metadata = &wire.SessionState{}, nil }, nil},
		"old field":       {func(o *wire.Object) { o.Metadata["a"] = "2" }, func(m metadata) { m["a"] = "2" }},
		"inner old field": {func(o *wire.Object) { o.Session.Metadata["a"] = "2" }, func(m metadata) { m["a"] = "2" }},
		"outer wins":      {func(o *wire.Object) { o.Metadata["a"], o.Session.Metadata["a"] = "2", "3" }, func(m metadata) { m["a"] = "2" }},
		"removed":         {func(o *wire.Object) { delete(o.Metadata, "a") }, func(m metadata) { delete(m, "a") }},
		"removed inside":  {func(o *wire.Object) { delete(o.Session.Metadata, "n") }, func(m metadata) { delete(m, "n") }},
		"removed, typed elsewhere": {
			func(o *wire.Object) { delete(o.Metadata, "n"); o.Session.MetadataJson["n"] = "9" }, func(m metadata) { delete(m, "n") },
		},
		"new field": {func(o *wire.Object) { o.Session.MetadataJson["n"] = "8" }, func(m metadata) { m["n"] = json.Number("8") }},
		"new entry": {func(o *wire.Object) { o.Session.MetadataJson["b"] = "true" }, func(m metadata) { m["b"] = true }},
		"both, alike": {
			func(o *wire.Object) { o.Metadata["b"] = "[1]"; o.Session.MetadataJson["b"] = "[1]" }, func(m metadata) { m["b"] = []any{json.Number("1")} },
		},
		"both, not alike: the old one wins": {
			func(o *wire.Object) { o.Metadata["n"] = "8"; o.Session.MetadataJson["n"] = "9" }, func(m metadata) { m["n"] = "8" },
		},
		"what says who they are stays": {
			func(o *wire.Object) {
				o.Metadata["token"], o.Session.MetadataJson["token"], o.Session.MetadataJson["policies"] = "evil", `"evil"`, `["evil"]`
			}, nil,
		},
		"the rest is not for changing": {func(o *wire.Object) { o.Session.Rate, o.Session.Alias = 99, "evil" }, nil},
	}
	p := start(t)
	c := p.client(t, grapnel.CompatNative)
	for _, stage := range []grapnel.Stage{grapnel.PostKeyAuth, grapnel.Post, grapnel.Response} {
		for name, test := range tests {
			p.edits(test.edit)
			x, before := exchange(t, "GET /t/a", ""), fullSession()
			before.Metadata = was()
			x.Session = before
			ask(t, keeping(t, c, stage), x)
			want := fullSession()
			want.Metadata = was()
			if test.want != nil {
				test.want(want.Metadata)
			} else if x.Session != before {
				t.Errorf("%s, %s: the session is another", stage, name)
			}
			if diff := cmp.Diff(want, x.Session); diff != "" {
				t.Errorf("%s, %s: %s", stage, name, diff)
			}
			if diff := cmp.Diff(was(), before.Metadata); diff != "" {
				t.Errorf("%s, %s: the old session is %s", stage, name, diff)
			}
		}
	}
}

// Metadata that is no JSON fails the hook, and nobody's session is nobody's.
func TestWriteBackFaults(t *testing.T) {
	p := start(t)
	c := p.client(t, grapnel.CompatNative)
	p.edits(func(o *wire.Object) {
		o.Session = &wire.SessionState{MetadataJson: map[string]string{"a": "{"}}
		o.Metadata = map[string]string{"a": "1"}
		o.Request.SetHeaders = map[string]string{"A": "1"}
	})
	x := exchange(t, "GET /t/a", "")
	x.Session = fullSession()
	resp, err := keeping(t, c, grapnel.Post).Request(within(t), x)
	wantFault(t, resp, err, `session.metadata_json["a"]: not JSON`)
	if x.Request.Header.Get("A") != "" {
		t.Error("a faulty answer changed the request")
	}
	x.Session = nil
	pass(t, keeping(t, c, grapnel.Post), x)
	if x.Session != nil {
		t.Errorf("session %+v of nobody", x.Session)
	}
}
