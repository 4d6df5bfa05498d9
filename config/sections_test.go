package config

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/netip"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/grapnel-gateway/grapnel"
)

// A section is what the reference says about one struct.
type section struct {
	paths []string // where it can stand
	about string
	keys  []entry
	typ   reflect.Type
}

type entry struct{ name, typ, fallback, meaning string }

func (s *section) title() string {
	if s.paths[0] == "" {
		return "The file"
	}
	return "`" + strings.Join(s.paths, "`, `") + "`"
}

// sectionsOf describes all structs of a configuration, in the order in which
// they are met.
func sectionsOf(t *testing.T) []*section {
	t.Helper()
	r := &surveyor{docs: readDocs(t)}
	r.survey("", withDefaults(reflect.TypeFor[grapnel.Config]()))
	return r.sections
}

type surveyor struct {
	docs     map[string]string // by type, and by type and field
	sections []*section
}

// withDefaults makes a value as the decoder would before reading it.
func withDefaults(t reflect.Type) reflect.Value {
	p := reflect.New(t)
	if s, ok := p.Interface().(interface{ SetDefaults() }); ok {
		s.SetDefaults()
	}
	return p.Elem()
}

// survey adds the section of a struct, or the path to the one it has.
func (r *surveyor) survey(path string, v reflect.Value) {
	if v.NumField() == 1 && v.Type().Field(0).Anonymous {
		v = v.Field(0)
	}
	i := slices.IndexFunc(r.sections, func(s *section) bool { return s.typ == v.Type() })
	if i >= 0 {
		r.sections[i].paths = append(r.sections[i].paths, path)
		return
	}
	s := &section{paths: []string{path}, typ: v.Type()}
	if path != "" {
		s.about = tidy(r.docs[v.Type().Name()], "", v.Type())
	}
	r.sections = append(r.sections, s)
	r.fields(s, path, v)
}

// fields adds the keys of a struct, and the sections of what is in it.
func (r *surveyor) fields(s *section, path string, v reflect.Value) {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			r.fields(s, path, v.Field(i))
			continue
		case key == "" || key == "-":
			continue
		}
		s.keys = append(s.keys, entry{
			name: key, typ: typeName(f.Type), fallback: fallback(v.Field(i)),
			meaning: tidy(r.docs[t.Name()+"."+f.Name], f.Name, t),
		})
		r.inside(child(path, key), v.Field(i))
	}
}

// inside finds the structs in a value.
func (r *surveyor) inside(path string, v reflect.Value) {
	switch t := v.Type(); {
	case typeName(t) != "mapping" && t.Kind() != reflect.Slice && t.Kind() != reflect.Map:
	case t.Kind() == reflect.Struct:
		r.survey(path, v)
	case t.Kind() == reflect.Pointer:
		r.inside(path, withDefaults(t.Elem()))
	case t.Kind() == reflect.Slice:
		r.inside(path+"[]", withDefaults(t.Elem()))
	case t.Kind() == reflect.Map && t.Elem().Kind() != reflect.Interface:
		r.inside(path+".NAME", withDefaults(t.Elem()))
	}
}

func typeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[grapnel.Duration]():
		return "duration"
	case reflect.TypeFor[grapnel.Size]():
		return "size"
	case reflect.TypeFor[grapnel.URL]():
		return "URL"
	case reflect.TypeFor[grapnel.Percent]():
		return "share"
	case reflect.TypeFor[grapnel.Step]():
		return "step"
	case reflect.TypeFor[netip.Prefix]():
		return "network"
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Float64:
		return "number"
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Slice:
		return strings.TrimSuffix("list of "+typeName(t.Elem()), "s") + "s"
	}
	return "mapping"
}

// fallback renders a default.
func fallback(v reflect.Value) string {
	text := ""
	switch d := v.Interface().(type) {
	case grapnel.Duration:
		if text = time.Duration(d).String(); strings.HasSuffix(text, "m0s") {
			text = strings.TrimSuffix(text, "0s")
		}
		if d == 0 {
			text = "0"
		} else if d == grapnel.Inherit {
			return "inherited"
		}
	case grapnel.Size:
		switch {
		case d == -1:
			return "inherited"
		case d > 0 && d%(1<<20) == 0:
			text = fmt.Sprintf("%dMiB", d>>20)
		case d > 0 && d%(1<<10) == 0:
			text = fmt.Sprintf("%dKiB", d>>10)
		default:
			text = fmt.Sprint(int64(d))
		}
	case grapnel.Percent:
		text = fmt.Sprint(d) + "%"
	default:
		if v.Kind() == reflect.Struct || v.IsZero() && v.Kind() != reflect.Bool && v.Kind() != reflect.Int {
			return "–"
		}
		text = fmt.Sprint(v.Interface())
	}
	return "`" + text + "`"
}

var (
	specID  = regexp.MustCompile(`\s*\[(?:[A-Z]+-?[0-9,\s]|[0-9]|E,)[^\]]*\]`)
	docLink = regexp.MustCompile(`\[([A-Za-z.]+)\]`)
	word    = regexp.MustCompile(`[A-Za-z.]+`)
)

// tidy makes a cell of a doc comment: without ids of the specification, and
// with keys instead of the names of fields.
func tidy(doc, name string, t reflect.Type) string {
	doc = strings.Join(strings.Fields(docLink.ReplaceAllString(specID.ReplaceAllString(doc, ""), "$1")), " ")
	if rest, ok := strings.CutPrefix(doc, name+" "); ok && name != "" {
		doc = strings.TrimPrefix(strings.TrimPrefix(rest, "is "), "are ")
	}
	doc = word.ReplaceAllStringFunc(doc, func(w string) string {
		f, ok := t.FieldByName(w)
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); ok && key != "" && key != "-" && strings.ToUpper(w) != w {
			return "`" + key + "`"
		}
		return w
	})
	if doc != "" {
		doc = string(unicode.ToUpper(rune(doc[0]))) + strings.TrimSuffix(doc[1:], ".") + "."
	}
	return strings.ReplaceAll(doc, "|", `\|`)
}

// readDocs collects the comments on the root package's structs and fields.
func readDocs(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	docs := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			d, ok := n.(*ast.GenDecl)
			if !ok || d.Tok != token.TYPE {
				return true
			}
			typ := d.Specs[0].(*ast.TypeSpec)
			docs[typ.Name.Name] = d.Doc.Text()
			if s, ok := typ.Type.(*ast.StructType); ok {
				for _, f := range s.Fields.List {
					for _, id := range f.Names {
						docs[typ.Name.Name+"."+id.Name] = f.Doc.Text() + f.Comment.Text()
					}
				}
			}
			return true
		})
	}
	return docs
}
