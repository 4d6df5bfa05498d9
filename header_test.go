package grapnel_test

import (
	"net/http"
	"testing"

	"github.com/grapnel-gateway/grapnel"
)

// A client cannot have what a plugin sets removed as a header of its own
// connection.
func TestSetHeaderIsEndToEnd(t *testing.T) {
	h := http.Header{"Connection": {"keep-alive, x-User", "X-USER, X-User-Agent"}, "X-User": {"1", "2"}}
	grapnel.SetHeader(h, "X-User", "7")
	if got := h["X-User"]; len(got) != 1 || got[0] != "7" {
		t.Errorf("X-User: %q", got)
	}
	if got := h["Connection"]; len(got) != 2 || got[0] != "keep-alive" || got[1] != " X-User-Agent" {
		t.Errorf("Connection: %q", got)
	}
}
