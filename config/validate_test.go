package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/grapnel-gateway/grapnel"
)

// TestServerChecks: the line follows a good configuration, on line 2.
func TestServerChecks(t *testing.T) {
	const address = "is not an address; write it as :8080 or 127.0.0.1:8080"
	for line, want := range map[string]string{
		`listen: ""`:                            `listen: "" ` + address,
		`listen: localhost`:                     `listen: "localhost" ` + address,
		`listen: "1.2.3.4:http"`:                `listen: "1.2.3.4:http" ` + address,
		`listen: ":65536"`:                      `listen: ":65536" ` + address,
		`listen: "a b:80"`:                      `listen: "a b:80" ` + address,
		`listen: "http://x:80"`:                 `listen: "http://x:80" ` + address,
		`admin: { listen: "9696" }`:             `admin.listen: "9696" ` + address,
		`admin: { listen: ":9696" }`:            `admin.listen: ":9696" can be reached from other machines; set admin.secret, or listen on 127.0.0.1`,
		`admin: { listen: "10.0.0.1:9696" }`:    `admin.listen: "10.0.0.1:9696" can be reached from other machines; set admin.secret, or listen on 127.0.0.1`,
		`admin: { listen: ":8080", secret: x }`: `admin.listen: is :8080, as the main listener is; give it an address of its own, or "" for none`,
		`admin: { health: hello }`:              `admin.health: "hello" does not begin with a slash`,
		`tls: { min_version: "1.1" }`:           `tls.min_version: "1.1" is not one of 1.2, 1.3`,
		`tls: { client_certificates: always }`:  `tls.client_certificates: "always" is not one of none, request, require`,
		`tls: { client_certificates: request, client_ca: nowhere.pem }`:    `tls.client_ca: open nowhere.pem: no such file or directory`,
		`tls: { certificates: [{ cert: a }] }`:                             `tls.certificates[0].key: missing; a certificate is a cert file and a key file`,
		`tls: { certificates: [{ key: a }] }`:                              `tls.certificates[0].cert: missing; a certificate is a cert file and a key file`,
		`tls: { certificates: [{ cert: nowhere.pem, key: nowhere.key }] }`: `tls.certificates[0]: open nowhere.pem: no such file or directory`,
		`limits: { header: 0 }`:                                            `limits.header: must be at least 1: headers are always bounded`,
		`log: { level: warning }`:                                          `log.level: "warning" is not one of debug, info, warn, error`,
		`log: { format: JSON }`:                                            `log.format: "JSON" is not one of text, json`,
	} {
		t.Run(line, func(t *testing.T) {
			if diff := cmp.Diff("g.yaml:2: "+want, failure(t, smallest+"\n"+line+"\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAPIChecks: the line goes on with an API that has an id, on line 5.
func TestAPIChecks(t *testing.T) {
	const events = "AuthFailure, VersionFailure, KeyExpired, RatelimitExceeded, QuotaExceeded, TokenCreated, TokenUpdated, TokenDeleted"
	const first = `plugins: { billing: { target: "billing:5555" } }
apis:
  - { id: first, listen_path: /first/, target: http://first, hosts: [Shop.Example, other.example] }
  - id: a
`
	place := func(more string) string { return "    listen_path: /a\n    target: http://a\n    " + more }
	for text, want := range map[string]string{
		"    target: http://a":                                                        `g.yaml:4: apis[1].listen_path: missing; write it as /orders/`,
		"    listen_path: /a":                                                         `g.yaml:4: apis[1].target: missing; give the API a target, or a list of targets`,
		"    listen_path: a\n    target: http://a":                                    `g.yaml:5: apis[1].listen_path: "a" does not begin with a slash`,
		"    listen_path: /a b\n    target: http://a":                                 `g.yaml:5: apis[1].listen_path: "/a b" contains a space`,
		"    listen_path: /a\n    target: ftp://a":                                    `g.yaml:6: apis[1].target: the scheme "ftp" is not one of http, https, h2c, ws, wss, tyk`,
		place("upstream_client: fast"):                                                `g.yaml:7: apis[1].upstream_client: "fast" is not one of direct, standard`,
		"    listen_path: /a\n    target: h2c://a\n    upstream_client: direct":       `g.yaml:7: apis[1].upstream_client: is direct, which speaks HTTP/1.1 only, and a target has the scheme h2c`,
		"    listen_path: /a\n    target: localhost:80":                               `g.yaml:6: apis[1].target: "localhost:80" is not an absolute URL; write it as http://host:port/path`,
		"    listen_path: /a\n    target: \"http://a b\"":                             `g.yaml:6: apis[1].target: "http://a b" is not a URL: parse "http://a b": invalid character " " in host name`,
		"    listen_path: /a\n    targets: []":                                        `g.yaml:4: apis[1].target: missing; give the API a target, or a list of targets`,
		"    listen_path: /a\n    targets: [tyk://b]":                                 `g.yaml:6: apis[1].targets[0]: the scheme "tyk" is not one of http, https, h2c, ws, wss`,
		place("targets: [http://b]"):                                                  `g.yaml:7: apis[1].targets: stands beside target; give one of them`,
		place("hosts: [http://x, ok]"):                                                `g.yaml:7: apis[1].hosts[0]: "http://x" is not a host name; write it as shop.example or *.shop.example`,
		place("auth: [{ hook: A }]"):                                                  `g.yaml:7: apis[1].auth[0].plugin: missing; it names one of the plugins`,
		place("auth: [{ plugin: biling }]"):                                           `g.yaml:7: apis[1].auth[0].plugin: no plugin "biling"; did you mean "billing"?`,
		place("hooks: { pre: [{ plugin: billing }] }"):                                `g.yaml:7: apis[1].hooks.pre[0].hook: missing; it says which function of the plugin is asked`,
		place("hooks: { response: [{ plugin: x, hook: A }] }"):                        `g.yaml:7: apis[1].hooks.response[0].plugin: no plugin "x"`,
		place("hooks: { auth: [] }"):                                                  `g.yaml:7: apis[1].hooks.auth: unknown key`,
		place("hooks: { pre: [{ plugin: billing, hook: h, facts: [claim] }] }"):       `g.yaml:7: apis[1].hooks.pre[0].facts[0]: "claim" is not one of client, tls, certificate, route, claims, graphql, form`,
		place("hooks: { pre: [{ plugin: billing, hook: h, write_back: true }] }"):     `g.yaml:7: apis[1].hooks.pre[0].write_back: there is no session yet whose metadata could be kept; it is for post_key_auth, post and response hooks`,
		place("hooks: { pre: [~] }"):                                                  `g.yaml:7: apis[1].hooks.pre[0]: expected a mapping, found nothing`,
		place("events: { AuthFailur: [{}] }"):                                         `g.yaml:7: apis[1].events.AuthFailur: unknown event; there are ` + events + `; did you mean "AuthFailure"?`,
		place("events: { HostDown: [] }"):                                             `g.yaml:7: apis[1].events.HostDown: unknown event; there are ` + events,
		place("events: { AuthFailure: [{ plugin: b, handler: h }] }"):                 `g.yaml:7: apis[1].events.AuthFailure[0].plugin: no plugin "b"`,
		place("events: { AuthFailure: [{ plugin: billing }] }"):                       `g.yaml:7: apis[1].events.AuthFailure[0].handler: missing; it says which handler of the plugin is told`,
		place("cors: { allow_credentials: true, allowed_origins: ['*'] }"):            `g.yaml:7: apis[1].cors.allow_credentials: needs allowed_origins that are named: browsers refuse credentials for all origins`,
		place("cors: { allow_credentials: true }"):                                    `g.yaml:7: apis[1].cors.allow_credentials: needs allowed_origins that are named: browsers refuse credentials for all origins`,
		place("cors: { max_age: -1 }"):                                                `g.yaml:7: apis[1].cors.max_age: must not be negative`,
		place("cors: { max_age: 1m }"):                                                `g.yaml:7: apis[1].cors.max_age: expected a whole number, found the string "1m"`,
		place("addresses: { allow: [10.0.0.1] }"):                                     `g.yaml:7: apis[1].addresses.allow[0]: "10.0.0.1" is not a network; write it as 10.0.0.0/8, or 10.0.0.1/32 for one address`,
		place("") + "\n  - { id: a, listen_path: /b, target: http://b }":              `g.yaml:8: apis[2].id: "a" is the id of apis[1] already`,
		place("") + "\n  - { id: b, listen_path: /a/, target: http://b }":             `g.yaml:8: apis[2].listen_path: "/a/" belongs to the API "a" already`,
		"    hosts: [x, shop.example]\n    listen_path: /first\n    target: http://a": `g.yaml:6: apis[1].listen_path: "/first" belongs to the API "first" already`,
	} {
		t.Run(text, func(t *testing.T) {
			if diff := cmp.Diff(want, failure(t, first+text+"\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestGood: what is unusual and yet right.
func TestGood(t *testing.T) {
	for name, text := range map[string]string{
		"no admin":             `admin: { listen: "" }`,
		"admin on ::1":         `admin: { listen: "[::1]:9696" }`,
		"admin on localhost":   `admin: { listen: "localhost:9696" }`,
		"admin with a secret":  `admin: { listen: ":9696", secret: s3cret }`,
		"any free ports":       "listen: 127.0.0.1:0\nadmin: { listen: 127.0.0.1:0 }",
		"same path elsewhere":  `apis: [{id: a, listen_path: /, target: http://a, hosts: [a]}, {id: b, listen_path: /, target: http://b}, {id: c, listen_path: /c, target: http://c}]`,
		"one hook many times":  `{plugins: {p: {target: "p:1"}}, apis: [{id: a, listen_path: /a, target: http://a, hooks: {pre: [{plugin: p, hook: h}, {plugin: p, hook: h}]}}]}`,
		"facts and write_back": `{plugins: {p: {target: "p:1"}}, apis: [{id: a, listen_path: /a, target: http://a, hooks: {post: [{plugin: p, hook: h, write_back: true, facts: [client, tls, certificate, route, claims, graphql, form]}]}}]}`,
		"nameless auth [B-30]": `{plugins: {p: {target: "p:1"}}, apis: [{id: a, listen_path: /a, target: http://a, auth: [{plugin: p}]}]}`,
		"another API":          `apis: [{id: a, listen_path: /a, target: "tyk://b/x"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(text, "apis:") {
				text += "\n" + smallest
			}
			mustParse(t, text)
		})
	}
}

// TestCertificates: a key that belongs to another certificate is found at
// load, not at the first handshake.
func TestCertificates(t *testing.T) {
	t.Chdir(t.TempDir())
	writeCertificate(t, ".", "a.pem", "a.key")
	writeCertificate(t, ".", "b.pem", "b.key")
	const text = smallest + "\ntls: { certificates: [{ cert: a.pem, key: a.key }, { cert: a.pem, key: b.key }] }"
	want := "g.yaml:2: tls.certificates[1]: tls: private key does not match public key"
	if diff := cmp.Diff(want, failure(t, text)); diff != "" {
		t.Error(diff)
	}
	c := mustParse(t, strings.Replace(text, "b.key", "a.key", 1))
	if diff := cmp.Diff(grapnel.TLS{MinVersion: "1.2", ClientCertificates: "none", Certificates: []grapnel.Certificate{{Cert: "a.pem", Key: "a.key"}, {Cert: "a.pem", Key: "a.key"}}}, c.TLS); diff != "" {
		t.Error(diff)
	}
}
