// Package admin is the control API: an operator's way to tell a running gateway
// to reload, and everyone's way to ask whether it is well [8.1, 8.2]. Paths,
// replies and the header with the secret are those of the original.
package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"time"
)

// Control is what the control API can do to the gateway.
type Control interface {
	// Reload reads the configuration again and serves it, whole or not at
	// all. It logs what went wrong; the caller learns only that it did.
	Reload(context.Context) error
}

// Handler serves the control API, by paths below its prefix: /reload and
// /reload/group. Callers present the secret in
// X-Tyk-Authorization; without a configured secret every call is refused, which
// the original does not do [R-1, L-48]. After five wrong tries within a second
// an address gets 429 for the rest of it, whatever it presents.
func Handler(secret string, c Control) http.Handler {
	a := &control{secret: sha256.Sum256([]byte(secret)), none: secret == "", tries: newTries(), does: c}
	return http.HandlerFunc(a.serve)
}

type control struct {
	secret [sha256.Size]byte
	none   bool // no secret is configured
	tries  *tries
	does   Control
}

func (a *control) serve(w http.ResponseWriter, r *http.Request) {
	switch a.admit(r) {
	case admitted:
	case limited:
		reply(w, http.StatusTooManyRequests, "error", "Too many attempts")
		return
	default:
		reply(w, http.StatusForbidden, "error", "Attempted administrative access with invalid or missing key!")
		return
	}
	// Every path may end with a slash.
	switch strings.TrimSuffix(r.URL.Path, "/") {
	case "/reload", "/reload/group":
		if r.Method != http.MethodGet {
			w.Header().Set("Allow", http.MethodGet)
			reply(w, http.StatusMethodNotAllowed, "error", "Method not supported")
			return
		}
		a.reload(w, r)
	default:
		reply(w, http.StatusNotFound, "error", "Not Found")
	}
}

// admit judges the caller's secret. Comparing digests takes the same time
// whatever is presented, its length included.
func (a *control) admit(r *http.Request) verdict {
	presented := sha256.Sum256([]byte(r.Header.Get("X-Tyk-Authorization")))
	right := subtle.ConstantTimeCompare(presented[:], a.secret[:]) == 1 && !a.none
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	return a.tries.judge(address, right, time.Now())
}

// reload answers when the reload is done, which is what block=true asks for;
// that parameter makes no difference here. A caller who leaves does not stop it.
func (a *control) reload(w http.ResponseWriter, r *http.Request) {
	if err := a.does.Reload(context.WithoutCancel(r.Context())); err != nil {
		reply(w, http.StatusInternalServerError, "error", "reload failed, the previous configuration goes on serving")
		return
	}
	reply(w, http.StatusOK, "ok", "")
}

// reply writes the outcome of a call.
func reply(w http.ResponseWriter, status int, outcome, message string) {
	writeJSON(w, status, struct {
		Status  string `json:"status"`
		Message string `json:"message"`
	}{outcome, message})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(b) // a client that is gone needs no answer
}
