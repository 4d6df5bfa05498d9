package config

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

// checkPlugins expects a fault in what follows a good configuration, on line 2.
func checkPlugins(t *testing.T, line, want string) {
	t.Helper()
	if diff := cmp.Diff("g.yaml:2: "+want, failure(t, smallest+"\n"+line+"\n")); diff != "" {
		t.Error(diff)
	}
}

// TestPluginChecks: what one setting of a server says.
func TestPluginChecks(t *testing.T) {
	t.Chdir(t.TempDir())
	writeCertificate(t, ".", "a.pem", "a.key")
	writeCertificate(t, ".", "b.pem", "b.key")
	for name, text := range map[string]string{"token": "t", "empty": " \n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for rest, want := range map[string]string{
		`compat: kong`:                                       `compat: "kong" is not one of native, tyk`,
		`max_receive: 0`:                                     `max_receive: must be at least 1: answers are always bounded`,
		`timeout: 99999999h`:                                 `timeout: "99999999h" is not a duration; write it as 250ms, 30s or 5m`,
		`client: gprc`:                                       `client: "gprc" is not one of direct, grpc`,
		`grpc_authority: "a b"`:                              `grpc_authority: "a b" is not an authority; write it as host or host:port`,
		`balance: { method: random }`:                        `balance.method: "random" is not one of round_robin, least_request, hash, first`,
		`balance: { method: hash }`:                          `balance.hash: missing; it says what keeps to one replica: session, or the name of a header`,
		`balance: { hash: session }`:                         `balance.hash: has no effect while method is least_request`,
		`balance: { method: hash, hash: "a b" }`:             `balance.hash: "a b" is neither session nor the name of a header`,
		`balance: { slow_start: -1s }`:                       `balance.slow_start: "-1s" is negative`,
		`balance: { connections: 0 }`:                        `balance.connections: must be at least 1`,
		`health: { interval: -1s }`:                          `health.interval: "-1s" is negative`,
		`health: { eject: 0 }`:                               `health.eject: must be more than 0; failures: 0 ejects nobody`,
		`health: { max_ejected: 101% }`:                      `health.max_ejected: "101%" is not a share; write it as 5% or 0.5%`,
		`limits: { in_flight: -1 }`:                          `limits.in_flight: must not be negative`,
		`limits: { queue: -1 }`:                              `limits.queue: must not be negative`,
		`limits: { wait: 0 }`:                                `limits.wait: must be more than 0; queue: 0 lets nobody wait`,
		`breaker: { open: 0 }`:                               `breaker.open: must be more than 0; failures: 0 never opens it`,
		`breaker: { probes: 0 }`:                             `breaker.probes: must be at least 1`,
		`tls: { ca: none.pem }`:                              `tls.ca: open none.pem: no such file or directory`,
		`tls: { ca: token }`:                                 `tls.ca: token: there is no PEM block in it`,
		`tls: { cert: a.pem }`:                               `tls.key: missing; a certificate is a cert file and a key file`,
		`tls: { key: a.key }`:                                `tls.cert: missing; a certificate is a cert file and a key file`,
		`tls: { cert: a.pem, key: b.key }`:                   `tls.cert: tls: private key does not match public key`,
		`tls: { spiffe_id: "spiffe://a/b", server_name: c }`: `tls.spiffe_id: stands beside server_name; a certificate is checked for one of them`,
		`tls: { spiffe_id: "spiffe://a/*/b" }`:               `tls.spiffe_id: "spiffe://a/*/b" is not an id; write it as spiffe://domain/path, or spiffe://domain/path/* for all below`,
		`tls: { spiffe_id: "https://a/b" }`:                  `tls.spiffe_id: "https://a/b" is not an id; write it as spiffe://domain/path, or spiffe://domain/path/* for all below`,
		`token_file: token`:                                  `token_file: would go to x:1 in clear; set tls`,
		`token_file: none, tls: {}`:                          `token_file: open none: no such file or directory`,
		`token_file: empty, tls: {}`:                         `token_file: empty is empty`,
	} {
		t.Run(rest, func(t *testing.T) { checkPlugins(t, `plugins: { p: { target: "x:1", `+rest+` } }`, `plugins.p.`+want) })
	}
}

