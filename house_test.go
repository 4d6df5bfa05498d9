package grapnel_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The rules of the house. A rule that a good design must break gets an entry
// in exceptions, with the reason on the same line; it is never bent silently.
const (
	module        = "github.com/grapnel-gateway/grapnel"
	maxFileLines  = 400
	maxFuncLines  = 60
	maxIfaceMeths = 8
	maxTypeMeths  = 25
	maxFields     = 20
	maxShare      = 25 // percent of the hand-written lines, tests apart
)

// mayImport lists, for every package, what it may import of this module. A
// package that is not listed may import nothing of it, and a new one fails the
// test until someone has decided where it belongs.
var mayImport = map[string][]string{
	".":                          {},
	"admin":                      {".", "pki"},
	"auth":                       {".", "pki"},
	"cmd/grapnel":                {"*"},
	"config":                     {".", "pki", "plugin/condition"},
	"config/tyk":                 {".", "config"},
	"endpoint":                   {"."},
	"keys":                       {"."},
	"limit":                      {"."},
	"observe":                    {"."},
	"pki":                        {},
	"plugin":                     {".", "plugin/condition"},
	"plugin/condition":           {"."},
	"plugin/coding":              {},
	"plugin/coprocess":           {".", "plugin/coding", "plugin/rpc", "proto/coprocess"},
	"plugin/fleet":               {".", "pki", "plugin/rpc"},
	"plugin/process":             {},
	"plugin/rpc":                 {},
	"plugin/rpc/direct":          {"plugin/rpc", "socket"},
	"plugin/rpc/rpctest":         {"plugin/rpc", "proto/coprocess"},
	"plugin/rpc/standard":        {"plugin/rpc"},
	"graphql":                    {"."},
	"oauth":                      {"."},
	"upstream/h1":                {"socket"},
	"plugin/plugintest":          {".", "proto/coprocess"},
	"plugin/plugintest/scripted": {".", "proto/coprocess", "plugin/plugintest"},
	"plugin/tryout":              {".", "proto/coprocess"},
	"proto":                      {},
	"proto/coprocess":            {},
	"proto/htmldoc":              {},
	"server":                     {".", "auth", "endpoint", "graphql", "limit", "oauth", "observe", "pki", "plugin", "server/h1", "upstream"},
	"server/h1":                  {"socket"},
	"socket":                     {},
	"store":                      {"."},
	"store/storetest":            {".", "test/program"},
	"upstream":                   {".", "pki", "upstream/h1"},
	"bench/agent":                {},
	"bench/gauge":                {},
	"bench/plugin":               {"proto/coprocess"},
	"bench/upstream":             {},
	"examples/go/minimal":        {"proto/coprocess"},
	"examples/go/demo":           {"proto/coprocess"},
	"examples/go/sample":         {"sdk"},
	"examples/go/tutorial":       {"sdk"},
	"scaffold":                   {"proto", "sdk/node", "sdk/python"},
	"sdk":                        {"proto/coprocess"},
	"sdk/node":                   {},
	"sdk/python":                 {},
	"test/program":               {},
}

// exceptions are the caps that are raised on purpose: "rule subject" to why.
var exceptions = map[string]string{
	"fields Policy":           "mirrors the original's policy JSON [S-10]",
	"fields Session":          "mirrors the original's stored session JSON [S-1]",
	"panic server/respond.go": "http.ErrAbortHandler is net/http's way to abort a reply that has begun",
}

type source struct {
	dir, name string // relative to the module
	test      bool
	lines     int
	file      *ast.File
}

func TestHouse(t *testing.T) {
	fset := token.NewFileSet()
	sources := parseAll(t, fset)
	if len(sources) < 10 {
		t.Fatalf("only %d Go files found: the test looks in the wrong place", len(sources))
	}
	report := func(format string, args ...any) { t.Helper(); t.Errorf(format, args...) }
	for _, s := range sources {
		checkFile(s, fset, report)
		checkImports(s, report)
		for _, d := range s.file.Decls {
			checkDecl(s, d, fset, report)
		}
	}
	checkPackages(sources, report)
	checkShare(sources, report)
}

