// Package scaffold writes new plugin projects. A project is complete in itself:
// it carries the contract along and needs nothing but the packages of its
// language's registry. The templates of a language are one folder; what else a
// project is made of is in language.go.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"
)

// templates has a folder for each language, and common for all of them. The
// files are text/templates, and end in .tmpl so that no tool takes them for what
// they will be.
//
//go:embed all:templates
var templates embed.FS

// project is what the templates know.
type project struct {
	language
	Name string // as package managers like it: letters, digits and hyphens
}

// New writes a project into a folder, which it makes, and which must not hold
// anything. Without a folder it is the project's name. It returns the folder.
//
// The name becomes lower case with hyphens, as all package managers take it.
func New(name, lang, dir string) (string, error) {
	l, err := find(lang)
	if err != nil {
		return "", err
	}
	p := project{language: l}
	if p.Name, err = tidy(name); err != nil {
		return "", err
	}
	if dir == "" {
		dir = p.Name
	}
	files, err := p.files()
	if err != nil {
		return "", err
	}
	if err := vacant(dir); err != nil {
		return "", err
	}
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// tidy makes a name that every package manager takes: My_Plugin is my-plugin.
func tidy(name string) (string, error) {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	tidied := strings.Join(words, "-")
	if tidied == "" || tidied[0] < 'a' {
		return "", fmt.Errorf("%q is not a name for a project: it has to begin with a letter from a to z", name)
	}
	if len(tidied) > 60 {
		return "", fmt.Errorf("%q is too long a name for a project", name)
	}
	return tidied, nil
}

// vacant refuses a folder that has something in it.
func vacant(dir string) error {
	found, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(found) > 0:
		return fmt.Errorf("%s is not empty; nothing was written", dir)
	}
	return nil
}

// files are those of the project by name.
func (p project) files() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, folder := range []string{"common", p.Folder} {
		if err := p.render(files, path.Join("templates", folder)); err != nil {
			return nil, err
		}
	}
	for _, part := range p.parts {
		names, err := fs.Glob(part.from, part.glob)
		if err != nil || len(names) == 0 {
			return nil, fmt.Errorf("%s: no such files (%v)", part.glob, err)
		}
		for _, name := range names {
			text, err := fs.ReadFile(part.from, name)
			if err != nil {
				return nil, err
			}
			files[path.Join(part.to, path.Base(name))] = text
		}
	}
	return files, nil
}

// render adds the files of a folder of templates.
func (p project) render(files map[string][]byte, folder string) error {
	return fs.WalkDir(templates, folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		t, err := template.ParseFS(templates, name)
		if err != nil {
			return err
		}
		var text bytes.Buffer
		if err := t.Execute(&text, p); err != nil {
			return err
		}
		files[strings.TrimSuffix(strings.TrimPrefix(name, folder+"/"), ".tmpl")] = text.Bytes()
		return nil
	})
}
