package graphql

import (
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// A schema says what types there are, and where fields lead. A nil one knows
// nothing.
type schema struct {
	roots     map[ast.Operation]string                // the type of each kind of operation
	fields    map[string]map[string]string            // of each type, with their types
	arguments map[string]map[string]map[string]string // of each field of each type, with their types
	input     map[string]bool                         // the types of objects among values
	possible  map[string][]string                     // the types behind an interface or union
}

// load reads a schema in GraphQL's own language.
func load(text string) (*schema, error) {
	parsed, err := gqlparser.LoadSchema(&ast.Source{Name: "schema", Input: text})
	if err != nil {
		return nil, err
	}
	s := &schema{
		roots: map[ast.Operation]string{}, fields: map[string]map[string]string{}, arguments: map[string]map[string]map[string]string{},
		input: map[string]bool{}, possible: map[string][]string{},
	}
	for kind, def := range map[ast.Operation]*ast.Definition{
		ast.Query: parsed.Query, ast.Mutation: parsed.Mutation, ast.Subscription: parsed.Subscription,
	} {
		if def != nil {
			s.roots[kind] = def.Name
		}
	}
	for name, def := range parsed.Types {
		s.add(name, def)
		if def.IsAbstractType() {
			for _, one := range parsed.PossibleTypes[name] {
				s.possible[name] = append(s.possible[name], one.Name)
			}
		}
	}
	return s, nil
}

func (s *schema) add(name string, def *ast.Definition) {
	fields, arguments := map[string]string{}, map[string]map[string]string{}
	for _, f := range def.Fields {
		fields[f.Name] = f.Type.Name()
		if len(f.Arguments) == 0 {
			continue
		}
		arguments[f.Name] = map[string]string{}
		for _, a := range f.Arguments {
			arguments[f.Name][a.Name] = a.Type.Name()
		}
	}
	s.fields[name], s.arguments[name] = fields, arguments
	s.input[name] = def.Kind == ast.InputObject
}

// root is the type that operations of a kind start from.
func (s *schema) root(kind ast.Operation) (string, error) {
	if s == nil {
		switch kind {
		case ast.Mutation:
			return "Mutation", nil
		case ast.Subscription:
			return "Subscription", nil
		}
		return "Query", nil
	}
	if name := s.roots[kind]; name != "" {
		return name, nil
	}
	return "", malformed("Schema is not configured to execute %s operation.", kind)
}

// named checks a type that a query names.
func (s *schema) named(typ string) error {
	if s == nil || s.fields[typ] != nil {
		return nil
	}
	return malformed("Unknown type %q.", typ)
}

// field is the type of a field; empty when it is not known.
func (s *schema) field(typ, name string) (string, error) {
	if s == nil || name == "__typename" {
		return "", nil
	}
	to, ok := s.fields[typ][name]
	if !ok {
		return "", malformed("Cannot query field %q on type %q.", name, typ)
	}
	return to, nil
}

// behind are the types that stand behind an interface or union.
func (s *schema) behind(typ string) []string {
	if s == nil {
		return nil
	}
	return s.possible[typ]
}
