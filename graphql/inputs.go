package graphql

import (
	"bytes"
	"encoding/json"

	"github.com/vektah/gqlparser/v2/ast"
)

// inputs notes the fields of input types that an operation gives values to in
// its variables. What stands in the query itself is noted on the way.
func (a *analysis) inputs(definitions ast.VariableDefinitionList, variables json.RawMessage) error {
	if a.schema == nil || len(definitions) == 0 {
		return nil
	}
	types := map[string]string{}
	for _, d := range definitions {
		types[d.Variable] = d.Type.Name()
		a.literal(d.DefaultValue, types[d.Variable])
	}
	if len(variables) == 0 {
		return nil
	}
	if !json.Valid(variables) { // which bounds how deep it nests, too
		return errVariables()
	}
	return a.object(json.NewDecoder(bytes.NewReader(variables)), func(name string) string { return types[name] })
}

// literal notes what a value in the query gives to fields of an input type.
func (a *analysis) literal(v *ast.Value, typ string) {
	if v == nil || !a.schema.input[typ] {
		return
	}
	for _, c := range v.Children {
		if v.Kind == ast.ObjectValue {
			a.given(typ, c.Name)
			a.literal(c.Value, a.schema.fields[typ][c.Name])
		} else {
			a.literal(c.Value, typ)
		}
	}
}

// object reads a JSON object, every member of it: where a name stands twice,
// servers differ in which one they take.
func (a *analysis) object(d *json.Decoder, typeOf func(name string) string) error {
	open, err := d.Token()
	switch {
	case err != nil:
		return errVariables()
	case open == nil:
		return nil
	case open != json.Delim('{'):
		return errVariables()
	}
	return a.members(d, typeOf)
}

func (a *analysis) members(d *json.Decoder, typeOf func(name string) string) error {
	for d.More() {
		key, err := d.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return errVariables()
		}
		if err := a.value(d, typeOf(name)); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// value reads a JSON value; what it gives to fields of an input type is noted.
func (a *analysis) value(d *json.Decoder, typ string) error {
	if !a.schema.input[typ] {
		var skipped json.RawMessage
		return d.Decode(&skipped)
	}
	open, err := d.Token()
	if err != nil {
		return err
	}
	switch open {
	case json.Delim('{'):
		return a.members(d, func(name string) string {
			a.given(typ, name)
			return a.schema.fields[typ][name]
		})
	case json.Delim('['):
		for d.More() {
			if err := a.value(d, typ); err != nil {
				return err
			}
		}
		_, err = d.Token()
	}
	return err
}

func (a *analysis) given(typ, field string) { note(a.values, typ, field) }

func errVariables() error { return malformed("The parameter %q has the wrong type.", keyVariables) }
