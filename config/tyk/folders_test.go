package tyk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

var _ grapnel.Catalog = (*Folders)(nil)

func documents(t *testing.T, f *Folders, kind string) map[string]string {
	t.Helper()
	all, err := f.Documents(t.Context(), kind)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for id, text := range all {
		out[id] = string(text)
	}
	return out
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return strings.Join(list, " ")
}

// TestFoldersAPIs: documents are known by the id in them; what is written goes
// where the original looks [P-1, P-7, R-22…R-26].
func TestFoldersAPIs(t *testing.T) {
	apps := t.TempDir()
	f := &Folders{Apps: apps}
	for name, text := range map[string]string{
		"quickstart.json": `{"api_id": "a", "n": 1}`, "b.json": `{"api_definition": {"api_id": "b"}}`, "b-oas.json": `{"openapi": "3"}`,
		"twice.json": `{"api_id": "b", "n": 2}`, "broken.json": `{`, "nameless.json": `{}`, "list.json": `[]`, "notes.txt": `{"api_id": "x"}`,
	} {
		write(t, filepath.Join(apps, name), text)
	}
	want := map[string]string{"a": `{"api_id": "a", "n": 1}`, "b": `{"api_id": "b", "n": 2}`}
	if diff := cmp.Diff(want, documents(t, f, "apis")); diff != "" {
		t.Error(diff)
	}
	for id, text := range map[string]string{"a": `{"api_id": "a", "n": 3}`, "new": `{"api_id": "new"}`} {
		if err := f.PutDocument(t.Context(), "apis", id, []byte(text)); err != nil {
			t.Fatal(err)
		}
		want[id] = text
	}
	if diff := cmp.Diff(want, documents(t, f, "apis")); diff != "" {
		t.Error(diff)
	}
	for _, id := range []string{"a", "b", "new"} {
		if err := f.DeleteDocument(t.Context(), "apis", id); err != nil {
			t.Fatal(err)
		}
		if err := f.DeleteDocument(t.Context(), "apis", id); !errors.Is(err, grapnel.ErrNotFound) {
			t.Errorf("deleted twice: %v", err)
		}
	}
	if got := names(t, apps); got != "broken.json list.json nameless.json notes.txt" {
		t.Errorf("the folder holds %s", got)
	}
}

// TestFoldersPolicies: a folder is made when it is needed; a file with all
// policies is only read.
func TestFoldersPolicies(t *testing.T) {
	dir := t.TempDir()
	f := &Folders{Policies: filepath.Join(dir, "made")}
	if got := documents(t, f, "policies"); len(got) != 0 {
		t.Errorf("a folder that is not there holds %v", got)
	}
	if err := f.PutDocument(t.Context(), "policies", "p", []byte(`{"rate": 1}`)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"p": `{"rate": 1}`}, documents(t, f, "policies")); diff != "" {
		t.Error(diff)
	}
	if err := f.DeleteDocument(t.Context(), "policies", "p"); err != nil {
		t.Fatal(err)
	}
	record := filepath.Join(dir, "record.json")
	write(t, record, `{"a": {"rate": 1}, "b": {}}`)
	f.Policies = record
	if diff := cmp.Diff(map[string]string{"a": `{"rate": 1}`, "b": `{}`}, documents(t, f, "policies")); diff != "" {
		t.Error(diff)
	}
	for _, policies := range []string{record, ""} {
		f.Policies = policies
		if err := f.PutDocument(t.Context(), "policies", "p", []byte(`{}`)); err == nil {
			t.Errorf("%q is written to", policies)
		}
		if err := f.DeleteDocument(t.Context(), "policies", "a"); err == nil || errors.Is(err, grapnel.ErrNotFound) {
			t.Errorf("%q: deleted: %v", policies, err)
		}
	}
	f.Policies = record
	write(t, record, `[`)
	if _, err := f.Documents(t.Context(), "policies"); err == nil || !strings.Contains(err.Error(), "record.json") {
		t.Errorf("a broken file: %v", err)
	}
}

