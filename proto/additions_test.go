package proto_test

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// TestAdditionsAreListed: the page about what is added to the original's messages
// has every such field with its number, and no other.
func TestAdditionsAreListed(t *testing.T) {
	page, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[A-Za-z]+\\.[a-z_]+` \\| \\d+) \\|").FindAllSubmatch(page, -1) {
		listed[string(row[1])] = true
	}
	every(t, func(d protoreflect.Descriptor) {
		f, ok := d.(protoreflect.FieldDescriptor)
		if !ok || f.Number() < ours {
			return
		}
		row := fmt.Sprintf("`%s.%s` | %d", f.Parent().Name(), f.Name(), f.Number())
		if !listed[row] {
			t.Errorf("docs/protocol.md has no row %s", row)
		}
		delete(listed, row)
	})
	for row := range listed {
		t.Errorf("there is no field %s", row)
	}
}
