package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

// oneAPI is a configuration with two plugin servers and these lines in its API.
func oneAPI(lines string) []byte {
	return []byte("plugins:\n  p: { target: a:1 }\n  q: { target: a:2 }\n" +
		"apis:\n- id: a\n  listen_path: /a/\n  target: http://u\n  " + strings.ReplaceAll(lines, "\n", "\n  ") + "\n")
}

func TestLadder(t *testing.T) {
	for text, want := range map[string][]grapnel.Step{
		"ignore":                   {{Kind: grapnel.StepIgnore}},
		"{deny: 503}":              {{Kind: grapnel.StepDeny, Status: 503}},
		"{plugin: q}":              {{Kind: grapnel.StepPlugin, Plugin: "q"}},
		"[retry, retry, deny]":     {{Kind: grapnel.StepRetry}, {Kind: grapnel.StepRetry}, {Kind: grapnel.StepDeny}},
		"[{plugin: q}, retry]":     {{Kind: grapnel.StepPlugin, Plugin: "q"}, {Kind: grapnel.StepRetry}},
		"[{plugin: '${Q}'}, deny]": {{Kind: grapnel.StepPlugin, Plugin: "q"}, {Kind: grapnel.StepDeny}},
	} {
		c, err := Parse("f", oneAPI("hooks: { pre: [{ plugin: p, hook: h, on_error: "+text+" }] }"), func(string) (string, bool) { return "q", true })
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, c.APIs[0].Hooks.Pre[0].OnError); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	c, err := Parse("f", oneAPI("auth: [{ plugin: p, on_error: [{cached: 5m}, ignore], let_anyone_in_while_the_plugin_is_down: true }]"), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.APIs[0].Auth[0].OnError[0].MaxAge; got != grapnel.Duration(300e9) {
		t.Errorf("max age %v", got)
	}
	warnings := Warnings(c)
	if len(warnings) != 1 || warnings[0].Path != "apis[0].auth[0].let_anyone_in_while_the_plugin_is_down" {
		t.Errorf("warnings %+v", warnings)
	}
}

func noEnv(string) (string, bool) { return "", false }

// What cannot be meant is told, with line and path.
func TestHookFaults(t *testing.T) {
	pre := func(rest string) string { return "hooks: { pre: [{ plugin: p, hook: h, " + rest + " }] }" }
	auth := func(rest string) string { return "auth: [{ plugin: p, " + rest + " }]" }
	for lines, want := range map[string]string{
		pre("on_error: denied"):                                          `f:8: apis[0].hooks.pre[0].on_error[0]: "denied" is not a step`,
		pre("on_error: [{deny: 200}]"):                                   `apis[0].hooks.pre[0].on_error[0].deny: "200" is not the status of an error`,
		pre("on_error: [{deny: 503, retry: 1}]"):                         `apis[0].hooks.pre[0].on_error[0]: expected one key, found 2`,
		pre("on_error: [{plugin: [a]}]"):                                 `apis[0].hooks.pre[0].on_error[0].plugin: expected a single value, found a list`,
		pre("on_error: [{cached: 0}]"):                                   `on_error[0]: cached is for auth hooks`,
		pre("on_error: plugin"):                                          `plugin needs a name`,
		pre("on_error: [{retry: 2}]"):                                    `retry stands alone`,
		pre("on_error: [deny, retry]"):                                   `apis[0].hooks.pre[0].on_error[0]: deny ends the list`,
		pre("on_error: [{plugin: r}]"):                                   `apis[0].hooks.pre[0].on_error[0].plugin: no plugin "r"`,
		pre("on_error: [{plugin: p}]"):                                   `"p" is the server that has just failed`,
		pre("let_anyone_in_while_the_plugin_is_down: true"):              `has no effect; it is for auth hooks`,
		pre("optional: true"):                                            `has no effect without plugins_budget`,
		pre("when: 'request.foo'"):                                       `f:8: apis[0].hooks.pre[0].when: column 8: undeclared reference`,
		pre("paths: [/a, b]"):                                            `apis[0].hooks.pre[0].paths[1]: "b" does not begin with a slash`,
		pre("methods: [get]"):                                            `apis[0].hooks.pre[0].methods[0]: "get" is not a method`,
		pre("sample: 101%"):                                              `"101%" is not a share`,
		auth("when: 'true'"):                                             `apis[0].auth[0].when: auth hooks have no conditions`,
		auth("sample: 5%"):                                               `apis[0].auth[0].sample: auth hooks have no conditions`,
		auth("methods: [GET]"):                                           `apis[0].auth[0].methods: auth hooks have no conditions`,
		auth("on_error: ignore"):                                         `would let everyone in while the plugin is down; if that is meant`,
		auth("on_error: [{cached: 0}]"):                                  `apis[0].auth[0].on_error[0].cached: must be more than 0`,
		auth("on_error: [{cached: 5m}, retry]"):                          `retry asks the plugin server before it`,
		"auth: [{ token: {} }, { plugin: p, on_error: [{cached: 5m}] }]": `apis[0].auth[1].on_error[0]: cached needs an id_extractor`,
		auth("let_anyone_in_while_the_plugin_is_down: true"):             `has no effect`,
		auth("optional: true") + "\nplugins_budget: 1s":                  `auth hooks cannot be`,
		"hooks: { response: [{ plugin: p, hook: h, when: '1' }] }":       `apis[0].hooks.response[0].when: gives int`,
	} {
		_, err := Parse("f", oneAPI(lines), noEnv)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("%s:\n got %v\nwant %s", lines, err, want)
		}
	}
}

func TestVersionFaults(t *testing.T) {
	for versions, want := range map[string]string{
		"versions: { p: 1, none: 1 }":                `plugins.v.versions.none: no plugin "none"`,
		"versions: { p: 0 }":                         `plugins.v.versions: none of them has a weight`,
		"versions: { p: -1, q: 2 }":                  `plugins.v.versions.p: must not be negative`,
		"versions: { p: 1, v: 1 }":                   `plugins.v.versions.v: "v" has versions itself`,
		"versions: { p: 1 }, shadow: none":           `plugins.v.shadow: no plugin "none"`,
		"versions: { p: 1 }, sticky: 'not a name'":   `plugins.v.sticky: "not a name" is neither session nor`,
		"target: a:1, shadow: p":                     `plugins.v: shadow and sticky belong to versions`,
		"versions: { p: 1 }, tls: {}":                `plugins.v.tls: has no effect beside versions; it is for the servers that they name`,
		"versions: { p: 1 }, breaker: {failures: 5}": `plugins.v.breaker: has no effect beside versions`,
		"versions: { p: 1 }, compat: tyk":            `plugins.v.compat: has no effect beside versions`,
		"versions: { p: 1 }, timeout: 3s":            "",
		"versions: { p: 1, q: 3 }, sticky: session":  "",
	} {
		text := strings.Replace(string(oneAPI("keyless: x")), "plugins:\n", "plugins:\n  v: { "+versions+" }\n", 1)
		_, err := Parse("f", []byte(strings.Replace(text, "keyless: x", "name: x", 1)), noEnv)
		if got := ""; want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v %s", versions, err, got)
		}
	}
}
