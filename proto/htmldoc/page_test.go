package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const (
	setFile  = "../bindings/descriptor/coprocess.binpb"
	pageFile = "../../docs/protocol/index.html"
)

func descriptorSet(t *testing.T) []byte {
	t.Helper()
	set, err := os.ReadFile(setFile)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func load(t *testing.T) *contract {
	t.Helper()
	c, err := newContract(descriptorSet(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func rendered(t *testing.T) []byte {
	t.Helper()
	page, err := render(descriptorSet(t))
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// TestFresh: the page that is kept is the one that the contract makes.
func TestFresh(t *testing.T) {
	stored, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(stored), string(rendered(t))); diff != "" {
		t.Errorf("docs/protocol/index.html is stale: run make docs\n%s", diff)
	}
}

// elements are the start tags of the page, which must be well-formed: every
// element is closed where it should be.
func elements(t *testing.T) []xml.StartElement {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(rendered(t)))
	d.Entity = xml.HTMLEntity
	var out []xml.StartElement
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			out = append(out, e.Copy())
		}
	}
}

func attribute(e xml.StartElement, name string) (string, bool) {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value, true
		}
	}
	return "", false
}

func anchors(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, e := range elements(t) {
		if id, ok := attribute(e, "id"); ok {
			if out[id] {
				t.Errorf("two elements have the id %q", id)
			}
			out[id] = true
		}
	}
	return out
}

// TestLinks: what the page links to is in it, or in the repository.
func TestLinks(t *testing.T) {
	ids, links := anchors(t), 0
	for _, e := range elements(t) {
		href, ok := attribute(e, "href")
		if !ok || e.Name.Local != "a" {
			continue
		}
		links++
		if id, inside := strings.CutPrefix(href, "#"); inside {
			if !ids[id] {
				t.Errorf("%s leads nowhere", href)
			}
		} else if _, err := os.Stat(filepath.Join(filepath.Dir(pageFile), href)); err != nil {
			t.Errorf("%s leads nowhere: %v", href, err)
		}
	}
	if links < 200 {
		t.Errorf("only %d links", links)
	}
}

// TestSelfContained: a browser that shows the page asks nobody for anything.
func TestSelfContained(t *testing.T) {
	for _, e := range elements(t) {
		switch e.Name.Local {
		case "script", "img", "iframe", "object", "embed", "use", "image":
			t.Errorf("there is an element %s", e.Name.Local)
		case "link":
			if href, _ := attribute(e, "href"); href != "data:," {
				t.Errorf("%s is loaded", href)
			}
		}
		if _, ok := attribute(e, "src"); ok {
			t.Errorf("%s has a source", e.Name.Local)
		}
	}
	if found := regexp.MustCompile(`(?i)url\(|@import|https?://|ZgotmplZ`).Find(rendered(t)); found != nil {
		t.Errorf("the page has %q", found)
	}
}

// TestEveryDeclarationIsDocumented: whatever the contract declares has an anchor,
// and a comment of at least one sentence.
func TestEveryDeclarationIsDocumented(t *testing.T) {
	ids, seen := anchors(t), 0
	check := func(d protoreflect.Descriptor) {
		seen++
		if !ids[id(d)] {
			t.Errorf("%s has no anchor", d.FullName())
		}
		text := strings.TrimSpace(d.ParentFile().SourceLocations().ByDescriptor(d).LeadingComments)
		if len(text) < 10 || !strings.Contains(text, ".") {
			t.Errorf("%s is not documented by a sentence: %q", d.FullName(), text)
		}
	}
	for _, f := range load(t).descriptors() {
		for m := range each(f.Messages()) {
			check(m)
			for field := range each(m.Fields()) {
				check(field)
			}
		}
		for e := range each(f.Enums()) {
			check(e)
			for v := range each(e.Values()) {
				check(v)
			}
		}
		for s := range each(f.Services()) {
			check(s)
			for m := range each(s.Methods()) {
				check(m)
			}
		}
	}
	if seen < 90 {
		t.Errorf("only %d declarations were found", seen)
	}
}

// TestTypes: a field's type leads to the message that it is made of.
func TestTypes(t *testing.T) {
	page := string(rendered(t))
	for _, want := range []string{
		`map&lt;string, <a href="#coprocess.AccessDefinition">AccessDefinition</a>&gt;`,
		`map&lt;string, string&gt;`,
		`repeated <a href="#coprocess.Header">Header</a>`,
		`<a href="#coprocess.Event">Event</a> → <a href="#coprocess.EventReply">EventReply</a>`,
		`<a href="#coprocess.MiniRequestObject.raw_body"><code>raw_body</code></a>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}