// TestWhere: a server is at one place, and that can be one.
func TestWhere(t *testing.T) {
	const target = "is not a plugin server's target; write it as " + grapnel.TargetForms
	for line, want := range map[string]string{
		`plugins: { p: {} }`:                                                  `plugins.p.target: missing; write it as ` + grapnel.TargetForms + `, or give targets, exec or versions`,
		`plugins: { "p.q": { target: http://x:1 } }`:                          `plugins["p.q"].target: "http://x:1" ` + target,
		`plugins: { p: { target: [python3, x.py] } }`:                         `plugins.p.target: expected a string, found a list`,
		`plugins: { p: { targets: ["x:1", y] } }`:                             `plugins.p.targets[1]: "y" ` + target,
		`plugins: { p: { target: "x:1", targets: ["x:2"] } }`:                 `plugins.p.targets: stands beside target; give one of them`,
		`plugins: { p: { target: "x:1", exec: [a] } }`:                        `plugins.p.exec: stands beside target; give one of them`,
		`plugins: { p: { exec: [a], versions: {q: 1} }, q: {target: "q:1"} }`: `plugins.p.versions: stands beside exec; give one of them`,
		`plugins: { p: { exec: [""] } }`:                                      `plugins.p.exec[0]: missing; it is the command that starts the server`,
	} {
		t.Run(line, func(t *testing.T) { checkPlugins(t, line, want) })
	}
	for _, bad := range []string{"billing", ":5555", "x:0", "x:http", "tcp://billing", "dns://billing:5555", "dns:///billing", "dns://:0/b:1", "srv:///x:1", "srv://", "srv:///",
		"unix://x.sock", "unix:///", "unix-abstract:", "passthrough:///", "http://x:1", "a b:1"} {
		t.Run(bad, func(t *testing.T) {
			checkPlugins(t, `plugins: { p: { target: "`+bad+`" } }`, `plugins.p.target: "`+bad+`" `+target)
		})
	}
}

// TestGoodPlugins: what is unusual and yet right.
func TestGoodPlugins(t *testing.T) {
	t.Chdir(t.TempDir())
	writeCertificate(t, ".", "a.pem", "a.key")
	if err := os.WriteFile("token", []byte("t"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{
		`target: "127.0.0.1:1"`, `target: "tcp://[::1]:1"`, `target: "dns://9.9.9.9/b:1"`, `target: "dns:///b:1"`, `target: "dns:b.c:1"`, `target: "dns:1"`,
		`target: "srv:///_grpc._tcp.b"`, `target: "srv://ns:5353/b"`, `target: "unix:///x"`, `target: "unix:x.sock"`, `target: "unix-abstract:x"`,
		`target: "passthrough:///bufnet"`, `targets: ["a:1", "unix:///b"]`, `exec: [python3, p.py]`,
		`target: "x:1", client: grpc`, `target: "x:1", balance: { method: hash, hash: X-User }`, `target: "x:1", balance: { method: first }`,
		`target: "x:1", health: { failures: 0, eject: 0, interval: 0 }`, `target: "x:1", limits: { in_flight: 0, queue: 0, wait: 0 }`, `target: "x:1", breaker: { failures: 0, open: 0 }`,
		`target: "x:1", tls: {}, token_file: token`, `target: "x:1", tls: { ca: a.pem, cert: a.pem, key: a.key, spiffe_id: "spiffe://a/b/*" }`,
		`target: "127.0.0.1:1", token_file: token`, `target: "localhost:1", token_file: token`, `targets: ["unix:///a", "[::1]:1"], token_file: token`, `exec: [a], token_file: token`,
	} {
		t.Run(p, func(t *testing.T) { mustParse(t, smallest+"\nplugins: { p: { "+p+" } }\n") })
	}
}
