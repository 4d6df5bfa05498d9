package tyk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/grapnel-gateway/grapnel"
)

// Folders is the [grapnel.Catalog] of a Tyk set-up: the files from which the
// original reads and to which its control API writes, one document each [R-22,
// A document is known by the id in it, whatever its file is called; a new
// one gets a file ID.json.
type Folders struct {
	// Apps is the folder of API definitions.
	Apps string
	// Policies is the folder of policies, or a file with all of them, which
	// is only read; empty is neither.
	Policies string

	writing sync.Mutex
}

// Folders returns the catalog of the set-up.
func (s Source) Folders() (*Folders, error) {
	l, err := s.open()
	if err != nil {
		return nil, err
	}
	apps, err := l.definitions()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.name(), err)
	}
	file, folder, err := storage{l}.policies()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.name(), err)
	}
	return &Folders{Apps: apps, Policies: orDefault(folder, file)}, nil
}

// The kinds of documents.
const (
	apiKind    = "apis"
	policyKind = "policies"
)

// documentID matches ids that can be names of files.
var documentID = regexp.MustCompile(`^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,127}$`)

// A stored document and where it is.
type stored struct {
	id, file string
	text     []byte
}

// Documents implements [grapnel.Catalog]. Files that cannot be read as one are
// left out.
func (f *Folders) Documents(_ context.Context, kind string) (map[string][]byte, error) {
	dir, err := f.place(kind)
	if err != nil || dir == "" {
		return nil, err
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return recordFile(dir)
	}
	list, err := read(kind, dir)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, d := range list {
		out[d.id] = d.text // of two with one id, the last counts [P-7]
	}
	return out, nil
}

// PutDocument implements [grapnel.Catalog]. The file is replaced as a whole, so
// that nobody reads half of it.
func (f *Folders) PutDocument(_ context.Context, kind, id string, document []byte) error {
	dir, err := f.writable(kind)
	if err != nil {
		return err
	}
	if !documentID.MatchString(id) || strings.HasSuffix(id+".json", oasSuffix) {
		return fmt.Errorf("%q cannot be the name of a file", id)
	}
	f.writing.Lock()
	defer f.writing.Unlock()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	list, err := read(kind, dir)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, id+".json")
	for _, d := range list {
		if d.id == id {
			file = d.file // the last is the one that counts
		} else if d.file == file {
			return fmt.Errorf("%s holds %q", file, d.id)
		}
	}
	return replace(file, document)
}

// DeleteDocument implements [grapnel.Catalog]. All files that hold the document
// go, so that no older one takes its place, and the OAS twin of a definition.
func (f *Folders) DeleteDocument(_ context.Context, kind, id string) error {
	dir, err := f.writable(kind)
	if err != nil {
		return err
	}
	f.writing.Lock()
	defer f.writing.Unlock()
	list, err := read(kind, dir)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(d stored) bool { return d.id != id })
	if len(list) == 0 {
		return grapnel.ErrNotFound
	}
	for _, d := range list {
		if err := os.Remove(d.file); err != nil {
			return err
		}
		if kind != apiKind {
			continue
		}
		err := os.Remove(strings.TrimSuffix(d.file, ".json") + oasSuffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return syncFolder(dir)
}

// place is the folder of a kind, or the file; empty is none.
func (f *Folders) place(kind string) (string, error) {
	switch kind {
	case apiKind:
		return f.Apps, nil
	case policyKind:
		return f.Policies, nil
	}
	return "", fmt.Errorf("there are no documents of the kind %q", kind)
}

func (f *Folders) writable(kind string) (string, error) {
	dir, err := f.place(kind)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(dir); dir == "" || err == nil && !info.IsDir() {
		return "", fmt.Errorf("there is no folder for %s; policies.policy_path names that of policies", kind)
	}
	return dir, nil
}

// read reads the documents of a folder in the order of their files. A folder
// that is not there is empty.
func read(kind, dir string) ([]stored, error) {
	files, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*.json"))
	if err != nil {
		return nil, err
	}
	var list []stored
	for _, file := range files {
		if kind == apiKind && strings.HasSuffix(file, oasSuffix) {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if d, ok := identify(kind, file, text); ok {
			list = append(list, d)
		}
	}
	return list, nil
}

// identify finds the id of a document. A definition may be wrapped; a
// policy without an id has that of its file.
func identify(kind, file string, text []byte) (stored, bool) {
	var d struct {
		APIID string          `json:"api_id"`
		ID    string          `json:"id"`
		Inner json.RawMessage `json:"api_definition"`
	}
	if json.Unmarshal(text, &d) != nil {
		return stored{}, false
	}
	if kind == policyKind {
		return stored{orDefault(d.ID, strings.TrimSuffix(filepath.Base(file), ".json")), file, text}, true
	}
	if len(d.Inner) > 0 && string(d.Inner) != "null" {
		text, d.APIID = d.Inner, ""
		if json.Unmarshal(text, &d) != nil {
			return stored{}, false
		}
	}
	return stored{d.APIID, file, text}, d.APIID != ""
}

// recordFile reads a file that holds policies by id.
func recordFile(file string) (map[string][]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, explain(text, err))
	}
	out := make(map[string][]byte, len(all))
	for id, policy := range all {
		out[id] = policy
	}
	return out, nil
}

// replace writes a file so that it is there, whole, after a crash: beside the
// old one and then in its place. A new file is for the gateway's user alone,
// since definitions hold secrets.
func replace(file string, text []byte) error {
	dir := filepath.Dir(file)
	f, err := os.CreateTemp(dir, ".*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	if info, err := os.Stat(file); err == nil {
		if err := f.Chmod(info.Mode().Perm()); err != nil {
			f.Close()
			return err
		}
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return err
	}
	return syncFolder(dir)
}

// syncFolder makes what happened to the names in a folder last.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
