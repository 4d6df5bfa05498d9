package tryout

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"

	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// A Change is one field that came back otherwise than it was sent.
type Change struct {
	// Path names the field as a .proto file does, with keys and indexes:
	// request.set_headers["X-Tenant"].
	Path string
	// Old and New are the values as text, empty where there is none: Old
	// of what was added, New of what was removed.
	Old, New string
}

// String is the change as a line, which begins with +, - or ~. Long values are
// cut.
func (c Change) String() string {
	switch {
	case c.Old == "":
		return "+ " + c.Path + ": " + short(c.New)
	case c.New == "":
		return "- " + c.Path + ": " + short(c.Old)
	}
	return "~ " + c.Path + ": " + short(c.Old) + " -> " + short(c.New)
}

// Changes are the differences between what was sent and what came back, in the
// order of their paths.
func (a *Answer) Changes() []Change {
	sent, got := fields{}, fields{}
	sent.message("", a.Sent.ProtoReflect())
	got.message("", a.Got.ProtoReflect())
	all := maps.Clone(sent)
	maps.Copy(all, got)
	var changes []Change
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if sent[path] != got[path] {
			changes = append(changes, Change{path, sent[path], got[path]})
		}
	}
	return changes
}

// JSON is what came back as protobuf JSON, with the names of the .proto files.
func (a *Answer) JSON() ([]byte, error) {
	return protojson.MarshalOptions{UseProtoNames: true, Multiline: true, Indent: "  "}.Marshal(a.Got)
}

// fields are all values of a message as text, by path. No text is empty.
type fields map[string]string

func (f fields) message(path string, m protoreflect.Message) {
	if unknown := m.GetUnknown(); len(unknown) > 0 {
		f[join(path, "(unknown fields)")] = hex.EncodeToString(unknown)
	}
	any := false
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		any = true
		f.field(join(path, string(fd.Name())), fd, v)
		return true
	})
	if !any && path != "" {
		f[path] = "{}"
	}
}

func (f fields) field(path string, fd protoreflect.FieldDescriptor, v protoreflect.Value) {
	switch {
	case fd.IsMap():
		v.Map().Range(func(key protoreflect.MapKey, v protoreflect.Value) bool {
			f.value(fmt.Sprintf("%s[%q]", path, key.String()), fd.MapValue(), v)
			return true
		})
	case fd.IsList():
		for i := range v.List().Len() {
			f.element(path, i, fd, v.List().Get(i))
		}
	default:
		f.value(path, fd, v)
	}
}

// element is one of a list. Headers and parameters are found by their names, so
// that one that goes does not change the others.
func (f fields) element(path string, i int, fd protoreflect.FieldDescriptor, v protoreflect.Value) {
	if fd.Kind() == protoreflect.MessageKind {
		switch m := v.Message().Interface().(type) {
		case *wire.Header:
			f.named(path, m.GetKey(), m.GetValues())
			return
		case *wire.Param:
			f.named(path, m.GetName(), m.GetValues())
			return
		}
	}
	f.value(fmt.Sprintf("%s[%d]", path, i), fd, v)
}

// named has the values of one name, after those of the same name that are there.
func (f fields) named(path, name string, values []string) {
	path = fmt.Sprintf("%s[%q]", path, name)
	n := 0
	for f[fmt.Sprintf("%s[%d]", path, n)] != "" {
		n++ // the name is listed twice
	}
	for i, value := range values {
		f[fmt.Sprintf("%s[%d]", path, n+i)] = strconv.Quote(value)
	}
	if n == 0 && len(values) == 0 {
		f[path] = "{}"
	}
}

func (f fields) value(path string, fd protoreflect.FieldDescriptor, v protoreflect.Value) {
	switch fd.Kind() {
	case protoreflect.MessageKind:
		f.message(path, v.Message())
	case protoreflect.StringKind:
		f[path] = strconv.Quote(v.String())
	case protoreflect.BytesKind:
		f[path] = quoteBytes(v.Bytes())
	case protoreflect.EnumKind:
		if value := fd.Enum().Values().ByNumber(v.Enum()); value != nil {
			f[path] = string(value.Name())
			return
		}
		f[path] = fmt.Sprint(v.Enum())
	default:
		f[path] = v.String()
	}
}

func quoteBytes(b []byte) string {
	if utf8.Valid(b) {
		return strconv.Quote(string(b))
	}
	return fmt.Sprintf("hex %x", b)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// short cuts a long text, and says how long it was.
func short(s string) string {
	const limit = 160
	if len(s) <= limit {
		return s
	}
	cut := limit
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return fmt.Sprintf("%s… (%d characters)", s[:cut], utf8.RuneCountInString(s))
}
