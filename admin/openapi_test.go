package admin_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/grapnel-gateway/grapnel/admin"
)

type object = map[string]any

// description is openapi.yaml, read once.
var description = sync.OnceValue(func() object {
	b, err := os.ReadFile("openapi.yaml")
	if err != nil {
		panic(err)
	}
	var d object
	if err := yaml.Unmarshal(b, &d); err != nil {
		panic(err)
	}
	return d
})

// Every call of the handler is described, and nothing else is.
func TestDescription(t *testing.T) {
	var described []string
	for path, item := range description()["paths"].(object) {
		for method := range item.(object) {
			if method != "parameters" {
				described = append(described, strings.ToUpper(method)+" "+path)
			}
		}
		for _, name := range strings.Split(path, "/") {
			if strings.HasPrefix(name, "{") && !declares(item.(object), strings.Trim(name, "{}")) {
				t.Errorf("%s does not describe %s", path, name)
			}
		}
	}
	calls := admin.Calls()
	slices.Sort(described)
	slices.Sort(calls)
	if diff := cmp.Diff(calls, described); diff != "" {
		t.Errorf("calls (-handler +openapi.yaml):\n%s", diff)
	}
	s := newSite(t, "memory:", plain())
	w := call(s.handler, "GET", "/openapi.yaml", "", secret, address)
	if want, err := os.ReadFile("openapi.yaml"); err != nil || w.Body.String() != string(want) || w.Code != 200 {
		t.Errorf("the handler serves %d and %d bytes, the file has %d (%v)", w.Code, w.Body.Len(), len(want), err)
	}
}

func declares(item object, name string) bool {
	list, _ := item["parameters"].([]any)
	return slices.ContainsFunc(list, func(p any) bool {
		d := resolve(p.(object))
		return d["name"] == name && d["in"] == "path" && d["required"] == true
	})
}

// describedAs holds a reply to its description: a status that is there, a body
// with the types, required members and values that it names.
func describedAs(t *testing.T, method, target string, w *httptest.ResponseRecorder) {
	t.Helper()
	path, _, _ := strings.Cut(target, "?")
	op := operation(method, strings.TrimSuffix(path, "/"))
	if op == nil {
		return // 404 and 405 of calls that do not exist
	}
	responses := op["responses"].(object)
	r, ok := responses["200"].(object)
	if w.Code != 200 {
		r, ok = responses["default"].(object)
	}
	if !ok {
		t.Errorf("%s %s: status %d is not described", method, target, w.Code)
		return
	}
	content := resolve(r)["content"].(object)
	media, ok := content["application/json"].(object)
	if !ok {
		return
	}
	var body any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Errorf("%s %s: %v", method, target, err)
		return
	}
	if problem := fits(media["schema"].(object), body); problem != "" {
		t.Errorf("%s %s: the reply is not as openapi.yaml says: %s", method, target, problem)
	}
}

// operation finds the description of a call. A path without names in braces
// goes before one with.
func operation(method, path string) object {
	var found object
	for pattern, item := range description()["paths"].(object) {
		op, ok := item.(object)[strings.ToLower(method)].(object)
		if !ok {
			continue
		}
		if pattern == path {
			return op
		}
		want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
		same := len(want) == len(got)
		for i := range min(len(want), len(got)) {
			same = same && (want[i] == got[i] || strings.HasPrefix(want[i], "{"))
		}
		if same {
			found = op
		}
	}
	return found
}

// resolve follows a reference.
func resolve(o object) object {
	ref, ok := o["$ref"].(string)
	if !ok {
		return o
	}
	at := description()
	for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		at = at[name].(object)
	}
	return resolve(at)
}

// fits says in which way a value does not fit a schema: by type, enum, required
// members, members and items.
func fits(schema object, v any) string {
	schema = resolve(schema)
	for _, part := range list(schema["allOf"]) {
		if problem := fits(part.(object), v); problem != "" {
			return problem
		}
	}
	if types := list(schema["type"]); len(types) > 0 && !slices.ContainsFunc(types, func(name any) bool { return is(name, v) }) {
		return "it should be a " + types[0].(string)
	}
	if values := list(schema["enum"]); len(values) > 0 && !slices.Contains(values, v) {
		return "the value is not one of those that are listed"
	}
	if items, ok := v.([]any); ok && schema["items"] != nil {
		for _, item := range items {
			if problem := fits(schema["items"].(object), item); problem != "" {
				return problem
			}
		}
	}
	members, ok := v.(object)
	if !ok {
		return ""
	}
	for _, name := range list(schema["required"]) {
		if _, ok := members[name.(string)]; !ok {
			return name.(string) + " is missing"
		}
	}
	properties, _ := schema["properties"].(object)
	for name, member := range members {
		if p, ok := properties[name].(object); ok {
			if problem := fits(p, member); problem != "" {
				return name + ": " + problem
			}
		}
	}
	return ""
}

// list is a list, or the one value that stands for it.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// is reports whether a value is of a type that JSON Schema names.
func is(name, v any) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case float64:
		return name == "number" || name == "integer" && v == float64(int64(v))
	case []any:
		return name == "array"
	case object:
		return name == "object"
	}
	return false
}

// The check of replies finds what is wrong with them.
func TestDescriptionCheck(t *testing.T) {
	change := object{"$ref": "#/components/schemas/Change"}
	good := object{"key": "k", "status": "ok", "action": "added"}
	if problem := fits(change, good); problem != "" {
		t.Errorf("a good reply: %s", problem)
	}
	for name, bad := range map[string]any{
		"no object": "text", "a member missing": object{"key": "k", "status": "ok"},
		"a wrong type":  object{"key": 1.0, "status": "ok", "action": "added"},
		"a wrong value": object{"key": "k", "status": "ok", "action": "created"},
	} {
		if fits(change, bad) == "" {
			t.Errorf("%s passes", name)
		}
	}
	if fits(object{"$ref": "#/components/schemas/Session"}, object{"rate": "fast"}) == "" || fits(object{"type": "array", "items": change}, []any{object{}}) == "" {
		t.Error("what is wrong in parts passes")
	}
}
