package sdk_test

import (
	"log"
	"os"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel/sdk"
)

// A whole plugin server with one hook.
func Example() {
	err := sdk.Serve(sdk.Hook("AddTenant", func(x *sdk.Exchange) error {
		if x.Header("X-Tenant") != "" {
			return sdk.Deny(403, "tenants are ours to name")
		}
		x.SetHeader("X-Tenant", "acme")
		return nil
	}))
	if err != nil {
		log.Fatal(err)
	}
}

// TestReadme: the README of the Go sample shows the example.
func TestReadme(t *testing.T) {
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../examples/go/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(readme), "```go\n")
	code, _, found := strings.Cut(code, "```")
	if !found || code == "" {
		t.Fatal("no code in the README")
	}
	for line := range strings.Lines(code) {
		if !strings.Contains(string(example), "\t"+line) {
			t.Errorf("not in the example: %s", line)
		}
	}
}
