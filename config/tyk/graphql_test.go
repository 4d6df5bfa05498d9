package tyk

import (
	"log/slog"
	"testing"

	"github.com/grapnel-gateway/grapnel"
)

// TestGraphQL: a GraphQL proxy; its keys alone bound depth, as in the original.
func TestGraphQL(t *testing.T) {
	var bounds grapnel.GraphQL
	bounds.SetDefaults()
	bounds.MaxDepth, bounds.MaxAliases = 0, 0
	const schema = "type Query {a: Int}"
	closed := bounds
	closed.Schema, closed.Introspection = schema, false
	for patch, want := range map[string]*grapnel.GraphQL{
		`{"graphql": {"enabled": true}}`:                                                                  &bounds,
		`{"graphql": {"enabled": true, "execution_mode": "proxyOnly"}}`:                                   &bounds,
		`{"graphql": {"enabled": false, "execution_mode": "subgraph"}}`:                                   nil,
		`{"graphql": {"enabled": false, "schema": "type {"}}`:                                             nil,
		`{"graphql": {"enabled": true, "schema": "` + schema + `", "introspection": {"disabled": true}}}`: &closed,
	} {
		a, notices := one(t, plugged, patch)
		if a == nil {
			t.Errorf("%s is refused: %v", patch, notices)
			continue
		}
		if got := a.GraphQL; (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Errorf("%s: %+v, want %+v", patch, got, want)
		}
	}
	_, notices := one(t, plugged, `{"graphql": {"enabled": true, "playground": {"enabled": true}, "proxy": {"request_headers": {"A": "b"}}}}`)
	expectTold(t, notices, slog.LevelWarn, "graphql.playground: has no effect")
	expectTold(t, notices, slog.LevelWarn, "graphql.proxy: its headers are not added")
}
