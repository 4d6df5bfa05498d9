package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/grapnel-gateway/grapnel"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

const referenceFile = "../docs/configuration.md"

// TestReference: the page about configuration says what the code does.
func TestReference(t *testing.T) {
	page := referencePage(t)
	if *update {
		if err := os.WriteFile(referenceFile, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(stored), page); diff != "" {
		t.Errorf("docs/configuration.md is stale; refresh it with: go test ./config -run Reference -update\n%s", diff)
	}
	for _, e := range grapnel.EventTypes() {
		if !strings.Contains(page, string(e)) {
			t.Errorf("the page does not name the event %s", e)
		}
	}
}

// TestReferenceIsComplete: every key has a meaning, and every struct a place.
func TestReferenceIsComplete(t *testing.T) {
	sections := sectionsOf(t)
	if len(sections) < 10 {
		t.Fatalf("only %d sections were found", len(sections))
	}
	for _, s := range sections {
		if len(s.keys) == 0 {
			t.Errorf("%s has no keys", s.title())
		}
		for _, k := range s.keys {
			if len(k.meaning) < 10 {
				t.Errorf("%s of %s has no doc comment that gives its meaning", k.name, s.title())
			}
		}
	}
}

const preface = `# Configuration

<!-- Generated from the comments of the code; "make docs" writes it anew. -->

Grapnel reads one file of YAML or JSON. Only ` + "`apis`" + ` is needed. The file is read strictly: a key that is
unknown or stands twice, a value of another type, and a name that leads nowhere are errors, and all of them are
told at once, with line and path.

This is a whole configuration; below it stands every key.

` + "```yaml\n%s```" + `

## Values

| type | written as |
|---|---|
| duration | ` + "`250ms`, `30s`, `5m`, `1m30s`; `0` is no bound" + ` |
| size | ` + "`65536`, `64KiB`, `4MiB`, `1GiB` (powers of 1024); `64KB`, `4MB`, `1GB` (powers of 1000)" + ` |
| share | ` + "`5%%`, `0.5%%`" + ` |
| step | ` + "`retry`, `{plugin: NAME}`, `{cached: 5m}`, `deny`, `{deny: 503}`, `ignore`; one alone may stand for a list of it" + ` |
| network | ` + "`10.0.0.0/8`, `fd00::/8`; one address is `10.0.0.1/32`" + ` |
| URL | ` + "`https://host:port/path`" + ` |
| string | text; in quotes where YAML would read a number, a truth value or a date |
| true or false | ` + "`true` or `false`, without quotes" + ` |

In every value, ` + "`${NAME}`" + ` is replaced by the environment variable of that name, which must be set, and
` + "`${NAME:-default}`" + ` by the default where the variable is not set or empty. ` + "`$$`" + ` is a literal ` + "`$`" + `. What a variable
holds is never read as YAML. Aliases (` + "`*name`" + `) work; merge keys (` + "`<<`" + `), tags and several documents are refused.
File names are relative to the working directory.
`

func referencePage(t *testing.T) string {
	t.Helper()
	example, err := os.ReadFile("testdata/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, preface, example)
	for _, s := range sectionsOf(t) {
		fmt.Fprintf(&b, "\n## %s\n\n", s.title())
		if s.about != "" {
			fmt.Fprintf(&b, "%s\n\n", s.about)
		}
		b.WriteString("| key | type | default | meaning |\n|---|---|---|---|\n")
		for _, k := range s.keys {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.name, k.typ, k.fallback, k.meaning)
		}
	}
	return b.String()
}
