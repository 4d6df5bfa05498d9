package proto_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/descriptorpb"
)

// ours is the first number that the original leaves to us.
const ours = 1000

// TestContractIsFrozen compares the contract with the one that plugin servers out
// there were built on [W-1…W-4]. descriptor.binpb never changes but by hand.
func TestContractIsFrozen(t *testing.T) {
	for _, complaint := range breaking(readSet(t, "descriptor.binpb"), current(t)) {
		t.Error(complaint)
	}
}

// TestBreakingChangesAreSeen tries the rules of TestContractIsFrozen.
func TestBreakingChangesAreSeen(t *testing.T) {
	for name, c := range changes() {
		t.Run(name, func(t *testing.T) {
			old := readSet(t, "descriptor.binpb")
			now := proto.CloneOf(old)
			c.make(now, file(now, "coprocess_object.proto"))
			got := breaking(old, now)
			switch {
			case c.want == "" && len(got) > 0:
				t.Errorf("complaints about a change that breaks nothing: %q", got)
			case c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)):
				t.Errorf("complaints %q, want one with %q", got, c.want)
			}
		})
	}
}

// A change is one that somebody might make to coprocess_object.proto, whose first
// message is Object, or to another file.
type change struct {
	make func(*descriptorpb.FileDescriptorSet, *descriptorpb.FileDescriptorProto)
	want string // part of the one complaint; empty where there is none
}

func changes() map[string]change {
	type (
		set    = descriptorpb.FileDescriptorSet
		source = descriptorpb.FileDescriptorProto
		msg    = descriptorpb.DescriptorProto
		field  = descriptorpb.FieldDescriptorProto
	)
	bytes := descriptorpb.FieldDescriptorProto_TYPE_BYTES.Enum()
	add := func(m *msg, number int32) {
		m.Field = append(m.Field, &field{Name: proto.String("x"), Number: &number})
	}
	return map[string]change{
		"nothing":       {func(*set, *source) {}, ""},
		"field removed": {func(_ *set, f *source) { f.MessageType[0].Field = f.MessageType[0].Field[:6] }, "removed: field coprocess.Object = 7"},
		"field renamed": {func(_ *set, f *source) { f.MessageType[0].Field[1].Name = proto.String("x") }, "changed: field coprocess.Object = 2"},
		"field retyped": {func(_ *set, f *source) { f.MessageType[0].Field[1].Type = bytes }, "changed: field coprocess.Object = 2"},
		"JSON name":     {func(_ *set, f *source) { f.MessageType[0].Field[1].JsonName = proto.String("x") }, "changed: field coprocess.Object = 2"},
		"optional":      {func(_ *set, f *source) { f.MessageType[0].Field[1].Proto3Optional = proto.Bool(true) }, "changed: field coprocess.Object = 2"},
		"map retyped":   {func(_ *set, f *source) { f.MessageType[0].NestedType[1].Field[1].Type = bytes }, "changed: field coprocess.Object.SpecEntry = 2"},
		"their number":  {func(_ *set, f *source) { add(f.MessageType[0], ours-1) }, "added: field coprocess.Object = 999"},
		"our number":    {func(_ *set, f *source) { add(f.MessageType[0], ours) }, ""},
		"our map": {func(_ *set, f *source) {
			entry := proto.CloneOf(f.MessageType[0].NestedType[1])
			entry.Name = proto.String("XEntry")
			f.MessageType[0].NestedType = append(f.MessageType[0].NestedType, entry)
			add(f.MessageType[0], ours)
		}, ""},
		"enum value renamed": {func(s *set, _ *source) {
			file(s, "coprocess_common.proto").EnumType[0].Value[5].Name = proto.String("X")
		}, "changed: value coprocess.HookType = 5"},
		"message in their file": {func(_ *set, f *source) {
			f.MessageType = append(f.MessageType, &msg{Name: proto.String("X")})
		}, "added: message coprocess.X in coprocess_object.proto"},
		"message in our file": {func(s *set, _ *source) {
			m := &msg{Name: proto.String("X")}
			add(m, 1)
			s.File = append(s.File, &source{Name: proto.String("x.proto"), Package: proto.String("coprocess"), MessageType: []*msg{m}})
		}, ""},
		"method streams": {func(_ *set, f *source) { f.Service[0].Method[0].ServerStreaming = proto.Bool(true) }, "changed: method coprocess.Dispatcher.Dispatch"},
		"Java package":   {func(_ *set, f *source) { f.Options.JavaPackage = proto.String("x") }, "changed: file coprocess_object.proto"},
	}
}

