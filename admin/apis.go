package admin

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
)

// apiCalls are the calls for API definitions [8.3].
type apiCalls struct{ Options }

const unknownAPI = "API not found"

// list returns the definitions as they were published.
func (c apiCalls) list(r *http.Request) (any, error) { return documents(r.Context(), c.Catalog, apis) }

// get returns one definition.
func (c apiCalls) get(r *http.Request) (any, error) {
	d, err := find(r.Context(), c.Catalog, apis, r.PathValue("api"))
	return d, missing(err, unknownAPI)
}

// add publishes a definition, under an id of its own where it has none. It
// is served after the next reload.
func (c apiCalls) add(r *http.Request) (any, error) {
	d, text, err := readDefinition(r)
	if err != nil {
		return nil, err
	}
	if d.ID == "" {
		d.ID = newID()
		if text, err = withMember(text, "api_id", d.ID); err != nil {
			return nil, err
		}
	}
	return c.put(r, d.ID, text, "added")
}

// update replaces a definition.
func (c apiCalls) update(r *http.Request) (any, error) {
	id := r.PathValue("api")
	if _, err := find(r.Context(), c.Catalog, apis, id); err != nil {
		return nil, missing(err, unknownAPI)
	}
	d, text, err := readDefinition(r)
	if err != nil {
		return nil, err
	}
	if d.ID != id {
		return nil, refuse(http.StatusBadRequest, "Request APIID does not match that in Definition! For Update operations these must match.")
	}
	return c.put(r, id, text, "modified")
}

func (c apiCalls) put(r *http.Request, id string, text []byte, action string) (any, error) {
	if !safeID.MatchString(id) {
		return nil, refuse(http.StatusBadRequest, "Invalid API ID")
	}
	if err := c.Validate(text); err != nil {
		reason := strings.TrimSuffix(err.Error(), ".")
		return nil, refuse(http.StatusBadRequest, "Validation of API Definition failed. Reason: "+reason+".")
	}
	return changed(id, action), c.Catalog.PutDocument(r.Context(), apis, id, text)
}

// remove removes a definition and stops serving it at once: an API that its
// owner has taken away must not go on until someone thinks of reloading.
func (c apiCalls) remove(r *http.Request) (any, error) {
	id := r.PathValue("api")
	if err := c.Catalog.DeleteDocument(r.Context(), apis, id); err != nil {
		return nil, missing(err, unknownAPI)
	}
	return changed(id, "deleted"), reloadNow(r, c.Control)
}

// noAPI refuses a call that needs an id.
func noAPI(message string) answer {
	return func(*http.Request) (any, error) { return nil, refuse(http.StatusBadRequest, message) }
}

// A definition is what the control API reads of one.
type definition struct {
	ID    string          `json:"api_id"`
	Inner json.RawMessage `json:"api_definition"`
}

// readDefinition reads a definition from a call, be it wrapped in an
// "api_definition", as in the original's tutorial.
func readDefinition(r *http.Request) (d definition, text []byte, err error) {
	if text, err = readObject(r); err != nil {
		return d, nil, err
	}
	if json.Unmarshal(text, &d) != nil {
		return d, nil, errMalformed()
	}
	if d.Inner == nil {
		return d, text, nil
	}
	if text, d = d.Inner, (definition{}); !isObject(text) || json.Unmarshal(text, &d) != nil {
		return d, nil, errMalformed()
	}
	return d, text, nil
}

// withMember sets a member of a JSON object and leaves the others as they were
// written.
func withMember(object []byte, name, value string) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		return nil, err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	members[name] = text
	return json.Marshal(members)
}

// newID makes an id of 32 hexadecimal digits.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // does not fail [crypto/rand]
	return hex.EncodeToString(b[:])
}
