package grapnel_test

import (
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestDependenciesAreExplained: docs/decisions/dependencies.md has a line for each
// direct dependency and for nothing else, and whatever Go code imports is one.
func TestDependenciesAreExplained(t *testing.T) {
	direct := found(t, "go.mod", `(?m)^\t(\S+/\S+) v\S+$`)
	explained := found(t, "docs/decisions/dependencies.md", "(?m)^\\| `([^`]+)` \\|")
	for _, m := range direct {
		if !slices.Contains(explained, m) {
			t.Errorf("%s: no line in docs/decisions/dependencies.md says why it is needed", m)
		}
	}
	for _, m := range explained {
		if !slices.Contains(direct, m) {
			t.Errorf("%s: go.mod does not require it (directly), and docs/decisions/dependencies.md explains it", m)
		}
	}
	for _, s := range parseAll(t, token.NewFileSet()) {
		for _, i := range s.file.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if first, _, _ := strings.Cut(p, "/"); !strings.Contains(first, ".") || strings.HasPrefix(p, module) {
				continue
			}
			if !slices.ContainsFunc(direct, func(m string) bool { return p == m || strings.HasPrefix(p, m+"/") }) {
				t.Errorf("%s imports %s, which go.mod does not require directly", s.name, p)
			}
		}
	}
}

// found are the first groups of a pattern's matches in a file; there are some.
func found(t *testing.T, file, pattern string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
		all = append(all, m[1])
	}
	if len(all) == 0 {
		t.Fatalf("nothing found in %s: the test reads it wrongly", file)
	}
	return all
}
