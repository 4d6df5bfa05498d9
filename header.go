package grapnel

import (
	"net/http"
	"strings"
)

// SetHeader gives a header one value and, on a request on its way upstream, takes
// its name off the Connection header: a client must not be able to name what the
// gateway or a plugin adds as belonging to its own connection, and so have it
// removed before the upstream [RFC 9110 7.6.1]. The name is taken as it is.
func SetHeader(h http.Header, name, value string) {
	h[name] = []string{value}
	for i, line := range h["Connection"] {
		if !strings.Contains(strings.ToLower(line), strings.ToLower(name)) {
			continue
		}
		kept := make([]string, 0, 4)
		for option := range strings.SplitSeq(line, ",") {
			if !strings.EqualFold(strings.TrimSpace(option), name) {
				kept = append(kept, option)
			}
		}
		lines := append([]string(nil), h["Connection"]...) // the client's own may be shared
		lines[i] = strings.Join(kept, ",")
		h["Connection"] = lines
	}
}
