package admin

import (
	"embed"
	"net/http"
)

//go:embed openapi.yaml
var files embed.FS

// A document is a reply that is not JSON.
type document []byte

// openAPI is the description of this API.
func (c gatewayCalls) openAPI(*http.Request) (any, error) {
	b, err := files.ReadFile("openapi.yaml")
	return document(b), err
}
