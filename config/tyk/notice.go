package tyk

import (
	"fmt"
	"log/slog"
	"strings"
)

// A Notice tells the operator about one thing in the set-up: a key without
// effect, or a definition that is not served.
type Notice struct {
	// File is the file at fault; "environment" for variables.
	File string
	// Path is the key at fault, as in proxy.target_list[1]; empty when the
	// whole file is.
	Path string
	// Level is [slog.LevelError] for a definition that is not served,
	// [slog.LevelWarn] for what may change behaviour, [slog.LevelInfo] else.
	Level slog.Level
	// Message says what happens, and why.
	Message string
	// Count is the number of places of which this is the first; equal
	// notices about several files are one.
	Count int
}

// String writes the notice as one line.
func (n Notice) String() string {
	var b strings.Builder
	for _, part := range []string{n.File, n.Path} {
		if part != "" {
			b.WriteString(part + ": ")
		}
	}
	b.WriteString(n.Message)
	if n.Count > 1 {
		fmt.Fprintf(&b, " (here and in %d more places)", n.Count-1)
	}
	return b.String()
}

func (n Notice) refusal() bool { return n.Level >= slog.LevelError }

// notices collects what there is to say, in the order in which it was found.
type notices struct {
	list  []Notice
	index map[string]int // of what was said, in list
}

// add says something about the key at a path. What was said before of the same
// key elsewhere is counted, except that every refusal is listed; key is the
// path without what differs from file to file.
func (n *notices) add(v Notice, key string) {
	v.Count = 1
	if v.refusal() {
		key = v.File + "\n" + key
	}
	key = fmt.Sprintf("%d\n%s\n%s", v.Level, key, v.Message)
	if i, ok := n.index[key]; ok {
		n.list[i].Count++
		return
	}
	if n.index == nil {
		n.index = map[string]int{}
	}
	n.index[key] = len(n.list)
	n.list = append(n.list, v)
}