// breaking says what a plugin that was built on old would miss in now, and what
// now takes of the numbers and names that are the original's.
func breaking(old, now *descriptorpb.FileDescriptorSet) []string {
	var out []string
	before, after := facts(old), facts(now)
	for key, was := range before {
		is, ok := after[key]
		if !ok {
			out = append(out, "removed: "+key)
		} else if !proto.Equal(was.text, is.text) {
			out = append(out, fmt.Sprintf("changed: %s (-frozen +now):\n%s", key, cmp.Diff(was.text, is.text, protocmp.Transform())))
		}
	}
	for key, is := range after {
		_, known := before[key]
		_, original := before["file "+is.file]
		if !known && original && is.number < ours && !is.entry {
			out = append(out, fmt.Sprintf("added: %s: numbers below %d and these files are the original's", key, ours))
		}
	}
	slices.Sort(out)
	return out
}

// A fact is one thing that a descriptor set declares.
type fact struct {
	file   string
	number int32         // of a field or an enum value
	entry  bool          // of a map, so judged by the field that it belongs to
	text   proto.Message // the declaration without what it contains
}

func facts(set *descriptorpb.FileDescriptorSet) map[string]fact {
	out := map[string]fact{}
	for _, f := range set.GetFile() {
		name, pkg := f.GetName(), f.GetPackage()+"."
		bare := proto.CloneOf(f)
		bare.MessageType, bare.EnumType, bare.Service, bare.Dependency, bare.SourceCodeInfo = nil, nil, nil, nil, nil
		out["file "+name] = fact{file: name, text: bare}
		for _, m := range f.GetMessageType() {
			messageFacts(out, name, pkg, m)
		}
		for _, e := range f.GetEnumType() {
			enumFacts(out, name, pkg, e)
		}
		for _, s := range f.GetService() {
			out["service "+pkg+s.GetName()+" in "+name] = fact{file: name, text: s.GetOptions()}
			for _, m := range s.GetMethod() {
				out["method "+pkg+s.GetName()+"."+m.GetName()] = fact{file: name, text: m}
			}
		}
	}
	return out
}

func messageFacts(out map[string]fact, file, scope string, m *descriptorpb.DescriptorProto) {
	bare := proto.CloneOf(m)
	bare.Field, bare.NestedType, bare.EnumType = nil, nil, nil
	name, entry := scope+m.GetName(), m.GetOptions().GetMapEntry()
	out["message "+name+" in "+file] = fact{file: file, entry: entry, text: bare}
	for _, f := range m.GetField() {
		out[fmt.Sprintf("field %s = %d", name, f.GetNumber())] = fact{file: file, number: f.GetNumber(), entry: entry, text: f}
	}
	for _, n := range m.GetNestedType() {
		messageFacts(out, file, name+".", n)
	}
	for _, e := range m.GetEnumType() {
		enumFacts(out, file, name+".", e)
	}
}

func enumFacts(out map[string]fact, file, scope string, e *descriptorpb.EnumDescriptorProto) {
	bare := proto.CloneOf(e)
	bare.Value = nil
	name := scope + e.GetName()
	out["enum "+name+" in "+file] = fact{file: file, text: bare}
	for _, v := range e.GetValue() {
		out[fmt.Sprintf("value %s = %d", name, v.GetNumber())] = fact{file: file, number: v.GetNumber(), text: v}
	}
}

