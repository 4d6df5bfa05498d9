package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// failure reads a bad configuration and returns its error.
func failure(t *testing.T, text string) string {
	t.Helper()
	c, err := Parse("g.yaml", []byte(text), environment(map[string]string{"PORT": "80", "SECRET": "s3cret", "EMPTY": ""}))
	if err == nil {
		t.Fatalf("accepted:\n%s", text)
	}
	if c != nil {
		t.Error("a configuration came with the error")
	}
	return err.Error()
}

// TestFiles: what is no usable document at all.
func TestFiles(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty":       {"", `g.yaml: the file is empty; it needs at least one API`},
		"comments":    {"# nothing\n", `g.yaml: the file is empty; it needs at least one API`},
		"null":        {"---\n", "g.yaml:2: expected a mapping, found nothing"},
		"list":        {"- a", "g.yaml:1: expected a mapping, found a list"},
		"text":        {"hello", `g.yaml:1: expected a mapping, found the string "hello"`},
		"two":         {smallest + "\n---\n" + smallest, "g.yaml:2: a second document begins here; a configuration is one document"},
		"syntax":      {"listen: :80\napis: {]\n", "g.yaml:2: did not find expected node content"},
		"tab":         {"apis:\n\t- id: a\n", "g.yaml:2: found character that cannot start any token"},
		"no alias":    {"apis: *a", "g.yaml: unknown anchor 'a' referenced"},
		"no apis":     {"listen: :80\n", "g.yaml:1: apis: missing; a gateway needs at least one API"},
		"empty apis":  {"listen: :80\napis: []", "g.yaml:2: apis: missing; a gateway needs at least one API"},
		"syntax late": {smallest + "\n---\n]", "g.yaml:3: did not find expected node content"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, failure(t, test.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestStrictness: the line follows a good configuration, on line 2.
func TestStrictness(t *testing.T) {
	for line, want := range map[string]string{
		`lisen: ":80"`:                          `lisen: unknown key; did you mean "listen"?`,
		`databse: x`:                            `databse: unknown key`,
		`apis: []`:                              `apis: duplicate key; it stands on line 1 already`,
		`"a b": 1`:                              `["a b"]: unknown key`,
		`? [a]` + "\n: 1":                       `a key must be a single word, not a list`,
		`<<: {listen: ":80"}`:                   `merge keys (<<) are not supported; write the keys out, or use an alias for a whole value`,
		`listen: 8080`:                          `listen: expected a string, found 8080; put it in quotes`,
		`listen: true`:                          `listen: expected a string, found true; put it in quotes`,
		`listen:`:                               `listen: expected a string, found nothing`,
		`listen: [a]`:                           `listen: expected a string, found a list`,
		`tls: { min_version: 1.2 }`:             `tls.min_version: expected a string, found 1.2; put it in quotes`,
		`listen: !!str 80`:                      `listen: tags like !!str are not supported`,
		`admin: !x {}`:                          `admin: tags like !x are not supported`,
		`admin: localhost`:                      `admin: expected a mapping, found the string "localhost"`,
		`admin: ~`:                              `admin: expected a mapping, found nothing`,
		`plugins: []`:                           `plugins: expected a mapping, found a list`,
		`plugins: { billing: }`:                 `plugins.billing: expected a mapping, found nothing`,
		`log: { access: yes }`:                  `log.access: expected true or false, found the string "yes"`,
		`log: { access: "true" }`:               `log.access: expected true or false, found the string "true"`,
		`log: { access: 1 }`:                    `log.access: expected true or false, found 1`,
		`log: { access: [] }`:                   `log.access: expected true or false, found a list`,
		`timeouts: { idle: 5 }`:                 `timeouts.idle: "5" is not a duration; write it as 250ms, 30s or 5m`,
		`timeouts: { idle: -5s }`:               `timeouts.idle: "-5s" is negative`,
		`timeouts: { idle: }`:                   `timeouts.idle: expected a single value, found nothing`,
		`timeouts: { idle: "" }`:                `timeouts.idle: is empty`,
		`timeouts: { idle: {} }`:                `timeouts.idle: expected a single value, found a mapping`,
		`limits: { body: 4 mebibytes }`:         `limits.body: "4 mebibytes" is not a size; write it as 65536, 64KiB or 4MiB`,
		`trusted_proxies: 10.0.0.0/8`:           `trusted_proxies: expected a list, found the string "10.0.0.0/8"`,
		`trusted_proxies: [10.0.0.0/8, "::/x"]`: `trusted_proxies[1]: "::/x" is not a network; write it as 10.0.0.0/8, or 10.0.0.1/32 for one address`,
	} {
		t.Run(line, func(t *testing.T) {
			if diff := cmp.Diff("g.yaml:2: "+want, failure(t, smallest+"\n"+line+"\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAllProblemsAtOnce: every problem is told, in the order of the file,
// whether reading or checking found it; what could not be read is not
// complained about twice.
func TestAllProblemsAtOnce(t *testing.T) {
	const text = `# line 1
admin: { listen: 0.0.0.0:9696 }
log:
  level: verbose
  format: 3
plugins:
  billing: { target: dns:///billing:5555, tmeout: 1s }
apis:
  - id: orders
    listen_path: orders
    target: orders:9000
    hooks:
      pre:
        - { plugin: billing, hook: A }
        - { plguin: billing, hook: B }
  - listen_path: /b/
    targets: [ftp://b]
    auth: [{ plugin: bilingz }]
`
	const want = `g.yaml:2: admin.listen: "0.0.0.0:9696" can be reached from other machines; set admin.secret, or listen on 127.0.0.1
g.yaml:4: log.level: "verbose" is not one of debug, info, warn, error
g.yaml:5: log.format: expected a string, found 3; put it in quotes
g.yaml:7: plugins.billing.tmeout: unknown key; did you mean "timeout"?
g.yaml:10: apis[0].listen_path: "orders" does not begin with a slash
g.yaml:11: apis[0].target: "orders:9000" is not an absolute URL; write it as http://host:port/path
g.yaml:15: apis[0].hooks.pre[1].plguin: unknown key; did you mean "plugin"?
g.yaml:15: apis[0].hooks.pre[1].plugin: missing; it names one of the plugins
g.yaml:16: apis[1].id: missing; it names the API to plugins and in logs
g.yaml:17: apis[1].targets[0]: the scheme "ftp" is not one of http, https, h2c, ws, wss
g.yaml:18: apis[1].auth[0].plugin: no plugin "bilingz"; did you mean "billing"?`
	if diff := cmp.Diff(want, failure(t, text)); diff != "" {
		t.Error(diff)
	}
}

// TestAliases: a value may be used again; it cannot contain itself, nor grow
// without bound. What cannot be read at all leaves no hole behind.
func TestAliases(t *testing.T) {
	c := mustParse(t, `
apis:
  - { id: a, listen_path: /a, target: &t http://up, addresses: &inside { allow: [10.0.0.0/8] } }
  - { id: b, listen_path: /b, target: *t, addresses: *inside }
`)
	if diff := cmp.Diff(c.APIs[0].Addresses.Allow[0].String(), c.APIs[1].Addresses.Allow[0].String()); diff != "" || c.APIs[1].Target.Host != "up" {
		t.Errorf("the aliases stand for something else: %+v", c.APIs[1])
	}
	itself := "apis: [{id: a, listen_path: /a, target: http://a, config_data: &x {y: [*x]}}]"
	if diff := cmp.Diff("g.yaml:1: apis[0].config_data.y[0]: *x contains itself", failure(t, itself)); diff != "" {
		t.Error(diff)
	}
	laughs := "apis:\n- id: a\n  listen_path: /a\n  target: http://a\n  config_data:\n    l0: &l0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n"
	for i := 1; i < 12; i++ {
		laughs += fmt.Sprintf("    l%d: &l%d [%s*l%d]\n", i, i, strings.Repeat(fmt.Sprintf("*l%d, ", i-1), 9), i-1)
	}
	if got := failure(t, laughs); !strings.HasSuffix(got, "aliases stand for more than 10000 values") || strings.Contains(got, "\n") {
		t.Errorf("a billion laughs: %.200s", got)
	}
	tagged := "apis: [!x {}, 1, {id: c, listen_path: /c, target: !y z, cors: !z {}}]\nplugins: {p: !x {}}"
	want := "g.yaml:1: apis[0]: tags like !x are not supported\n" +
		"g.yaml:1: apis[1]: expected a mapping, found 1\n" +
		"g.yaml:1: apis[2].target: tags like !y are not supported\n" +
		"g.yaml:1: apis[2].cors: tags like !z are not supported\n" +
		"g.yaml:2: plugins.p: tags like !x are not supported"
	if diff := cmp.Diff(want, failure(t, tagged)); diff != "" {
		t.Error(diff)
	}
	deep := "apis: [{id: a, listen_path: /a, target: http://a, config_data: {x: " + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}}]"
	if got := failure(t, deep); !strings.HasSuffix(got, "]: nested too deeply") {
		t.Errorf("a hundred nested lists: %s", got)
	}
}

func TestJSON(t *testing.T) {
	c := mustParse(t, "{\n\t\"listen\": \":80\",\n\t\"apis\": [\n\t\t{\"id\": \"a\", \"listen_path\": \"\\/a\", \"name\": \"\\ud83d\\ude00\\\\/\", \"target\": \"http://a\", \"max_body\": 10, \"config_data\": {\"n\": 1, \"f\": 1.5, \"b\": true, \"z\": null, \"l\": [\"x\"], \"m\": {\"d\": \"2020-01-01\"}}}\n\t]\n}\n")
	want := map[string]any{"n": 1, "f": 1.5, "b": true, "z": nil, "l": []any{"x"}, "m": map[string]any{"d": "2020-01-01"}}
	if diff := cmp.Diff(want, c.APIs[0].ConfigData); diff != "" {
		t.Error(diff)
	}
	if c.Listen != ":80" || c.APIs[0].ListenPath != "/a" || c.APIs[0].Name != `😀\/` || c.APIs[0].MaxBody != 10 {
		t.Errorf("JSON says something else: %+v", c)
	}
	bad := "apis: [{id: a, listen_path: /a, target: http://a, config_data: {x: .inf}}]"
	if diff := cmp.Diff("g.yaml:1: apis[0].config_data.x: .inf is not a number that JSON has", failure(t, bad)); diff != "" {
		t.Error(diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(smallest))
	f.Add([]byte("plugins: {p: {target: 'unix:///x', timeout: ${T:-1s}}}\napis:\n- &a {id: $$, hooks: {pre: [{plugin: p, hook: h}]}, config_data: {k: [*a, 1.5, ~]}}\n"))
	f.Add([]byte("{\"apis\": [{\"events\": {\"AuthFailure\": [{}]}, \"cors\": {\"max_age\": -1}}]}"))
	f.Add([]byte("log: {access: ${A}}\n<<: 1\n---\n!!x y"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("f", data, environment(map[string]string{"A": "true"}))
		if (c == nil) == (err == nil) {
			t.Fatalf("configuration %v and error %v", c, err)
		}
		if err == nil {
			if err := Finish(c); err != nil {
				t.Errorf("good once, but not twice: %v", err)
			}
		} else if strings.TrimSpace(err.Error()) == "" {
			t.Error("an error that says nothing")
		}
	})
}
