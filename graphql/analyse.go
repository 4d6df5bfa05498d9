package graphql

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/grapnel-gateway/grapnel"
)

// most is what counting stops at: a few fragments can stand for more fields than
// a number holds.
const most = 1 << 30

func add(a, b int) int { return min(a+b, most) }

// analyse reads the text of one request and measures the operation that would
// be run.
func (g *Guard) analyse(r request, op *grapnel.GraphQLOperation) error {
	if strings.Contains(r.query, `""""`) {
		// Some take the first three for the end of a text, others the last.
		return malformed("Syntax Error: more than three quotes in a row.")
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: r.query}, g.settings.MaxTokens)
	if err != nil {
		return malformed("Syntax Error: %s", strings.TrimPrefix(err.Error(), "input:"))
	}
	run, err := chosen(doc, r.name)
	if err != nil {
		return err
	}
	a, err := begin(doc, g.schema)
	if err != nil {
		return err
	}
	if err := a.inputs(run.VariableDefinitions, r.variables); err != nil {
		return err
	}
	op.Kind, op.Name = string(run.Operation), run.Name
	if op.Type, err = g.schema.root(run.Operation); err != nil {
		return err
	}
	size, err := a.selections(run.SelectionSet, op.Type)
	if err != nil {
		return err
	}
	op.Depth, op.Complexity, op.Aliases = size.depth, size.fields, size.aliases
	a.start(run.SelectionSet)
	for name, depth := range a.roots {
		op.Roots = append(op.Roots, grapnel.GraphQLRoot{Name: name, Depth: depth})
	}
	slices.SortFunc(op.Roots, func(a, b grapnel.GraphQLRoot) int { return cmp.Compare(a.Name, b.Name) })
	op.Fields, op.Inputs = sorted(a.fields), sorted(a.values)
	return nil
}

func sorted(names map[string]map[string]bool) map[string][]string {
	out := make(map[string][]string, len(names))
	for typ, all := range names {
		out[typ] = slices.Sorted(maps.Keys(all))
	}
	return out
}

// chosen is the operation that would be run. Where servers could disagree there
// is none.
func chosen(doc *ast.QueryDocument, name string) (*ast.OperationDefinition, error) {
	seen := map[string]bool{}
	for _, o := range doc.Operations {
		if seen[o.Name] || o.Name == "" && len(doc.Operations) > 1 {
			return nil, malformed("There can be only one operation named %q.", o.Name)
		}
		seen[o.Name] = true
	}
	switch {
	case len(doc.Operations) == 0:
		return nil, malformed("The query has no operation.")
	case name != "":
		if o := doc.Operations.ForName(name); o != nil && seen[name] {
			return o, nil
		}
		return nil, malformed("Unknown operation named %q.", name)
	case len(doc.Operations) > 1:
		return nil, malformed("Must provide operation name if query contains multiple operations.")
	}
	return doc.Operations[0], nil
}

// A size is how much some selections ask for.
type size struct{ depth, fields, aliases int }

func (s *size) join(o size) {
	s.depth, s.fields, s.aliases = max(s.depth, o.depth), add(s.fields, o.fields), add(s.aliases, o.aliases)
}

// A fragment is measured once, however often it is spread.
type fragment struct {
	*ast.FragmentDefinition
	size           size
	open, measured bool
	started        bool // its fields were found to be ones that the operation starts with
}

// An analysis is the way through one operation.
type analysis struct {
	schema    *schema
	fragments map[string]*fragment
	fields    map[string]map[string]bool // that are selected, of each type
	values    map[string]map[string]bool // that are given, of each input type
	roots     map[string]int             // what the operation starts with, and how deep that is
}

func begin(doc *ast.QueryDocument, s *schema) (*analysis, error) {
	a := &analysis{
		schema: s, fragments: map[string]*fragment{}, roots: map[string]int{},
		fields: map[string]map[string]bool{}, values: map[string]map[string]bool{},
	}
	for _, f := range doc.Fragments {
		if a.fragments[f.Name] != nil {
			return nil, malformed("There can be only one fragment named %q.", f.Name)
		}
		a.fragments[f.Name] = &fragment{FragmentDefinition: f}
	}
	return a, nil
}

// selections measures what is selected of a type; empty is one that is not
// known.
func (a *analysis) selections(set ast.SelectionSet, typ string) (size, error) {
	var out size
	for _, s := range set {
		one, err := a.selection(s, typ)
		if err != nil {
			return size{}, err
		}
		out.join(one)
	}
	return out, nil
}

func (a *analysis) selection(s ast.Selection, typ string) (size, error) {
	switch s := s.(type) {
	case *ast.Field:
		return a.field(s, typ)
	case *ast.InlineFragment:
		if s.TypeCondition != "" {
			typ = s.TypeCondition
			if err := a.schema.named(typ); err != nil {
				return size{}, err
			}
		}
		return a.selections(s.SelectionSet, typ)
	case *ast.FragmentSpread:
		return a.spread(s.Name)
	}
	return size{}, malformed("Syntax Error.")
}

func (a *analysis) field(f *ast.Field, typ string) (size, error) {
	to, err := a.schema.field(typ, f.Name)
	if err != nil {
		return size{}, err
	}
	// What is about the schema itself is no field of the service.
	if typ != "" && !strings.HasPrefix(typ, "__") && !strings.HasPrefix(f.Name, "__") {
		note(a.fields, typ, f.Name)
	}
	if a.schema != nil {
		for _, argument := range f.Arguments {
			a.literal(argument.Value, a.schema.arguments[typ][f.Name][argument.Name])
		}
	}
	out, err := a.selections(f.SelectionSet, to)
	out.depth, out.fields = out.depth+1, add(out.fields, 1)
	if f.Alias != f.Name {
		out.aliases = add(out.aliases, 1)
	}
	return out, err
}

func note(into map[string]map[string]bool, typ, field string) {
	if into[typ] == nil {
		into[typ] = map[string]bool{}
	}
	into[typ][field] = true
}

func (a *analysis) spread(name string) (size, error) {
	f := a.fragments[name]
	switch {
	case f == nil:
		return size{}, malformed("Unknown fragment %q.", name)
	case f.open:
		return size{}, malformed("Cannot spread fragment %q within itself.", name)
	case f.measured:
		return f.size, nil
	}
	if err := a.schema.named(f.TypeCondition); err != nil {
		return size{}, err
	}
	f.open = true
	var err error
	f.size, err = a.selections(f.SelectionSet, f.TypeCondition)
	f.open, f.measured = false, true
	return f.size, err
}

// start finds what the operation starts with. Every fragment has been measured
// before.
func (a *analysis) start(set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			a.roots[s.Name] = max(a.roots[s.Name], a.depth(s.SelectionSet))
		case *ast.InlineFragment:
			a.start(s.SelectionSet)
		case *ast.FragmentSpread:
			if f := a.fragments[s.Name]; !f.started {
				f.started = true
				a.start(f.SelectionSet)
			}
		}
	}
}

func (a *analysis) depth(set ast.SelectionSet) int {
	depth := 0
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			depth = max(depth, 1+a.depth(s.SelectionSet))
		case *ast.InlineFragment:
			depth = max(depth, a.depth(s.SelectionSet))
		case *ast.FragmentSpread:
			depth = max(depth, a.fragments[s.Name].size.depth)
		}
	}
	return depth
}
