package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// A contract is the descriptors of all files.
type contract struct {
	registry *protoregistry.Files
}

func newContract(set []byte) (*contract, error) {
	var s descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(set, &s); err != nil {
		return nil, err
	}
	registry, err := protodesc.NewFiles(&s)
	if err != nil {
		return nil, err
	}
	return &contract{registry}, nil
}

// A file is a .proto file with what it declares, in the order in which it is
// best read.
type file struct {
	Name    string
	Doc     [][]span
	Entries []entry
}

// An entry is a message, an enum or a service.
type entry struct {
	Kind, ID, Name string
	Doc            [][]span
	Rows           []row
	UsedBy         []protoreflect.FullName // fields and calls
}

// A row is a field, a value of an enum, or a call of a service.
type row struct {
	ID, Name string
	Number   string // empty for a call
	Type     []span // empty for a value
	Doc      [][]span
}

// files lists the files in reading order: what is unknown here comes last.
func (c *contract) files() []file {
	order := []string{"object", "mini_request_object", "return_overrides", "response_object", "session_state", "common", "grapnel_facts", "grapnel_session", "grapnel_values", "grapnel_stream"}
	place := func(f protoreflect.FileDescriptor) int {
		name := strings.TrimSuffix(strings.TrimPrefix(f.Path(), "coprocess_"), ".proto")
		if i := slices.Index(order, name); i >= 0 {
			return i
		}
		return len(order)
	}
	found := c.descriptors()
	slices.SortFunc(found, func(a, b protoreflect.FileDescriptor) int {
		return cmp.Or(place(a)-place(b), strings.Compare(a.Path(), b.Path()))
	})
	var out []file
	for _, f := range found {
		syntax := f.SourceLocations().ByPath(protoreflect.SourcePath{12}) // the comment above it is the file's own
		about := strings.Join(syntax.LeadingDetachedComments, "\n\n")
		out = append(out, file{f.Path(), c.paragraphs(about, f), c.entries(f)})
	}
	return out
}

func (c *contract) descriptors() []protoreflect.FileDescriptor {
	var out []protoreflect.FileDescriptor
	c.registry.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		out = append(out, f)
		return true
	})
	return out
}

func (c *contract) entries(f protoreflect.FileDescriptor) []entry {
	var out []entry
	for s := range each(f.Services()) {
		e := c.entry("service", s)
		for m := range each(s.Methods()) {
			arrow := []span{{Text: string(m.Input().Name()), Link: string(m.Input().FullName())}, {Text: " → "},
				{Text: string(m.Output().Name()), Link: string(m.Output().FullName())}}
			e.Rows = append(e.Rows, c.row(m, "", arrow))
		}
		out = append(out, e)
	}
	for _, m := range reading(f.Messages()) {
		e := c.entry("message", m)
		for field := range each(m.Fields()) {
			e.Rows = append(e.Rows, c.row(field, fmt.Sprint(field.Number()), typeOf(field)))
		}
		e.UsedBy = c.users(m)
		out = append(out, e)
	}
	for d := range each(f.Enums()) {
		e := c.entry("enum", d)
		for v := range each(d.Values()) {
			r := c.row(v, fmt.Sprint(v.Number()), nil)
			r.ID = id(v)
			e.Rows = append(e.Rows, r)
		}
		e.UsedBy = c.users(d)
		out = append(out, e)
	}
	return out
}

func (c *contract) entry(kind string, d protoreflect.Descriptor) entry {
	return entry{Kind: kind, ID: id(d), Name: string(d.Name()), Doc: c.doc(d)}
}

func (c *contract) row(d protoreflect.Descriptor, number string, typ []span) row {
	return row{ID: id(d), Name: string(d.Name()), Number: number, Type: typ, Doc: c.doc(d)}
}

// id is the anchor of a declaration: its full name. A value's has the enum's
// name in it, which protobuf leaves out.
func id(d protoreflect.Descriptor) string {
	if v, ok := d.(protoreflect.EnumValueDescriptor); ok {
		return string(v.Parent().FullName().Append(v.Name()))
	}
	return string(d.FullName())
}

func (c *contract) doc(d protoreflect.Descriptor) [][]span {
	return c.paragraphs(d.ParentFile().SourceLocations().ByDescriptor(d).LeadingComments, d)
}

// users are the fields and calls that have the type.
func (c *contract) users(d protoreflect.Descriptor) []protoreflect.FullName {
	var out []protoreflect.FullName
	for _, f := range c.descriptors() {
		for s := range each(f.Services()) {
			for m := range each(s.Methods()) {
				if m.Input() == d || m.Output() == d {
					out = append(out, m.FullName())
				}
			}
		}
		for m := range each(f.Messages()) {
			for field := range each(m.Fields()) {
				if target(field) == d {
					out = append(out, field.FullName())
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// target is the message or enum that a field holds, or nil.
func target(f protoreflect.FieldDescriptor) protoreflect.Descriptor {
	if f.IsMap() {
		f = f.MapValue()
	}
	if m := f.Message(); m != nil {
		return m
	}
	if e := f.Enum(); e != nil {
		return e
	}
	return nil
}

func typeOf(f protoreflect.FieldDescriptor) []span {
	named := func(f protoreflect.FieldDescriptor) span {
		if d := target(f); d != nil {
			return span{Text: string(d.Name()), Link: string(d.FullName())}
		}
		return span{Text: f.Kind().String()}
	}
	switch {
	case f.IsMap():
		return []span{{Text: "map<" + f.MapKey().Kind().String() + ", "}, named(f.MapValue()), {Text: ">"}}
	case f.IsList():
		return []span{{Text: "repeated "}, named(f)}
	}
	return []span{named(f)}
}
