package config

import (
	"encoding"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// unmarshal reads a value that knows its own notation, as durations do.
func (d *decoder) unmarshal(n *yaml.Node, path string, u encoding.TextUnmarshaler) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		d.expected(n, path, "a single value")
		return
	}
	text, ok := d.text(n, path)
	switch {
	case !ok:
	case text == "":
		d.at(n.Line, path, "is empty")
	default:
		err := u.UnmarshalText([]byte(text))
		if _, network := u.(*netip.Prefix); network && err != nil {
			err = fmt.Errorf("%q is not a network; write it as 10.0.0.0/8, or 10.0.0.1/32 for one address", text)
		}
		if err != nil {
			d.at(n.Line, path, "%v", err)
		}
	}
}

// A pairUnmarshaler is a value that is written as a word, or as a mapping of one
// word to what it needs.
type pairUnmarshaler interface {
	encoding.TextUnmarshaler
	UnmarshalPair(word, needs string) error
}

// pair reads such a mapping.
func (d *decoder) pair(n *yaml.Node, path string, u pairUnmarshaler) {
	if len(n.Content) != 2 {
		d.at(n.Line, path, "expected one key, found %d", len(n.Content)/2)
		return
	}
	for word, value := range d.pairs(n, path) {
		if value.Kind != yaml.ScalarNode || value.ShortTag() == "!!null" {
			d.expected(value, child(path, word), "a single value")
			return
		}
		if needs, ok := d.text(value, child(path, word)); ok {
			if err := u.UnmarshalPair(word, needs); err != nil {
				d.at(value.Line, child(path, word), "%v", err)
			}
		}
	}
}

// scalar reads a string, a truth value or a number. A value that is not
// written as what v is, is refused, not converted.
func (d *decoder) scalar(n *yaml.Node, path string, v reflect.Value) {
	kind := map[reflect.Kind]string{reflect.String: "a string", reflect.Bool: "true or false", reflect.Int: "a whole number", reflect.Float64: "a number"}[v.Kind()]
	isString := n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str"
	if n.Kind != yaml.ScalarNode || v.Kind() == reflect.String && !isString {
		d.expected(n, path, kind)
		return
	}
	text, ok := d.text(n, path)
	if !ok {
		return
	}
	plain := n.Style == 0
	number, err := strconv.Atoi(text)
	fraction, errFraction := strconv.ParseFloat(text, 64)
	switch {
	case v.Kind() == reflect.String:
		v.SetString(text)
	case plain && v.Kind() == reflect.Bool && (text == "true" || text == "false"):
		v.SetBool(text == "true")
	case plain && v.Kind() == reflect.Int && err == nil:
		v.SetInt(int64(number))
	case plain && v.Kind() == reflect.Float64 && errFraction == nil && !math.IsInf(fraction, 0) && !math.IsNaN(fraction):
		v.SetFloat(fraction)
	default:
		d.expected(n, path, kind)
	}
}

// anything reads a value whose shape is not ours to say into what JSON would
// make of it.
func (d *decoder) anything(n *yaml.Node, path string, v reflect.Value) {
	var result any
	switch n.Kind {
	case yaml.MappingNode:
		var m map[string]any
		d.mapping(n, path, reflect.ValueOf(&m).Elem())
		result = m
	case yaml.SequenceNode:
		var l []any
		d.list(n, path, reflect.ValueOf(&l).Elem())
		result = l
	default:
		result = d.anyScalar(n, path)
	}
	if result != nil {
		v.Set(reflect.ValueOf(result))
	}
}

func (d *decoder) anyScalar(n *yaml.Node, path string) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool", "!!int", "!!float":
		var number any
		err := n.Decode(&number)
		if f, ok := number.(float64); err != nil || ok && (math.IsInf(f, 0) || math.IsNaN(f)) {
			d.at(n.Line, path, "%s is not a number that JSON has", n.Value)
			return nil
		}
		return number
	}
	text, _ := d.text(n, path)
	return text
}

// text is the value of a scalar after expansion. It reports what cannot be
// expanded.
func (d *decoder) text(n *yaml.Node, path string) (string, bool) {
	text, problems := expand(unprotect(n.Value), d.getenv)
	for _, p := range problems {
		d.at(n.Line, path, "%s", p)
	}
	return text, len(problems) == 0
}

// expected reports a node that is something else.
func (d *decoder) expected(n *yaml.Node, path, what string) {
	hint := ""
	if what == "a string" && n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
		hint = "; put it in quotes"
	}
	d.at(n.Line, path, "expected %s, found %s%s", what, describe(n), hint)
}

// describe says what a node is, as it was written: the values of environment
// variables do not appear.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case n.ShortTag() == "!!null":
		return "nothing"
	}
	value := unprotect(n.Value)
	if n.ShortTag() == "!!str" {
		return "the string " + strconv.Quote(shorten(value))
	}
	return shorten(value)
}

func shorten(s string) string {
	const enough = 40
	if utf8.RuneCountInString(s) <= enough {
		return s
	}
	return string([]rune(s)[:enough]) + "…"
}
