package tyk

import (
	"encoding/json"
	"log/slog"
	"os"
	"testing"
)

// TestParityDefinitions loads every definition that the original was recorded
// with: all are served.
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
	for _, c := range cases {
		if !served[c.ID] {
			t.Errorf("%s is not served", c.ID)
		}
	}
	for _, n := range notices {
		if n.Level == slog.LevelError {
			t.Error(n)
		}
	}
	if len(cases) < 60 {
		t.Errorf("only %d cases", len(cases))
	}
}
