package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

// TestStoreChecks: the form of the store's URL. Its password is never told.
func TestStoreChecks(t *testing.T) {
	const forms = "it is a file name, memory:, redis://, rediss:// (TLS), redis+sentinel:// or redis+cluster://"
	for url, want := range map[string]string{
		`mysql://u:hidden@h/x`:         `the scheme "mysql" is not one of a store; ` + forms,
		`redisss://u:hidden@h`:         `the scheme "redisss" is not one of a store; ` + forms,
		`redis+ring://h`:               `the scheme "redis+ring" is not one of a store; ` + forms,
		`redis://`:                     `the host is missing; write it as redis://host:port`,
		`rediss+cluster://u:hidden@/0`: `the host is missing; write it as rediss+cluster://host:port`,
	} {
		got := failure(t, smallest+"\nstore: \""+url+"\"\n")
		if diff := cmp.Diff("g.yaml:2: store: "+want, got); diff != "" {
			t.Errorf("%s:\n%s", url, diff)
		}
		if strings.Contains(got, "hidden") {
			t.Errorf("%s: the password is told: %s", url, got)
		}
	}
	for _, url := range []string{
		"", "grapnel.db", "/var/lib/grapnel/keys.db", "file:keys.db", "file:///keys.db", "memory:", "redis://h", "rediss://u:p@h:1/2?timeout=1s",
		"redis+sentinel://a,b/master", "rediss+sentinel://a/m", "redis+cluster://a,b", "rediss+cluster://a",
	} {
		if c := mustParse(t, smallest+"\nstore: \""+url+"\"\n"); c.Store != url {
			t.Errorf("%s became %s", url, c.Store)
		}
	}
}

// TestKeyChecks: the line follows a good configuration, on line 2.
func TestKeyChecks(t *testing.T) {
	for line, want := range map[string]string{
		`keys: { legacy_hashes: [sha256] }`: `keys.legacy_hashes[0]: "sha256" is not one of murmur32, murmur64, murmur128`,
		`keys: { min_length: 0 }`:           `keys.min_length: must be at least 1`,
		`keys: { cache_for: -1s }`:          `keys.cache_for: "-1s" is negative`,
		`keys: { function: sha256 }`:        `keys.function: unknown key`,
		`policies: nowhere`:                 `policies: stat nowhere: no such file or directory`,
	} {
		if diff := cmp.Diff("g.yaml:2: "+want, failure(t, smallest+"\n"+line+"\n")); diff != "" {
			t.Errorf("%s:\n%s", line, diff)
		}
	}
	if k := mustParse(t, smallest).Keys; !k.Hash || k.MinLength != 3 || k.CacheFor == 0 || k.Unrestricted || k.List {
		t.Errorf("the defaults are not those that the documentation gives: %+v", k)
	}
}

// TestSessionChecks: what an API says of sessions and of its own rate.
func TestSessionChecks(t *testing.T) {
	const api = "plugins: { p: { target: \"p:1\" } }\napis: [{id: a, listen_path: /a, target: http://a, "
	for text, want := range map[string]string{
		`base_identity: custom_auth`:                          `base_identity: has no effect without auth`,
		`auth: [{token: {}}], base_identity: custom_auth`:     `base_identity: "custom_auth" is not one of auth_token`,
		`auth: [{token: {}}, {plugin: p}], base_identity: jw`: `base_identity: "jw" is not one of auth_token, custom_auth`,
		`session_lifetime: forever`:                           `session_lifetime: "forever" is not a duration; write it as 250ms, 30s or 5m`,
		`rate_limit: {rate: 5}`:                               `rate_limit.per: missing; it says in how many seconds rate requests may come`,
		`rate_limit: {rate: .inf, per: 1}`:                    `rate_limit.rate: expected a number, found .inf`,
		`rate_limit: {rate: "5", per: 1}`:                     `rate_limit.rate: expected a number, found the string "5"`,
		`rate_limit: {rate: -5, per: 1}`:                      `rate_limit: must not be negative`,
	} {
		if diff := cmp.Diff("g.yaml:2: apis[0]."+want, failure(t, api+text+"}]")); diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
	}
	c := mustParse(t, api+"rate_limit: {rate: 0.5, per: 60}, disable_quota: true, auth: [{token: {}}, {plugin: p}], base_identity: auth_token}]")
	if l := c.APIs[0].Limits; l.RateLimit.Rate != 0.5 || l.RateLimit.Per != 60 || !l.DisableQuota || l.DisableRate {
		t.Errorf("limits %+v", l)
	}
}

