// Command htmldoc writes the reference of the wire contract for people who write
// plugins: one HTML page that needs nothing else, made from the comments of the
// .proto files and from what is known of each field in each hook.
//
//	htmldoc proto/bindings/descriptor/coprocess.binpb docs/protocol/index.html
package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"os"
)

//go:embed page.html style.css wide.svg tall.svg
var assets embed.FS

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: htmldoc DESCRIPTOR-SET PAGE")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "htmldoc:", err)
		os.Exit(1)
	}
}

func write(set, page string) error {
	data, err := os.ReadFile(set)
	if err != nil {
		return err
	}
	html, err := render(data)
	if err != nil {
		return err
	}
	return os.WriteFile(page, html, 0o644)
}

// A page is what the template shows.
type page struct {
	Hooks  []hook
	Guides []guide
	Files  []file
}

// render makes the page of a descriptor set that has comments.
func render(set []byte) ([]byte, error) {
	c, err := newContract(set)
	if err != nil {
		return nil, err
	}
	t, err := template.New("page.html").Funcs(template.FuncMap{
		"prose": c.prose, "marks": marks, "names": names,
	}).ParseFS(assets, "page.html", "style.css", "wide.svg", "tall.svg")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, page{hooks(), guides(), c.files()}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