// TestFoldersIDs: no id leads out of the folder, hides a file, or makes one that
// is not read.
func TestFoldersIDs(t *testing.T) {
	dir := t.TempDir()
	apps := filepath.Join(dir, "apps")
	if err := os.Mkdir(apps, 0o700); err != nil {
		t.Fatal(err)
	}
	f := &Folders{Apps: apps, Policies: apps}
	for _, id := range []string{"", ".", "..", "../x", "a/b", `a\b`, ".hidden", "a\x00b", "a b", "a-oas", strings.Repeat("x", 129), "ä"} {
		if err := f.PutDocument(t.Context(), "apis", id, []byte(`{}`)); err == nil {
			t.Errorf("%q is accepted", id)
		}
		if err := f.DeleteDocument(t.Context(), "apis", id); !errors.Is(err, grapnel.ErrNotFound) {
			t.Errorf("%q: deleted: %v", id, err)
		}
	}
	if got := names(t, dir) + names(t, apps); got != "apps" {
		t.Errorf("written: %s", got)
	}
	write(t, filepath.Join(apps, "taken.json"), `{"api_id": "other"}`)
	if err := f.PutDocument(t.Context(), "apis", "taken", []byte(`{"api_id": "taken"}`)); err == nil {
		t.Error("the file of another definition is overwritten")
	}
	if _, err := f.Documents(t.Context(), "certs"); err == nil {
		t.Error("an unknown kind is no error")
	}
}

// TestFoldersReplace: readers see the old file or the new one, nothing between;
// nothing is left of how it was written.
func TestFoldersReplace(t *testing.T) {
	f := &Folders{Apps: t.TempDir()}
	old, fresh := `{"api_id": "a"}`, `{"api_id": "a", "x": "`+strings.Repeat("x", 1<<16)+`"}`
	if err := f.PutDocument(t.Context(), "apis", "a", []byte(old)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(f.Apps, "a.json")
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range 10 {
				for _, text := range []string{fresh, old} {
					if err := f.PutDocument(t.Context(), "apis", "a", []byte(text)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for range 100 {
		if got := documents(t, f, "apis")["a"]; got != old && got != fresh {
			t.Fatalf("%d bytes are read", len(got))
		}
	}
	writers.Wait()
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != fs.FileMode(0o640) {
		t.Errorf("the file's mode: %v, %v", info.Mode(), err)
	}
	if got := names(t, f.Apps); got != "a.json" {
		t.Errorf("the folder holds %s", got)
	}
}

// TestSourceFolders: the folders are those that the set-up is read from.
func TestSourceFolders(t *testing.T) {
	path := setup(t, `{"policies": {"policy_path": "pol"}}`, nil)
	f, err := Source{Path: path}.Folders()
	if err != nil {
		t.Fatal(err)
	}
	if f.Apps != filepath.Join(filepath.Dir(path), "apps") || f.Policies != "pol" {
		t.Errorf("apps %q, policies %q", f.Apps, f.Policies)
	}
	if err := f.PutDocument(t.Context(), "apis", "a", []byte(define(t, "a", ""))); err != nil {
		t.Fatal(err)
	}
	if c, _ := load(t, path); len(c.APIs) != 1 {
		t.Errorf("%d APIs after one was published", len(c.APIs))
	}
	write(t, path, `{"policies": {"policy_record_name": "`+filepath.Join(filepath.Dir(path), "apps", "a.json")+`"}}`)
	if f, err = (Source{Path: path}).Folders(); err != nil || filepath.Base(f.Policies) != "a.json" {
		t.Errorf("%v, %v", f, err)
	}
	if err := os.RemoveAll(filepath.Join(filepath.Dir(path), "apps")); err != nil {
		t.Fatal(err)
	}
	if _, err := (Source{Path: path}).Folders(); err == nil {
		t.Error("no app_path is no error")
	}
}
