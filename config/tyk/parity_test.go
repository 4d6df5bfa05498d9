package tyk

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestParityDefinitions loads every definition that the original was recorded
// with: all are served, but for those that need what comes later.
func TestParityDefinitions(t *testing.T) {
	b, err := os.ReadFile("../../test/parity/testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		ID         string
		Definition json.RawMessage
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	definitions := map[string]string{}
	for _, c := range cases {
		definitions[c.ID+".json"] = string(c.Definition)
	}
	c, notices := load(t, setup(t, plugged, definitions))
	served := map[string]bool{}
	for _, a := range c.APIs {
		served[a.ID] = true
	}
	reasons := map[string]string{}
	for _, n := range notices {
		if n.Level == slog.LevelError {
			reasons[strings.TrimSuffix(filepath.Base(n.File), ".json")] = n.Path
		}
	}
	for _, c := range cases {
		want := ""
		switch {
		case strings.HasPrefix(c.ID, "idx-"):
			want = "custom_middleware.id_extractor"
		case strings.HasPrefix(c.ID, "key-"):
			want = "use_standard_auth"
		}
		if reasons[c.ID] != want || served[c.ID] == (want != "") {
			t.Errorf("%s: served %v, refused for %q, want %q", c.ID, served[c.ID], reasons[c.ID], want)
		}
	}
	if len(cases) < 60 {
		t.Errorf("only %d cases", len(cases))
	}
}
