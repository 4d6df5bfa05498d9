package tryout

import (
	"slices"
	"strings"

	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// ignored are the fields that came back otherwise and do not count.
func (a *Answer) ignored() []string {
	var lines []string
	for _, c := range a.Changes() {
		if a.counts(c.Path) || a.Got.GetRequest() == nil && strings.HasPrefix(c.Path, "request") {
			continue
		}
		if line := a.ignoring(c.Path); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// ignoring says that a change has no effect, and what would have.
func (a *Answer) ignoring(path string) string {
	field := fieldOf(path)
	line := "ignores the change of " + field
	switch {
	case field == "metadata", strings.HasPrefix(path, "session.metadata"):
		if a.Sent.HookType != wire.HookType_Pre {
			return "ignores the change of metadata, unless the hook has write_back: true"
		}
	case a.Sent.HookType == wire.HookType_Response:
		if field == "request.return_overrides" {
			line += ", unless the hook has may_override: true"
		}
	case field == "request.headers":
		line += "; set_headers and delete_headers are for that"
	case field == "request.params":
		line += "; add_params and delete_params are for that"
	}
	return line
}

// counts says whether a change of this field has an effect.
func (a *Answer) counts(path string) bool {
	counting := []string{
		"request.raw_body", "request.body", "request.multivalue_headers", "request.delete_headers", "request.set_headers",
		"request.append_headers", "request.trailers", "request.url", "request.multivalue_params", "request.delete_params",
		"request.add_params", "request.append_params", "request.method", "request.return_overrides",
	}
	switch a.Sent.HookType {
	case wire.HookType_Response:
		counting = []string{"response"}
	case wire.HookType_CustomKeyCheck:
		counting = append(counting, "session", "metadata")
	}
	return slices.Contains(counting, fieldOf(path))
}

// fieldOf is the field that a path leads to: one of the Object, or of its request.
func fieldOf(path string) string {
	const request = "request."
	begin := 0
	if strings.HasPrefix(path, request) {
		begin = len(request)
	}
	return path[:begin+strings.IndexAny(path[begin:]+".", ".[")]
}
