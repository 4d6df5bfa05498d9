package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A problem is one thing that is wrong with a configuration, and where.
type problem struct {
	file    string // may be empty
	line    int    // counted from 1; 0 is unknown
	path    string // of keys, as in apis[2].id; empty for the whole file
	message string
}

// Error renders the problem as file:line: path: message, without the parts
// that are not known.
func (p problem) Error() string {
	var b strings.Builder
	if p.file != "" {
		b.WriteString(p.file)
		if p.line > 0 {
			b.WriteString(":" + strconv.Itoa(p.line))
		}
		b.WriteString(": ")
	}
	if p.path != "" {
		b.WriteString(p.path + ": ")
	}
	return b.String() + p.message
}

// A report collects the problems of one configuration, and knows on which line
// each path was given.
type report struct {
	file     string
	lines    map[string]int
	unread   map[string]bool // paths whose value could not be read
	problems []problem
}

func newReport(file string) *report {
	return &report{file: file, lines: map[string]int{}, unread: map[string]bool{}}
}

// at adds a problem of the file itself: the value at path could not be read.
func (r *report) at(line int, path, format string, args ...any) {
	r.unread[path] = true
	r.problems = append(r.problems, problem{r.file, line, path, fmt.Sprintf(format, args...)})
}

// add adds a problem of meaning. It stays silent about what could not even be
// read, since that has been told already.
func (r *report) add(path, format string, args ...any) {
	line := 0
	for p := path; ; p = parent(p) {
		if r.unread[p] {
			return
		}
		if line == 0 {
			line = r.lines[p]
		}
		if p == "" {
			break
		}
	}
	r.problems = append(r.problems, problem{r.file, line, path, fmt.Sprintf(format, args...)})
}

// err returns all problems in the order of the file, or nil.
func (r *report) err() error {
	slices.SortStableFunc(r.problems, func(a, b problem) int { return cmp.Compare(a.line, b.line) })
	errs := make([]error, len(r.problems))
	for i, p := range r.problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}

// plainKey matches the keys that need no quotes in a path.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// child is the path of a key in the mapping at path. Keys of unreasonable
// length are shortened: every value below them repeats them.
func child(path, key string) string {
	key = shorten(key)
	switch {
	case !plainKey.MatchString(key):
		return path + "[" + strconv.Quote(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

// item is the path of an element of the list at path.
func item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// parent is the path without its last key or index.
func parent(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }
