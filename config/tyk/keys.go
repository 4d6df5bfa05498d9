package tyk

import (
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A keyFinder finds the keys of a file that have no effect here [L-46]. What
// has one is read from the struct that mirrors the file; a table knows the
// other keys of the original.
type keyFinder struct {
	mirror reflect.Type
	known  map[string]knownKey // by path
}

// A knownKey is a key of the original without effect here.
type knownKey struct {
	level  slog.Level
	reason string
	usual  string // the value that means the same as none
	silent bool   // the reason is that nothing needs to be said
}

// newKeyFinder reads a table: lines that begin with a level and a reason, each
// followed by indented lines of paths, as in "a.b", "a.*.c" or "a.b=usual". A
// last part that ends in * stands for all that begin so.
func newKeyFinder(mirror any, table string) *keyFinder {
	f := &keyFinder{mirror: reflect.TypeOf(mirror), known: map[string]knownKey{}}
	var current knownKey
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, " ") {
			level, reason, _ := strings.Cut(strings.TrimSpace(line), ": ")
			current = knownKey{reason: reason, silent: level == "silent"}
			if level == "warn" {
				current.level = slog.LevelWarn
			}
			continue
		}
		for path := range strings.FieldsSeq(line) {
			k := current
			path, k.usual, _ = strings.Cut(path, "=")
			f.known[path] = k
		}
	}
	return f
}

// report notices every key of a decoded file that has no effect and says
// something. Equal ones of several files become one notice.
func (f *keyFinder) report(n *notices, file string, raw any) {
	f.walk(raw, f.mirror, "", "", func(path, pattern string, value any) {
		k, known := f.lookup(pattern)
		switch {
		case k.silent || known && k.usual != "" && fmt.Sprint(value) == k.usual:
			return
		case !known:
			k.reason = "has no effect: the key is not known"
		default:
			k.reason = "has no effect: " + k.reason
		}
		n.add(Notice{File: file, Path: path, Level: k.level, Message: k.reason}, pattern)
	})
}

func (f *keyFinder) lookup(pattern string) (knownKey, bool) {
	if k, ok := f.known[pattern]; ok {
		return k, true
	}
	for i := len(pattern); i > 0 && pattern[i-1] != '.'; i-- {
		if k, ok := f.known[pattern[:i-1]+"*"]; ok {
			return k, true
		}
	}
	return knownKey{}, false
}

// walk goes through a value beside the type that mirrors it and calls found for
// what the type does not have. In a pattern, * stands for the names of a map
// and for indices.
func (f *keyFinder) walk(v any, t reflect.Type, path, pattern string, found func(path, pattern string, v any)) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := v.(type) {
	case []any:
		if t.Kind() != reflect.Slice {
			return
		}
		for i, item := range v {
			if !idle(item) {
				f.walk(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i), pattern+"[]", found)
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			at, child := join(path, name), join(pattern, strings.ToLower(name))
			switch {
			case idle(v[name]):
			case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Struct || t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Slice:
				f.walk(v[name], t.Elem(), at, join(pattern, "*"), found)
			case t.Kind() != reflect.Struct: // a value that is taken whole
			default:
				if field, ok := fieldOf(t, name); ok {
					f.walk(v[name], field, at, child, found)
				} else {
					f.missing(v[name], at, child, found)
				}
			}
		}
	}
}

// missing reports a key that the mirror does not have: as a whole, or each
// entry where it is a list of objects.
func (f *keyFinder) missing(v any, path, pattern string, found func(path, pattern string, v any)) {
	if object, ok := v.(map[string]any); ok && f.divided(pattern) {
		f.walk(object, reflect.TypeFor[struct{}](), path, pattern, found)
		return
	}
	list, _ := v.([]any)
	for i, item := range list {
		if _, ok := item.(map[string]any); ok && !idle(item) {
			found(fmt.Sprintf("%s[%d]", path, i), pattern, item)
		}
	}
	if len(list) == 0 || !isObject(list[0]) {
		found(path, pattern, v)
	}
}

func isObject(v any) bool { _, ok := v.(map[string]any); return ok }

// divided reports whether the table knows keys below a path.
func (f *keyFinder) divided(pattern string) bool {
	for path := range f.known {
		if strings.HasPrefix(path, pattern+".") {
			return true
		}
	}
	return false
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// fieldOf finds the field of a struct that a JSON name belongs to.
func fieldOf(t reflect.Type, name string) (reflect.Type, bool) {
	for _, field := range reflect.VisibleFields(t) {
		if tag := field.Tag.Get("json"); tag != "" && strings.EqualFold(tag, name) {
			return field.Type, true
		}
	}
	return nil, false
}

// idle reports whether a value says nothing: zero, or an object that is
// switched off.
func idle(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case float64:
		return v == 0
	case string:
		return v == ""
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { return !idle(item) })
	case map[string]any:
		if v["disabled"] == true {
			return true
		}
		for _, on := range []string{"enabled", "enable", "is_enabled", "enable_cache", "use_discovery_service"} {
			if v[on] == false {
				return true
			}
		}
		for _, item := range v {
			if !idle(item) {
				return false
			}
		}
		return true
	}
	return false
}
