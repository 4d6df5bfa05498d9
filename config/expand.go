package config

import (
	"fmt"
	"regexp"
	"strings"
)

// In a flow mapping, as in { secret: ${SECRET} }, YAML reads the braces of a
// reference as its own. So the parser is given other characters in their
// place, private ones that mean nothing to it, and values are expanded after
// parsing. Whatever a variable holds, it cannot change the document's shape.
const (
	openMark  = "\uE000" // for ${
	closeMark = "\uE001" // for }
)

// reference matches what expansion looks at: $$, ${NAME}, ${NAME:-default},
// and a ${ that begins neither.
var reference = regexp.MustCompile(`\$\$|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(:-[^}\n]*)?\})?`)

// protect replaces the braces of the references in a source.
func protect(source []byte) []byte {
	return reference.ReplaceAllFunc(source, func(m []byte) []byte {
		s := string(m)
		if !strings.HasSuffix(s, "}") {
			return m
		}
		return []byte(openMark + s[2:len(s)-1] + closeMark)
	})
}

// unprotect puts the braces back.
func unprotect(s string) string {
	if !strings.Contains(s, openMark) {
		return s
	}
	s = strings.ReplaceAll(s, openMark, "${")
	return strings.ReplaceAll(s, closeMark, "}")
}

// expand replaces the references in a value by what the environment has, and
// $$ by $. As in a shell, a default also stands for a variable that is empty.
// It returns what went wrong.
func expand(s string, getenv func(string) (string, bool)) (result string, problems []string) {
	result = reference.ReplaceAllStringFunc(s, func(m string) string {
		groups := reference.FindStringSubmatch(m)
		name, fallback := groups[1], groups[2]
		if m == "$$" {
			return "$"
		}
		if name == "" {
			problems = append(problems, "${ begins no reference; write ${NAME} or ${NAME:-default}, and $$ for a literal $")
			return ""
		}
		value, ok := getenv(name)
		switch {
		case fallback != "" && value == "":
			return fallback[len(":-"):]
		case !ok:
			problems = append(problems, fmt.Sprintf("the environment variable %s is not set; ${%s:-default} gives it a default", name, name))
		}
		return value
	})
	return result, problems
}
