package graphql

import (
	"errors"
	"iter"
	"maps"
	"net/http"
	"slices"

	"github.com/grapnel-gateway/grapnel"
)

// bound holds what is asked to the API's own bounds.
func (g *Guard) bound(f *grapnel.GraphQLFacts) error {
	over := func(n, bound int) bool { return bound > 0 && n > bound }
	switch s := g.settings; {
	case over(f.Depth, s.MaxDepth):
		return limitExceeded("depth")
	case over(f.Complexity, s.MaxComplexity):
		return limitExceeded("complexity")
	case over(f.Aliases, s.MaxAliases):
		return limitExceeded("alias")
	case !s.Introspection && slices.ContainsFunc(f.Operations, introspects):
		return forbidden("introspection is disabled")
	}
	return nil
}

func introspects(o grapnel.GraphQLOperation) bool {
	some, _ := o.Introspects()
	return some
}

// allow holds what is asked to what the session may ask of the API [L-3]. A
// right that cannot be read, or checked, lets nobody through.
func (g *Guard) allow(s *grapnel.Session, f *grapnel.GraphQLFacts) error {
	rights, err := s.AccessRights[g.id].GraphQL()
	if err != nil {
		return failed(err)
	}
	a := allowance{GraphQLRights: rights, schema: g.schema, depth: s.QueryDepth(g.id)}
	if a.schema == nil && a.byType() {
		return failed(errors.New("the key restricts types, and the API has no graphql.schema"))
	}
	for i := range f.Operations {
		if err := a.check(&f.Operations[i]); err != nil {
			return err
		}
	}
	return nil
}

// An allowance is what one session may ask.
type allowance struct {
	grapnel.GraphQLRights
	schema *schema
	depth  int // 0 is any
}

func (a *allowance) byType() bool { return len(a.RestrictedTypes)+len(a.AllowedTypes) > 0 }

func (a *allowance) check(o *grapnel.GraphQLOperation) error {
	some, only := o.Introspects()
	switch {
	case o.Opaque && (a.depth > 0 || a.byType() || len(a.FieldAccessRights) > 0 || a.DisableIntrospection):
		return forbidden("only queries that can be checked are allowed")
	case some && a.DisableIntrospection:
		return forbidden("introspection is disabled")
	case !only && a.tooDeep(o): // what only asks for the schema may be deep, as in the original
		return limitExceeded("depth")
	}
	return a.types(o)
}

// tooDeep goes by each field that the operation starts with: its own limit, which
// counts below it, goes before the session's.
func (a *allowance) tooDeep(o *grapnel.GraphQLOperation) bool {
	for _, root := range o.Roots {
		limit := a.depth - 1
		i := slices.IndexFunc(a.FieldAccessRights, func(f grapnel.GraphQLFieldRight) bool {
			return f.TypeName == o.Type && f.FieldName == root.Name
		})
		if i >= 0 {
			limit = a.FieldAccessRights[i].Limits.MaxQueryDepth
			if limit <= 0 {
				continue
			}
		} else if a.depth == 0 {
			continue
		}
		if root.Depth > limit {
			return true
		}
	}
	return false
}

// types checks the selected fields. Where some types are allowed, all others are
// not, and nothing else counts. A restricted field is not reached through an
// interface either, and not given a value.
func (a *allowance) types(o *grapnel.GraphQLOperation) error {
	for typ, field := range each(o.Fields) {
		if len(a.AllowedTypes) > 0 && !lists(a.AllowedTypes, typ, field) {
			return restricted(typ, field)
		}
	}
	if len(a.AllowedTypes) > 0 {
		return nil
	}
	for typ, field := range each(o.Fields) {
		for _, behind := range append([]string{typ}, a.schema.behind(typ)...) {
			if lists(a.RestrictedTypes, behind, field) {
				return restricted(behind, field)
			}
		}
	}
	for typ, field := range each(o.Inputs) {
		if lists(a.RestrictedTypes, typ, field) {
			return restricted(typ, field)
		}
	}
	return nil
}

// each yields types and their fields, in order.
func each(fields map[string][]string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, typ := range slices.Sorted(maps.Keys(fields)) {
			for _, field := range fields[typ] {
				if !yield(typ, field) {
					return
				}
			}
		}
	}
}

func lists(types []grapnel.GraphQLType, typ, field string) bool {
	return slices.ContainsFunc(types, func(t grapnel.GraphQLType) bool {
		return t.Name == typ && (slices.Contains(t.Fields, field) || slices.Contains(t.Fields, "*"))
	})
}

// The replies are those of the original, by status and text.

func restricted(typ, field string) error {
	return malformed("field: %s is restricted on type: %s", field, typ)
}

func limitExceeded(what string) error { return forbidden(what + " limit exceeded") }

func forbidden(message string) error {
	return &grapnel.Error{Status: http.StatusForbidden, Code: grapnel.CodeForbidden, Message: message}
}

func failed(err error) error {
	return &grapnel.Error{
		Status: http.StatusInternalServerError, Code: grapnel.CodeInternal,
		Message: "there was a problem proxying the request", Err: err,
	}
}
