package docs_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel/plugin/fleet"
)

// The table of codes is the one that the gateway goes by.
func TestCodes(t *testing.T) {
	text, err := os.ReadFile(root + "/docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range fleet.Meanings() {
		if row := fmt.Sprintf("\n| %v | %v | %s |\n", m.Code, m.Verdict, m.Why); !strings.Contains(string(text), row) {
			t.Errorf("docs/operations.md has no row%s", row)
		}
	}
}
