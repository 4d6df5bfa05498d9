package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

// TestPolicies reads both forms of the original [S-10].
func TestPolicies(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file("folder/basic.json", `{"rate": 5, "per": 1}`)
	file("folder/named.json", `{"id": "gold", "quota_max": 9, "partitions": {"quota": true}}`)
	file("folder/notes.txt", `not a policy`)
	want := map[string]*grapnel.Policy{
		"basic": {ID: "basic", Rate: 5, Per: 1},
		"gold":  {ID: "gold", QuotaMax: 9, Partitions: grapnel.Partitions{Quota: true}},
	}
	for _, path := range []string{
		filepath.Join(dir, "folder"),
		file("all.json", `{"basic": {"rate": 5, "per": 1}, "gold": {"id": "other", "quota_max": 9, "partitions": {"quota": true}}}`),
	} {
		got, err := Policies(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", path, diff)
		}
	}
	if got, err := Policies(""); got != nil || err != nil {
		t.Errorf("no path: %v, %v", got, err)
	}
	file("twice/a.json", `{"id": "x"}`)
	file("twice/b.json", `{"id": "x"}`)
	for path, want := range map[string]string{
		"nowhere":                            "no such file",
		filepath.Join(dir, "twice"):          `there is a policy "x" already`,
		file("null.json", `{"x": null}`):     `"x" holds nothing`,
		file("broken.json", `{"x":`):         "broken.json: unexpected end",
		file("kind.json", `{"x": {"id":1}}`): "kind.json: json: cannot unmarshal number",
	} {
		if _, err := Policies(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", path, err, want)
		}
	}
}
