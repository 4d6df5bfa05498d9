package config

import (
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel"
)

func TestGraphQLChecks(t *testing.T) {
	const start = "apis:\n  - id: a\n    listen_path: /a\n    target: http://a\n    graphql: "
	for settings, want := range map[string]string{
		`{max_query_depth: -1}`:         `g.yaml:5: apis[0].graphql.max_query_depth: must be at least 0`,
		`{max_complexity: -1}`:          `g.yaml:5: apis[0].graphql.max_complexity: must be at least 0`,
		`{max_aliases: -1}`:             `g.yaml:5: apis[0].graphql.max_aliases: must be at least 0`,
		`{max_tokens: 0}`:               `g.yaml:5: apis[0].graphql.max_tokens: must be at least 1`,
		`{max_batch: 0}`:                `g.yaml:5: apis[0].graphql.max_batch: must be at least 1`,
		`{schema: "type Query {"}`:      `g.yaml:5: apis[0].graphql.schema: `,
		`{schema: "type Query {a: B}"}`: `g.yaml:5: apis[0].graphql.schema: `,
		`{persisted_queries: always}`:   `g.yaml:5: apis[0].graphql.persisted_queries`,
	} {
		if got := failure(t, start+settings+"\n"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s; want %s", settings, got, want)
		}
	}
}

// TestGraphQLDefaults: an empty section turns the checks on, and none is none.
func TestGraphQLDefaults(t *testing.T) {
	c, err := Parse("g.yaml", []byte("apis:\n  - {id: a, listen_path: /a, target: http://a, graphql: {}}\n  - {id: b, listen_path: /b, target: http://b}\n"), environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	var want grapnel.GraphQL
	want.SetDefaults()
	if g := c.APIs[0].GraphQL; g == nil || *g != want || want.MaxDepth == 0 || want.MaxTokens == 0 || want.MaxBatch != 1 {
		t.Errorf("%+v", g)
	}
	if c.APIs[1].GraphQL != nil {
		t.Error("the other API speaks GraphQL too")
	}
}