// TestStyle: what is added looks like what is there, and has no options, which
// would change other languages' names [W-4].
func TestStyle(t *testing.T) {
	var (
		snake = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
		camel = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	)
	for _, f := range current(t).GetFile() {
		if f.GetPackage() != "coprocess" || f.GetSyntax() != "proto3" {
			t.Errorf("%s: package %s, syntax %s; want coprocess and proto3", f.GetName(), f.GetPackage(), f.GetSyntax())
		}
		const home = "github.com/grapnel-gateway/grapnel/proto/coprocess"
		if diff := cmp.Diff(&descriptorpb.FileOptions{GoPackage: proto.String(home)}, f.GetOptions(), protocmp.Transform()); diff != "" {
			t.Errorf("%s: options (-want +got):\n%s", f.GetName(), diff)
		}
	}
	every(t, func(d protoreflect.Descriptor) {
		style := camel
		switch d := d.(type) {
		case protoreflect.FileDescriptor:
			return
		case protoreflect.FieldDescriptor:
			style = snake
			if d.HasJSONName() && d.JSONName() != lowerCamel(string(d.Name())) {
				t.Errorf("%s: JSON name %s", d.FullName(), d.JSONName())
			}
		}
		if !style.MatchString(string(d.Name())) {
			t.Errorf("%s: the name does not match %s", d.FullName(), style)
		}
		if proto.Size(d.Options()) > 0 {
			t.Errorf("%s has options: %v", d.FullName(), d.Options())
		}
	})
}

// lowerCamel is the JSON name that protoc gives to a field by itself.
func lowerCamel(name string) string {
	words := strings.Split(name, "_")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}

// TestEverythingHasAComment: the .proto files are the reference of the contract,
// so nothing in them goes without a word.
func TestEverythingHasAComment(t *testing.T) {
	seen := 0
	every(t, func(d protoreflect.Descriptor) {
		seen++
		comments := d.ParentFile().SourceLocations().ByDescriptor(d).LeadingComments
		if f, ok := d.(protoreflect.FileDescriptor); ok { // above its first line, with a gap between
			comments = strings.Join(f.SourceLocations().ByPath(protoreflect.SourcePath{12}).LeadingDetachedComments, "")
		}
		if strings.TrimSpace(comments) == "" {
			t.Errorf("%s: %s has no comment", d.ParentFile().Path(), d.FullName())
		}
	})
	if seen < 100 {
		t.Errorf("only %d declarations were found", seen)
	}
}

// every calls f for each file and for each thing that the files declare, the
// messages that stand for map entries left out.
func every(t *testing.T, f func(protoreflect.Descriptor)) {
	t.Helper()
	files, err := protodesc.NewFiles(current(t))
	if err != nil {
		t.Fatal(err)
	}
	files.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		f(file)
		everyEnum(file.Enums(), f)
		everyMessage(file.Messages(), f)
		for i := range file.Services().Len() {
			s := file.Services().Get(i)
			f(s)
			for j := range s.Methods().Len() {
				f(s.Methods().Get(j))
			}
		}
		return true
	})
}

func everyMessage(messages protoreflect.MessageDescriptors, f func(protoreflect.Descriptor)) {
	for i := range messages.Len() {
		m := messages.Get(i)
		if m.IsMapEntry() {
			continue
		}
		f(m)
		for j := range m.Fields().Len() {
			f(m.Fields().Get(j))
		}
		everyEnum(m.Enums(), f)
		everyMessage(m.Messages(), f)
	}
}

func everyEnum(enums protoreflect.EnumDescriptors, f func(protoreflect.Descriptor)) {
	for i := range enums.Len() {
		f(enums.Get(i))
		for j := range enums.Get(i).Values().Len() {
			f(enums.Get(i).Values().Get(j))
		}
	}
}

// current is the contract as the .proto files have it now, comments included.
func current(t *testing.T) *descriptorpb.FileDescriptorSet {
	t.Helper()
	return readSet(t, "bindings/descriptor/coprocess.binpb")
}

func readSet(t *testing.T, name string) *descriptorpb.FileDescriptorSet {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(data, set); err != nil || len(set.GetFile()) == 0 {
		t.Fatalf("%s: %d files, error %v", name, len(set.GetFile()), err)
	}
	return set
}

func file(set *descriptorpb.FileDescriptorSet, name string) *descriptorpb.FileDescriptorProto {
	i := slices.IndexFunc(set.GetFile(), func(f *descriptorpb.FileDescriptorProto) bool { return f.GetName() == name })
	return set.GetFile()[i]
}
