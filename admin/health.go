package admin

import "net/http"

// Health reports how the gateway stands, to everyone and always with 200
// . Plugins are the states of the plugin servers by name; the report is
// "pass", or "warn" when one of them is "failing". It tells no addresses and no
// errors.
func Health(version string, plugins func() map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			reply(w, http.StatusMethodNotAllowed, "error", "Method not supported")
			return
		}
		h := health{Status: "pass", Version: version, Description: "Grapnel"}
		h.Details.Plugins = plugins()
		for _, state := range h.Details.Plugins {
			if state == "failing" {
				h.Status = "warn"
			}
		}
		writeJSON(w, http.StatusOK, h)
	})
}

type health struct {
	Status      string `json:"status"`
	Version     string `json:"version"`
	Description string `json:"description"`
	Details     struct {
		Plugins map[string]string `json:"plugins,omitempty"`
	} `json:"details,omitzero"`
}
