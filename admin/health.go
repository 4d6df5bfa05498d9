package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// Vitals are what a gateway knows of its own health.
type Vitals struct {
	Version string
	// Plugins tells how the plugin servers stand, by name.
	Plugins func() map[string]grapnel.PluginState
	// Store is what reports call the store, and Ping asks whether it
	// answers.
	Store string
	Ping  func(context.Context) error
}

// pingFor bounds the wait for the store.
const pingFor = 2 * time.Second

// Health reports how the gateway stands, to everyone and always with 200
// "fail" when the store does not answer, "warn" when a plugin server is
// "failing", and else "pass". It tells no addresses and no errors.
func Health(v Vitals) http.Handler {
	return look(func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, v.report(r, "Grapnel"))
	})
}

// Ready reports the same, with 503 while the gateway cannot do its work: while
// the store does not answer. A gateway that has never loaded a
// configuration, or is shutting down, does not listen.
func Ready(v Vitals) http.Handler {
	return look(func(w http.ResponseWriter, r *http.Request) {
		report := v.report(r, "Grapnel Ready")
		if report.Status == statusFail {
			reply(w, http.StatusServiceUnavailable, "error", "The store is unavailable")
			return
		}
		writeJSON(w, http.StatusOK, report)
	})
}

// look lets through only what reads.
func look(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			reply(w, http.StatusMethodNotAllowed, "error", "Method not supported")
			return
		}
		h(w, r)
	})
}

const (
	statusPass = "pass"
	statusWarn = "warn"
	statusFail = "fail"
)

type health struct {
	Status      string         `json:"status"`
	Version     string         `json:"version"`
	Description string         `json:"description"`
	Details     map[string]any `json:"details"`
}

// component is how the original reports a part.
type component struct {
	Status string    `json:"status"`
	Output string    `json:"output,omitempty"`
	Type   string    `json:"componentType"`
	Time   time.Time `json:"time"`
}

func (v Vitals) report(r *http.Request, description string) health {
	h := health{Status: statusPass, Version: v.Version, Description: description, Details: map[string]any{}}
	if plugins := v.Plugins(); len(plugins) > 0 {
		words := map[string]string{} // everyone may read this: no addresses
		for name, p := range plugins {
			words[name] = p.State
			if p.State == "failing" {
				h.Status = statusWarn
			}
		}
		h.Details["plugins"] = words
	}
	ctx, cancel := context.WithTimeout(r.Context(), pingFor)
	defer cancel()
	store := component{Status: statusPass, Type: "datastore", Time: time.Now()}
	if v.Ping(ctx) != nil {
		h.Status, store.Status, store.Output = statusFail, statusFail, "it does not answer"
	}
	h.Details[v.Store] = store
	return h
}