// TestExtractorChecks: an extractor that finds nothing in any request, or the
// same in all, is refused at load [I-8, L-33].
func TestExtractorChecks(t *testing.T) {
	const at = "g.yaml:2: apis[0].auth[0].id_extractor"
	for entry, want := range map[string]string{
		`token: {}, id_extractor: {}`:                                                                                 ": goes with a plugin only; the other methods know their callers' ids",
		`plugin: p, id_extractor: {extract_from: header, extract_with: value}`:                                        ".header: missing; it names the header to look in",
		`plugin: p, id_extractor: {extract_from: form, extract_with: value}`:                                          ".param: missing; it names the parameter to look in",
		`plugin: p, id_extractor: {extract_from: body, extract_with: value}`:                                          ": a body has no value of its own: all callers would share one session; take a regex or xpath",
		`plugin: p, id_extractor: {extract_from: querystring, extract_with: value}`:                                   `.extract_from: "querystring" is not one of header, form, body`,
		`plugin: p, id_extractor: {extract_with: value}`:                                                              `.extract_from: "" is not one of header, form, body`,
		`plugin: p, id_extractor: {extract_from: header, header: A, extract_with: guess}`:                             `.extract_with: "guess" is not one of value, regex, xpath`,
		`plugin: p, id_extractor: {extract_from: body, extract_with: regex}`:                                          ".expression: missing; it says what of the text is the id",
		`plugin: p, id_extractor: {extract_from: body, extract_with: regex, expression: "("}`:                         ".expression: error parsing regexp: missing closing ): `(`",
		`plugin: p, id_extractor: {extract_from: body, extract_with: regex, expression: a, index: -1}`:                ".index: must not be negative",
		`plugin: p, id_extractor: {extract_from: body, extract_with: xpath, expression: "//a["}`:                      `.expression: "//a[" is not an XPath: expression must evaluate to a node-set`,
		`plugin: p, id_extractor: {extract_from: body, extract_with: xpath, expression: "count(//a)"}`:                `.expression: the XPath "count(//a)" does not select nodes`,
		`plugin: p, id_extractor: {extract_from: header, extract_with: value, header: A, header_name: Authorization}`: ".header_name: unknown key",
	} {
		t.Run(entry, func(t *testing.T) {
			if diff := cmp.Diff(at+want, failure(t, withAuth+"{"+entry+"}]}]")); diff != "" {
				t.Error(diff)
			}
		})
	}
	mustParse(t, withAuth+`{plugin: p, id_extractor: {extract_from: body, extract_with: xpath, expression: "//object/key"}}]}]`)
}

// TestWebhookChecks: a webhook that could not be called is refused at load.
func TestWebhookChecks(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken")
	if err := os.WriteFile(broken, []byte("{{.Type"), 0o600); err != nil {
		t.Fatal(err)
	}
	const api = "apis: [{id: a, listen_path: /a, target: http://a, events: {AuthFailure: ["
	const at = "g.yaml:1: apis[0].events.AuthFailure[0]"
	for handler, want := range map[string]string{
		`webhook: {}`:                                        ".webhook.url: missing; write it as https://host/path",
		`webhook: {url: ftp://h}`:                            `.webhook.url: the scheme "ftp" is not one of http, https`,
		`webhook: {url: http://h, method: TELL}`:             `.webhook.method: "TELL" is not one of GET, POST, PUT, PATCH, DELETE`,
		`webhook: {url: http://h, timeout: 0}`:               ".webhook.timeout: must be more than 0: tries are always bounded",
		`webhook: {url: http://h, template: nowhere}`:        ".webhook.template: open nowhere: no such file or directory",
		`webhook: {url: http://h, headers: {"a b": c}}`:      `.webhook.headers["a b"]: is not a header that HTTP allows`,
		`webhook: {url: http://h}, handler: x`:               ": is a webhook and a handler at once; each entry of the list is one",
		`webhook: {url: http://h, template: ` + broken + `}`: ".webhook.template: template: broken:1: unclosed action",
	} {
		if diff := cmp.Diff(at+want, failure(t, api+"{"+handler+"}]}}]")); diff != "" {
			t.Errorf("%s:\n%s", handler, diff)
		}
	}
	c := mustParse(t, api+"{webhook: {url: http://h}}]}}]")
	if w := c.APIs[0].Events["AuthFailure"][0].Webhook; w.Method != "POST" || w.Timeout == 0 || w.Quiet != 0 {
		t.Errorf("%+v", w)
	}
}

// TestCredential: events tell the key that was presented, wherever that stands.
func TestCredential(t *testing.T) {
	for entries, want := range map[string]grapnel.Credential{
		``:                     {Header: "Authorization"},
		`{plugin: p}`:          {Header: "Authorization"},
		`{token: {cookie: c}}`: {Header: "Authorization", Cookie: "c"},
		`{plugin: p}, {basic: {header: B}}, {token: {}}`:     {Header: "B"},
		`{hmac: {header: H}}`:                                {Header: "H"},
		`{jwt: {algorithms: [RS256], header: "", param: t}}`: {Param: "t"},
	} {
		if got := mustParse(t, withAuth+entries+"]}]").APIs[0].Credential; got != want {
			t.Errorf("%s: %+v, want %+v", entries, got, want)
		}
	}
}
