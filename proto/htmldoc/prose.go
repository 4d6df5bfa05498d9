package main

import (
	"regexp"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// A span is a piece of text that may be code and may lead to an anchor.
type span struct {
	Text, Link string
	Code       bool
}

// paragraphs divides a comment, and finds what it names.
func (c *contract) paragraphs(text string, scope protoreflect.Descriptor) [][]span {
	var out [][]span
	for p := range strings.SplitSeq(text, "\n\n") {
		if words := strings.Join(strings.Fields(p), " "); words != "" {
			out = append(out, c.spans(words, scope))
		}
	}
	return out
}

// prose is the text of a guide about a message, with what it names.
func (c *contract) prose(message protoreflect.FullName, text string) ([]span, error) {
	d, err := c.registry.FindDescriptorByName(message)
	if err != nil {
		return nil, err
	}
	return c.spans(text, d), nil
}

// named finds the words that may be names: those in backquotes, with a dot or an
// underscore inside, or with a capital inside.
var named = regexp.MustCompile("`[^`]+`|\\b[A-Za-z]+(?:[._][A-Za-z]+)+\\b|\\b[A-Z][a-z]+[A-Z][A-Za-z]*\\b")

// spans marks the names in a text, and links those of declarations.
func (c *contract) spans(text string, scope protoreflect.Descriptor) []span {
	var out []span
	end := 0
	for _, at := range named.FindAllStringIndex(text, -1) {
		word := strings.Trim(text[at[0]:at[1]], "`")
		s := span{Text: word, Link: c.find(word, scope), Code: true}
		if s.Link == "" && !strings.ContainsAny(text[at[0]:at[1]], "`_") {
			continue // a word of the language, or an HTTP header
		}
		out = append(out, span{Text: text[end:at[0]]}, s)
		end = at[1]
	}
	return append(out, span{Text: text[end:]})
}

// find returns the anchor of what a word names to a reader of the scope: a field
// beside it or of the Object, a field of such a field, or a declaration. What
// the reader is looking at needs no link.
func (c *contract) find(word string, scope protoreflect.Descriptor) string {
	message := enclosing(scope)
	object, _ := c.registry.FindDescriptorByName("coprocess.Object")
	for _, start := range []protoreflect.Descriptor{message, object} {
		if d := walk(start, strings.Split(word, ".")); d != nil && d != scope && d != message {
			return id(d)
		}
	}
	first, rest, _ := strings.Cut(word, ".")
	for _, f := range c.descriptors() {
		d := declared(f, protoreflect.Name(first))
		if d != nil && rest != "" {
			d = walk(d, strings.Split(rest, "."))
		}
		if d != nil && d != scope && d != message {
			return id(d)
		}
	}
	return ""
}

func enclosing(d protoreflect.Descriptor) protoreflect.Descriptor {
	for ; d != nil; d = d.Parent() {
		if m, ok := d.(protoreflect.MessageDescriptor); ok {
			return m
		}
	}
	return nil
}

// declared is the message, enum, value or service of a name in a file, or nil.
func declared(f protoreflect.FileDescriptor, name protoreflect.Name) protoreflect.Descriptor {
	if m := f.Messages().ByName(name); m != nil {
		return m
	}
	if s := f.Services().ByName(name); s != nil {
		return s
	}
	for e := range each(f.Enums()) {
		if e.Name() == name {
			return e
		}
		if v := e.Values().ByName(name); v != nil {
			return v
		}
	}
	return nil
}

// walk follows names of fields from a message; nil is nowhere.
func walk(d protoreflect.Descriptor, names []string) protoreflect.Descriptor {
	for i, name := range names {
		m, ok := d.(protoreflect.MessageDescriptor)
		if !ok {
			return nil
		}
		f := m.Fields().ByName(protoreflect.Name(name))
		if f == nil {
			return nil
		}
		if i == len(names)-1 {
			return f
		}
		d = target(f)
	}
	return nil
}
