package main

import (
	"iter"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// each goes through a list of descriptors.
func each[D any](list interface {
	Len() int
	Get(int) D
}) iter.Seq[D] {
	return func(yield func(D) bool) {
		for i := range list.Len() {
			if !yield(list.Get(i)) {
				return
			}
		}
	}
}

// reading puts the messages of a file in the order of their use: first one that
// no other has as a part, then its parts.
func reading(messages protoreflect.MessageDescriptors) []protoreflect.MessageDescriptor {
	all := slices.Collect(each(messages))
	parts := func(m protoreflect.MessageDescriptor) []protoreflect.MessageDescriptor {
		var out []protoreflect.MessageDescriptor
		for f := range each(m.Fields()) {
			if part, ok := target(f).(protoreflect.MessageDescriptor); ok && slices.Contains(all, part) {
				out = append(out, part)
			}
		}
		return out
	}
	var inner, out []protoreflect.MessageDescriptor
	for _, m := range all {
		inner = append(inner, parts(m)...)
	}
	var add func(protoreflect.MessageDescriptor)
	add = func(m protoreflect.MessageDescriptor) {
		if slices.Contains(out, m) {
			return
		}
		out = append(out, m)
		for _, part := range parts(m) {
			add(part)
		}
	}
	for _, m := range all {
		if !slices.Contains(inner, m) {
			add(m)
		}
	}
	return out
}
