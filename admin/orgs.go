package admin

import (
	"encoding/json"
	"net/http"
)

// Sessions of organisations, which bound all keys of one together, are not
// there: this gateway does not take what it would not honour.

// listOrgs lists no organisations.
func (c *control) listOrgs(*http.Request) (any, error) { return keyList{[]string{}}, nil }

// orgNotFound says that an organisation has no session.
func (c *control) orgNotFound(*http.Request) (any, error) {
	return nil, refuse(http.StatusNotFound, "Org not found")
}

// putOrg refuses a session for an organisation.
func (c *control) putOrg(r *http.Request) (any, error) {
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
