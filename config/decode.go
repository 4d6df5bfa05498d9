package config

import (
	"encoding"
	"iter"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds of what a file may make the decoder do. No configuration that a
// person can read comes near them.
const (
	maxDepth  = 64     // nested mappings and lists
	maxCopies = 10_000 // values that stand in the file once and are used again through aliases
)

// A decoder reads one document into Go values. It goes on after a problem, so
// that all of them are found.
type decoder struct {
	*report
	getenv    func(string) (string, bool)
	depth     int
	open      []*yaml.Node // the nodes with an anchor that are being read
	following int          // how many aliases are being followed
	copies    int          // how many values were read through aliases
}

// decode reads the document into c, a pointer to a struct.
func decode(r *report, root *yaml.Node, c any, getenv func(string) (string, bool)) {
	d := &decoder{report: r, getenv: getenv}
	d.value(root, "", reflect.ValueOf(c).Elem())
}

// value reads the node into v, which can be set. Whatever the node is, a
// pointer points to something afterwards.
func (d *decoder) value(n *yaml.Node, path string, v reflect.Value) {
	d.depth++
	defer func() { d.depth-- }()
	d.given(path, n.Line)
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch {
	case d.depth > maxDepth:
		d.at(n.Line, path, "nested too deeply")
	case n.Kind == yaml.AliasNode:
		d.alias(n, path, v)
	case d.following > 0 && d.copies >= maxCopies:
		if d.copies == maxCopies { // tell once
			d.at(n.Line, path, "aliases stand for more than %d values", maxCopies)
		}
		d.copies++
		d.unread[path] = true
	case n.Style&yaml.TaggedStyle != 0:
		d.at(n.Line, path, "tags like %s are not supported", n.Tag)
	default:
		if d.following > 0 {
			d.copies++
		}
		if n.Anchor != "" {
			d.open = append(d.open, n)
			defer func() { d.open = d.open[:len(d.open)-1] }()
		}
		d.bare(n, path, v)
	}
}

// alias reads what the alias stands for.
func (d *decoder) alias(n *yaml.Node, path string, v reflect.Value) {
	if slices.Contains(d.open, n.Alias) {
		d.at(n.Line, path, "*%s contains itself", n.Value)
		return
	}
	d.following++
	d.value(n.Alias, path, v)
	d.following--
}

// bare reads a node that is neither alias nor tagged, by the kind of v.
func (d *decoder) bare(n *yaml.Node, path string, v reflect.Value) {
	if u, ok := v.Addr().Interface().(pairUnmarshaler); ok && n.Kind == yaml.MappingNode {
		d.pair(n, path, u)
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.unmarshal(n, path, u)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, path, v)
	case reflect.Map:
		d.mapping(n, path, v)
	case reflect.Slice:
		d.list(n, path, v)
	case reflect.Interface:
		d.anything(n, path, v)
	default:
		d.scalar(n, path, v)
	}
}

// structure reads a mapping into a struct, over the struct's defaults.
func (d *decoder) structure(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.expected(n, path, "a mapping")
		return
	}
	if s, ok := v.Addr().Interface().(interface{ SetDefaults() }); ok {
		s.SetDefaults()
	}
	fields := fieldsOf(v.Type())
	for key, value := range d.pairs(n, path) {
		at := child(path, key)
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == key })
		if i < 0 {
			d.at(d.lines[at], at, "unknown key%s", suggest(key, keysOf(fields)))
			continue
		}
		d.value(value, at, v.FieldByIndex(fields[i].index))
	}
}

// mapping reads a mapping into a map with keys of a string type.
func (d *decoder) mapping(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.expected(n, path, "a mapping")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for key, value := range d.pairs(n, path) {
		element := reflect.New(v.Type().Elem()).Elem()
		d.value(value, child(path, key), element)
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), element)
	}
}

// list reads a list into a slice. Where elements are words or pairs, one of them
// may stand for a list of it.
func (d *decoder) list(n *yaml.Node, path string, v reflect.Value) {
	if _, ok := reflect.New(v.Type().Elem()).Interface().(pairUnmarshaler); ok && n.Kind != yaml.SequenceNode {
		n = &yaml.Node{Kind: yaml.SequenceNode, Line: n.Line, Content: []*yaml.Node{n}}
	}
	if n.Kind != yaml.SequenceNode {
		d.expected(n, path, "a list")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, element := range n.Content {
		d.value(element, item(path, i), v.Index(i))
	}
}

// pairs yields the keys of a mapping and their values, and reports keys that
// cannot be used. It notes the line of each.
func (d *decoder) pairs(n *yaml.Node, path string) iter.Seq2[string, *yaml.Node] {
	return func(yield func(string, *yaml.Node) bool) {
		first := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			switch {
			case k.Kind != yaml.ScalarNode:
				d.at(k.Line, path, "a key must be a single word, not %s", describe(k))
				continue
			case k.ShortTag() == "!!merge":
				d.at(k.Line, path, "merge keys (<<) are not supported; write the keys out, or use an alias for a whole value")
				continue
			}
			key := unprotect(k.Value)
			at := child(path, key)
			if line, twice := first[key]; twice {
				d.at(k.Line, at, "duplicate key; it stands on line %d already", line)
				continue
			}
			first[key] = k.Line
			d.given(at, k.Line)
			if !yield(key, n.Content[i+1]) {
				return
			}
		}
	}
}

// given notes where a path was given: the first line that says so.
func (d *decoder) given(path string, line int) {
	if d.lines[path] == 0 {
		d.lines[path] = line
	}
}

// A field is a field of a struct by its key.
type field struct {
	key   string
	index []int
}

// fieldsOf lists the fields that a file can set, those of inlined structs
// among them.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			for _, inner := range fieldsOf(f.Type) {
				fields = append(fields, field{inner.key, append([]int{i}, inner.index...)})
			}
		case key != "" && key != "-":
			fields = append(fields, field{key, []int{i}})
		}
	}
	return fields
}

func keysOf(fields []field) []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}
