package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestEnvironment(t *testing.T) {
	vars := environment(map[string]string{"PORT": "80", "SECRET": "a: {b} # c", "EMPTY": "", "NO": "false", "SIZE": "7", "AGE": "60"})
	c, err := Parse("g.yaml", []byte(`
listen: 127.0.0.1:${PORT}
admin: { listen: "${EMPTY}", secret: ${SECRET} }
error_templates: $${PORT}/^/a$/${NOT_SET:-x$}${EMPTY:-y}${NOT_SET:-}${PORT:-no}
log: { access: ${NO} }
limits: { body: ${SIZE}KiB }
apis:
  - id: 'a-${PORT}'
    listen_path: "/a"
    target: http://${HOST:-up}:${PORT}
    cors: { allowed_origins: [x], max_age: ${AGE} }
    config_data: { ${PORT}: ${PORT} }
`), vars)
	if err != nil {
		t.Fatal(err)
	}
	a := c.APIs[0]
	got := []any{c.Listen, c.Admin.Listen, c.Admin.Secret, c.ErrorTemplates, c.Log.Access, int(c.Limits.Body), a.ID, a.Target.String(), a.CORS.MaxAge, a.ConfigData}
	want := []any{"127.0.0.1:80", "", "a: {b} # c", "${PORT}/^/a$/x$y80", false, 7 << 10, "a-80", "http://up:80", 60, map[string]any{"${PORT}": "80"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestEnvironmentProblems: what is wrong is told with the path, and values of
// variables do not show.
func TestEnvironmentProblems(t *testing.T) {
	for line, want := range map[string]string{
		`listen: ":${NOPE}${NADA}"`:         "g.yaml:2: listen: the environment variable NOPE is not set; ${NOPE:-default} gives it a default\ng.yaml:2: listen: the environment variable NADA is not set; ${NADA:-default} gives it a default",
		`listen: ${PORT:=x}`:                "g.yaml:2: listen: ${ begins no reference; write ${NAME} or ${NAME:-default}, and $$ for a literal $",
		`timeouts: { idle: ${EMPTY} }`:      "g.yaml:2: timeouts.idle: is empty",
		`log: { access: ${SECRET} }`:        `g.yaml:2: log.access: expected true or false, found the string "${SECRET}"`,
		`log: { access: "${YES:-true}" }`:   `g.yaml:2: log.access: expected true or false, found the string "${YES:-true}"`,
		`error_templates: { x: ${SECRET} }`: `g.yaml:2: error_templates: expected a string, found a mapping`,
	} {
		t.Run(line, func(t *testing.T) {
			if diff := cmp.Diff(want, failure(t, smallest+"\n"+line+"\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestExpandLiteral: any text can be written with its dollars doubled, and
// protection changes no document.
func TestExpandLiteral(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("$${}A:-x\n"))).Draw(t, "text")
		got, problems := expand(strings.ReplaceAll(text, "$", "$$"), none)
		if got != text || len(problems) > 0 {
			t.Errorf("%q became %q, %v", text, got, problems)
		}
		if got := unprotect(string(protect([]byte(text)))); got != text {
			t.Errorf("%q came back as %q", text, got)
		}
	})
}

func TestSuggest(t *testing.T) {
	known := []string{"plugin", "plugins", "hook", "id", "timeout"}
	for word, want := range map[string]string{
		"plguin": "plugin", "pluginss": "plugins", "hok": "hook", "di": "id", "i": "id", "tiemout": "timeout",
		"database": "", "x": "", "": "", "hooooook": "", "timeout_ms": "timeout", "PLUGIN": "",
	} {
		if got := suggest(word, known); got != "" && want == "" || !strings.Contains(got, want) {
			t.Errorf("suggest(%q) = %q, want %q", word, got, want)
		}
	}
}

// TestDistance: it is a distance: symmetric, zero for equals only, and never
// more than the longer word.
func TestDistance(t *testing.T) {
	word := rapid.StringMatching(`[ab]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		n := distance(a, b)
		if n != distance(b, a) || (n == 0) != (a == b) || n > max(len(a), len(b)) {
			t.Errorf("distance(%q, %q) = %d", a, b, n)
		}
	})
}
