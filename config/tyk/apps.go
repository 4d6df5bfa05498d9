package tyk

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/config"
)

// oasSuffix ends the names of OAS documents, which the Classic definitions
// beside them stand for [P-1, O-1].
const oasSuffix = "-oas.json"

// definitions finds the folder of definitions.
func (l *loading) definitions() (string, error) {
	dir, ok := l.locate(orDefault(l.conf.AppPath, defaultApps))
	if !ok {
		return "", fmt.Errorf("app_path: there is no folder %s", dir)
	}
	return dir, nil
}

// A found definition and what is known of it.
type found struct {
	file       string
	definition definition
	raw        any
}

// apis reads and translates all definitions, in the order of their file names.
func (l *loading) apis(c *grapnel.Config) ([]*grapnel.API, error) {
	dir, err := l.definitions()
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*.json"))
	if err != nil {
		return nil, err
	}
	var all []found
	for _, file := range files {
		if strings.HasSuffix(file, oasSuffix) {
			continue
		}
		f, err := l.readDefinition(file)
		if err != nil { // [P-1]
			l.notices.add(Notice{File: file, Level: slog.LevelError, Message: "not served: " + err.Error()}, "")
			continue
		}
		all = l.addDefinition(all, f)
	}
	finder := newKeyFinder(definition{}, definitionKeys)
	var apis []*grapnel.API
	for _, f := range all {
		t := translation{loading: l, file: f.file, d: &f.definition}
		if a := t.api(); a != nil && t.sound(a, c) {
			apis = append(apis, a)
		}
		finder.report(&l.notices, f.file, f.raw)
	}
	return l.separate(apis), nil
}

// sound completes an API and reports whether a gateway with the configuration
// accepts it, so that one that is not accepted harms no other.
func (t *translation) sound(a *grapnel.API, c *grapnel.Config) bool {
	server := c.Server
	switch {
	case !wantsCertificates(a):
		server.TLS = grapnel.TLS{} // checked once, with the whole
	case c.Compat == grapnel.CompatTyk:
		server.TLS.ClientCertificates = "request" // as it will be
	}
	err := config.Finish(&grapnel.Config{Server: server, Plugins: c.Plugins, APIs: []*grapnel.API{a}})
	if err != nil {
		t.refuse("", "%v", err)
	}
	return err == nil
}

// escapeGlob keeps a folder's name from being a pattern.
func escapeGlob(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// addDefinition adds one; of two with the same id, the last counts [P-7].
func (l *loading) addDefinition(all []found, f found) []found {
	i := slices.IndexFunc(all, func(o found) bool { return o.definition.APIID == f.definition.APIID })
	if i < 0 || f.definition.APIID == "" {
		return append(all, f)
	}
	l.notices.add(Notice{
		File: all[i].file, Path: "api_id", Level: slog.LevelWarn,
		Message: fmt.Sprintf("not served: %s has the same api_id and comes later", f.file),
	}, all[i].file)
	return append(slices.Delete(all, i, i+1), f)
}

// readDefinition reads one file.
func (l *loading) readDefinition(file string) (found, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return found{}, err
	}
	f, err := l.parseDefinition(b)
	f.file = file
	return f, err
}

// parseDefinition reads a Classic definition, be it wrapped in an
// "api_definition", and follows its references [G-4].
func (l *loading) parseDefinition(b []byte) (found, error) {
	var f found
	if err := json.Unmarshal(b, &f.raw); err != nil {
		return f, explain(b, err)
	}
	object, ok := f.raw.(map[string]any)
	if !ok {
		return f, errors.New("a definition is an object")
	}
	if inner, ok := object["api_definition"].(map[string]any); ok {
		f.raw = inner
	}
	var err error
	if f.raw, err = l.references().followAll(f.raw); err != nil {
		return f, err
	}
	if b, err = json.Marshal(f.raw); err != nil {
		return f, err
	}
	err = json.Unmarshal(b, &f.definition)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return f, fmt.Errorf("%s: a %s does not belong here", e.Field, e.Value)
	}
	return f, err
}

// separate gives every API a listen path of its own: the later of two appends
// its id [P-3]. An alias is not worth a conflict.
func (l *loading) separate(apis []*grapnel.API) []*grapnel.API {
	taken := map[string]string{}
	owner := func(a *grapnel.API, path string) string {
		for _, place := range placesOf(a, path) {
			if id := taken[place]; id != "" {
				return id
			}
		}
		return ""
	}
	take := func(a *grapnel.API, path string) {
		for _, place := range placesOf(a, path) {
			taken[place] = a.ID
		}
	}
	apis = slices.DeleteFunc(apis, func(a *grapnel.API) bool {
		n := Notice{File: l.name(), Path: "app_path", Level: slog.LevelWarn}
		if other := owner(a, a.ListenPath); other != "" {
			a.ListenPath += "-" + a.ID
			n.Message = fmt.Sprintf("the API %q is served at %s: its listen path belongs to %q [P-3]", a.ID, a.ListenPath, other)
		}
		if other := owner(a, a.ListenPath); other != "" {
			n.Level, n.Message = slog.LevelError, fmt.Sprintf("not served: the listen path %s of the API %q belongs to %q", a.ListenPath, a.ID, other)
		}
		if n.Message != "" {
			l.notices.add(n, a.ID)
		}
		if !n.refusal() {
			take(a, a.ListenPath)
		}
		return n.refusal()
	})
	for _, a := range apis {
		a.Aliases = slices.DeleteFunc(a.Aliases, func(path string) bool { return owner(a, path) != "" })
		for _, path := range a.Aliases {
			take(a, path)
		}
	}
	return apis
}

// placesOf are the same for listen paths that cannot be told apart, on each host.
func placesOf(a *grapnel.API, path string) []string {
	if !a.Loose {
		path = strings.TrimRight(path, "/")
	}
	if len(a.Hosts) == 0 {
		return []string{" " + path}
	}
	places := make([]string, len(a.Hosts))
	for i, host := range a.Hosts {
		places[i] = strings.ToLower(host) + " " + path
	}
	return places
}
