package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// An outcome is the reply to a call that has no more to say.
type outcome struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// A Change is the reply to a call that changed something.
type Change struct {
	// Key is the id of the key, API or policy.
	Key    string `json:"key"`
	Status string `json:"status"` // always "ok"
	// Action is added, modified, deleted or updated.
	Action string `json:"action"`
	// KeyHash is the id under which a new key is stored, when keys are
	// hashed.
	KeyHash string `json:"key_hash,omitempty"`
}

func changed(key, action string) Change { return Change{Key: key, Status: "ok", Action: action} }

// refuse makes the error of a call that cannot be done.
func refuse(status int, message string) error {
	code := grapnel.CodeBadRequest
	switch status {
	case http.StatusNotFound:
		code = grapnel.CodeNotFound
	case http.StatusInternalServerError:
		code = grapnel.CodeInternal
	}
	return &grapnel.Error{Status: status, Code: code, Message: message}
}

// missing makes err the given 404 where it says that something is not there.
func missing(err error, message string) error {
	if errors.Is(err, grapnel.ErrNotFound) {
		return refuse(http.StatusNotFound, message)
	}
	return err
}

// read reads the body of a call.
func read(r *http.Request) ([]byte, error) {
	b, err := io.ReadAll(r.Body)
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, refuse(http.StatusRequestEntityTooLarge, "Request body too large")
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "Request malformed")
	}
	return b, nil
}

// decode reads JSON from the body of a call. What is not JSON gets the refusal.
func decode(r *http.Request, into any, refusal error) error {
	b, err := read(r)
	if err != nil {
		return err
	}
	if json.Unmarshal(b, into) != nil { // its error would repeat the body
		return refusal
	}
	return nil
}

// answer writes the answer to a call, or why there is none.
func (c *control) answer(w http.ResponseWriter, r *http.Request, route route) {
	v, err := route.answer(r)
	if text, ok := v.(document); ok && err == nil {
		w.Header().Set("Content-Type", "application/yaml")
		w.Write(text) // a client that is gone needs no answer
		return
	}
	if err == nil {
		writeJSON(w, http.StatusOK, v)
		return
	}
	e := grapnel.AsError(ofStore(err))
	if e.Err != nil { // the path is left out: it may hold a key
		c.log.Error("control API", "method", route.method, "call", route.path, "status", e.Status, "error", e.Err)
	}
	reply(w, e.Status, "error", e.Message)
}

// ofStore is what a store's way to say no means for a call. What is an error for
// callers already stays as it is.
func ofStore(err error) error {
	_, told := errors.AsType[*grapnel.Error](err)
	switch {
	case told:
		return err
	case errors.Is(err, grapnel.ErrUnavailable):
		return &grapnel.Error{Status: http.StatusServiceUnavailable, Code: grapnel.CodeStoreUnavailable, Message: "The store is unavailable", Err: err}
	case errors.Is(err, grapnel.ErrConflict):
		return refuse(http.StatusConflict, "It was changed meanwhile")
	}
	return err
}

// reply writes an outcome.
func reply(w http.ResponseWriter, status int, result, message string) {
	writeJSON(w, status, outcome{result, message})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // documents stay as they were written
	if err := e.Encode(v); err != nil {
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n"))) // a client that is gone needs no answer
}
