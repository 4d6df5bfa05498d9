package server

import "testing"

func TestDotSegments(t *testing.T) {
	for path, want := range map[string]bool{
		"/": false, "/a/b": false, "/a.b/.well-known/x..y": false, "/a/...": false, "/a/..b": false, "": false, "*": false,
		"/.": true, "/..": true, "/a/./b": true, "/a/../b": true, "/a/..": true, "/.x/../y": true,
	} {
		if got := dotSegments(path); got != want {
			t.Errorf("dotSegments(%q) = %t", path, got)
		}
	}
}

func TestSaneID(t *testing.T) {
	for id, want := range map[string]string{
		"": "", "7b0d-42_a.b:c/d=e+f": "7b0d-42_a.b:c/d=e+f", "two words": "", "line\nbreak": "", `quote"`: "", "ümlaut": "",
	} {
		if got := saneID(id); got != want {
			t.Errorf("saneID(%q) = %q", id, got)
		}
	}
	if id := newID(); len(id) != 26 || saneID(id) != id {
		t.Errorf("newID() = %q", id)
	}
}
