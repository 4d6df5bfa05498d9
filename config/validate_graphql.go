package config

import (
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/grapnel-gateway/grapnel"
)

func checkGraphQL(g *grapnel.GraphQL, at string, r *report) {
	if g == nil {
		return
	}
	for _, bound := range []struct {
		key          string
		value, least int
	}{
		{"max_query_depth", g.MaxDepth, 0},
		{"max_complexity", g.MaxComplexity, 0},
		{"max_aliases", g.MaxAliases, 0},
		{"max_tokens", g.MaxTokens, 1},
		{"max_batch", g.MaxBatch, 1},
	} {
		if bound.value < bound.least {
			r.add(child(at, bound.key), "must be at least %d", bound.least)
		}
	}
	if err := CheckSchema(g.Schema); err != nil {
		r.add(child(at, "schema"), "%v", err)
	}
}

// CheckSchema says what is wrong with a GraphQL schema. Without one, nothing is.
func CheckSchema(text string) error {
	if text == "" {
		return nil
	}
	_, err := gqlparser.LoadSchema(&ast.Source{Name: "schema", Input: text})
	return err
}