func parseAll(t *testing.T, fset *token.FileSet) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && p != "." || d.Name() == "testdata" || d.Name() == "node_modules" || d.Name() == "bindings") {
			return filepath.SkipDir
		}
		if filepath.Ext(p) != ".go" {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(fset, p, text, parser.ParseComments)
		if err != nil {
			return err
		}
		if ast.IsGenerated(f) {
			return nil
		}
		out = append(out, source{
			dir: path.Dir(filepath.ToSlash(p)), name: filepath.ToSlash(p), test: strings.HasSuffix(p, "_test.go"),
			lines: strings.Count(string(text), "\n"), file: f,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

type reporter func(format string, args ...any)

func excepted(rule, subject string) bool { return exceptions[rule+" "+subject] != "" }

func checkFile(s source, fset *token.FileSet, report reporter) {
	if s.lines > maxFileLines && !excepted("lines", s.name) {
		report("%s: %d lines, the cap is %d", s.name, s.lines, maxFileLines)
	}
	switch base := path.Base(s.dir); base {
	case "util", "utils", "common", "helper", "helpers", "misc", "pkg", "core", "internal":
		report("%s: a package named %q says nothing", s.name, base)
	}
	if s.test {
		return
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok {
			if id, ok := c.Fun.(*ast.Ident); ok && id.Name == "panic" && !excepted("panic", s.name) {
				report("%s: panic outside tests", fset.Position(n.Pos()))
			}
		}
		return true
	})
}

func checkImports(s source, report reporter) {
	if s.test {
		return
	}
	allowed, known := mayImport[s.dir]
	if !known {
		report("%s: package %q is not in the import table of house_test.go; decide what it may import", s.name, s.dir)
		return
	}
	for _, spec := range s.file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			report("%s: %v", s.name, err)
			continue
		}
		first, _, _ := strings.Cut(p, "/")
		if s.dir == "." && strings.Contains(first, ".") {
			report("%s: the root imports the standard library only, not %s", s.name, p)
		}
		if p != module && !strings.HasPrefix(p, module+"/") {
			continue
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(p, module), "/")
		if rel == "" {
			rel = "."
		}
		if rel == "cmd/grapnel" || !slices.Contains(allowed, "*") && !slices.Contains(allowed, rel) {
			report("%s: %s may not import %s", s.name, s.dir, rel)
		}
	}
}

func checkDecl(s source, d ast.Decl, fset *token.FileSet, report reporter) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		lines := fset.Position(d.End()).Line - fset.Position(d.Pos()).Line + 1
		if lines > maxFuncLines && !excepted("function", d.Name.Name) {
			report("%s: %s has %d lines, the cap is %d", s.name, d.Name.Name, lines, maxFuncLines)
		}
		if d.Name.Name == "init" && d.Recv == nil {
			report("%s: init functions hide work", s.name)
		}
		if !s.test && d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
			report("%s: exported %s has no doc comment", s.name, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			checkSpec(s, d, spec, report)
		}
	}
}

func checkSpec(s source, d *ast.GenDecl, spec ast.Spec, report reporter) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		name := spec.Name.Name
		if !s.test && spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil {
			report("%s: exported type %s has no doc comment", s.name, name)
		}
		switch typ := spec.Type.(type) {
		case *ast.InterfaceType:
			if n := typ.Methods.NumFields(); n > maxIfaceMeths {
				report("%s: interface %s has %d methods, the cap is %d", s.name, name, n, maxIfaceMeths)
			}
		case *ast.StructType:
			mirror := strings.HasPrefix(s.name, "config/tyk/") // mirrors the original's JSON
			if n := typ.Fields.NumFields(); n > maxFields && !mirror && !excepted("fields", name) {
				report("%s: struct %s has %d fields, the cap is %d", s.name, name, n, maxFields)
			}
		}
	case *ast.ValueSpec:
		if s.test {
			return
		}
		for _, id := range spec.Names {
			if id.IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
				report("%s: exported %s has no doc comment", s.name, id.Name)
			}
			if d.Tok == token.VAR && id.Name != "_" && !constant(spec) {
				report("%s: package variable %s can change; only errors, expressions and tables that nobody writes to may stand here", s.name, id.Name)
			}
		}
	}
}

// constant reports whether a package variable is one of the kinds that are
// never written to: sentinel errors, compiled expressions and templates, and
// embedded files.
func constant(spec *ast.ValueSpec) bool {
	if len(spec.Values) == 0 {
		sel, ok := spec.Type.(*ast.SelectorExpr) // an embedded file system
		return ok && fmt.Sprint(sel.X) == "embed"
	}
	for _, v := range spec.Values {
		c, ok := v.(*ast.CallExpr)
		if !ok {
			return false
		}
		sel, ok := c.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		switch fmt.Sprint(sel.X) + "." + sel.Sel.Name {
		case "errors.New", "regexp.MustCompile", "strings.NewReplacer", "netip.MustParsePrefix":
		default:
			return false
		}
	}
	return true
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	return ast.IsExported(receiver(d))
}

func receiver(d *ast.FuncDecl) string {
	t := d.Recv.List[0].Type
	for {
		switch u := t.(type) {
		case *ast.StarExpr:
			t = u.X
		case *ast.IndexExpr:
			t = u.X
		case *ast.Ident:
			return u.Name
		default:
			return ""
		}
	}
}

func checkPackages(sources []source, report reporter) {
	commented, methods := map[string]bool{}, map[string]int{}
	for _, s := range sources {
		if s.test {
			continue
		}
		commented[s.dir] = commented[s.dir] || s.file.Doc != nil
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil {
				methods[s.dir+"."+receiver(f)]++
			}
		}
	}
	for dir, ok := range commented {
		if !ok {
			report("package %s has no package comment", dir)
		}
	}
	for typ, n := range methods {
		if n > maxTypeMeths {
			report("%s has %d methods, the cap is %d", typ, n, maxTypeMeths)
		}
	}
}

func checkShare(sources []source, report reporter) {
	total, byDir := 0, map[string]int{}
	for _, s := range sources {
		if !s.test {
			total += s.lines
			byDir[s.dir] += s.lines
		}
	}
	for dir, n := range byDir {
		if 100*n > maxShare*total {
			report("package %s has %d%% of the lines, the cap is %d%%", dir, 100*n/total, maxShare)
		}
	}
}
