package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

// What hooks are sent unless they say so [L-22, L-49].
func TestSendDefaults(t *testing.T) {
	redacted := grapnel.Send{Session: grapnel.SessionRedacted}
	c, err := Parse("f", []byte(`
plugins: { p: { target: "a:1" }, old: { target: "a:2", compat: tyk }, both: { versions: { p: 9, old: 1 } } }
apis:
- id: a
  listen_path: /a/
  target: http://u
  auth: [{ token: { header: X-Key } }, { plugin: p, hook: Auth, id_extractor: { extract_from: header, extract_with: value, header: authorization } }]
  hooks:
    pre: [{ plugin: p, hook: h }]
    post:
    - { plugin: p, hook: h }
    - { plugin: old, hook: h }
    - { plugin: p, hook: h, send: { headers: [X-*], session: full } }
    - { plugin: p, hook: h, send: { hide_headers: [Cookie], body: 64KiB, body_over: skip } }
    - { plugin: both, hook: h }
`), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	h := c.APIs[0].Hooks
	got := []grapnel.Send{h.Pre[0].Send, c.APIs[0].Auth[1].Send, h.Post[0].Send, h.Post[1].Send, h.Post[2].Send, h.Post[3].Send, h.Post[4].Send}
	want := []grapnel.Send{
		{}, {}, redacted, {},
		{Headers: []string{"X-*"}, Session: grapnel.SessionFull},
		{HideHeaders: []string{"Cookie"}, Session: grapnel.SessionRedacted, Body: 64 << 10, BodyOver: grapnel.OverSkip},
		{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSendFaults(t *testing.T) {
	hook := func(stage, rest string) string {
		return "hooks: { " + stage + ": [{ plugin: p, hook: h, " + rest + " }] }"
	}
	at := "apis[0].hooks.post[0]."
	for lines, want := range map[string]string{
		hook("post", "send: { body: some }"):                                         at + `send.body: "some" is neither full nor none nor a size`,
		hook("post", "send: { body_over: skip }"):                                    at + `send.body_over: has no effect unless body is a size`,
		hook("post", "send: { body: 1KiB, body_over: cut }"):                         at + `send.body_over: "cut" is not one of`,
		hook("post", "send: { session: half }"):                                      at + `send.session: "half" is not one of`,
		hook("post", "send: { body: none, decode_body: true }"):                      at + `send.decode_body: has no effect`,
		hook("post", "send: { body: 1KiB, body_over: truncate, decode_body: true }"): at + `send.decode_body: the beginning`,
		hook("post", "send: { headers: [X], hide_headers: [Y] }"):                    at + `send.hide_headers: stands beside headers`,
		hook("post", "send: { headers: ['X-*-Y'] }"):                                 at + `send.headers[0]: "X-*-Y" is neither`,
		hook("post", "facts: [form], send: { body: none }"):                          at + `send.body: facts asks for the form`,
		hook("post", "write_back: true, send: { session: none }"):                    at + `send.session: write_back keeps`,
		hook("post", "may: { set_headers: ['a b'] }"):                                at + `may.set_headers[0]: "a b" is neither`,
		hook("post", "may: { status: true }"):                                        at + `may.status: has no effect in post hooks`,
		hook("post", "may: { session: true }"):                                       at + `may.session: has no effect without write_back`,
		hook("post", "on: [gateway]"):                                                at + `on: is for response hooks`,
		hook("post", "may_override: true"):                                           at + `may_override: is for response hooks`,
		hook("post", "stream: true, send: { body: none }"):                           at + `stream: passes the body as it is`,
		hook("post", "stream: true, facts: [form]"):                                  at + `stream: facts asks for the form`,
		hook("post", "stream: true, may: { url: true }"):                             at + `may.body: a body that passes`,
		hook("pre", "stream: true"):                                                  `apis[0].hooks.pre[0].stream: is for post and response hooks`,
		hook("response", "on: [nowhere]"):                                            `apis[0].hooks.response[0].on[0]: "nowhere" is not one of upstream, gateway`,
		hook("response", "may: { url: true }"):                                       `apis[0].hooks.response[0].may.url: has no effect in response hooks`,
	} {
		_, err := Parse("f", oneAPI(lines), noEnv)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", lines, err, want)
		}
	}
}
