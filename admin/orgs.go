package admin

import (
	"encoding/json"
	"net/http"
)

// orgCalls are the calls for sessions of organisations, which bound all keys of
// one together. There are none: this gateway does not take what it would not
// honour.
type orgCalls struct{ Options }

// list lists no organisations.
func (c orgCalls) list(*http.Request) (any, error) { return keyList{[]string{}}, nil }

// notFound says that an organisation has no session.
func (c orgCalls) notFound(*http.Request) (any, error) {
	return nil, refuse(http.StatusNotFound, "Org not found")
}

// put refuses a session for an organisation.
func (c orgCalls) put(r *http.Request) (any, error) {
	definitions, err := c.Catalog.Documents(r.Context(), apis)
	if err != nil {
		return nil, err
	}
	for _, text := range definitions {
		var d definition
		if json.Unmarshal(text, &d) == nil && d.OrgID == r.PathValue("org") {
			return nil, refuse(http.StatusNotImplemented, "Sessions of organisations are not supported")
		}
	}
	return nil, refuse(http.StatusNotFound, "No such organisation found in Active API list")
}
