package admin

import (
	"encoding/json"
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

const unknownPolicy = "Policy not found"

// listPolicies returns the policies as they were published.
func (c *control) listPolicies(r *http.Request) (any, error) {
	return c.documents(r.Context(), policies)
}

// getPolicy returns one policy.
func (c *control) getPolicy(r *http.Request) (any, error) {
	d, err := c.document(r.Context(), policies, r.PathValue("policy"))
	return d, missing(err, unknownPolicy)
}

// addPolicy publishes a policy. It holds after the next reload.
func (c *control) addPolicy(r *http.Request) (any, error) {
	id, policy, err := readPolicy(r)
	if err != nil {
		return nil, err
	}
	if id == "" {
		return nil, refuse(http.StatusBadRequest, "Unable to create policy without id.")
	}
	return c.putPolicy(r, id, policy, "added")
}

// updatePolicy replaces a policy, or publishes one that was not there.
func (c *control) updatePolicy(r *http.Request) (any, error) {
	id, policy, err := readPolicy(r)
	if err != nil {
		return nil, err
	}
	if id != r.PathValue("policy") {
		return nil, refuse(http.StatusBadRequest, "Request ID does not match that in policy! For Update operations these must match.")
	}
	return c.putPolicy(r, id, policy, "modified")
}

func (c *control) putPolicy(r *http.Request, id string, policy []byte, action string) (any, error) {
	if !safeID.MatchString(id) {
		return nil, refuse(http.StatusBadRequest, "Invalid Policy ID: Allowed characters: a-z, A-Z, 0-9, ., _, -, ~")
	}
	return changed(id, action), c.Catalog.PutDocument(r.Context(), policies, id, policy)
}

// deletePolicy removes a policy. Keys that have it are refused after the next
// reload [R-51, S-20].
func (c *control) deletePolicy(r *http.Request) (any, error) {
	id := r.PathValue("policy")
	err := c.Catalog.DeleteDocument(r.Context(), policies, id)
	return changed(id, "deleted"), missing(err, unknownPolicy)
}

// readPolicy reads a policy from a call. It is kept as it was sent, with keys
// that this gateway does not know.
func readPolicy(r *http.Request) (id string, policy []byte, err error) {
	if policy, err = readObject(r); err != nil {
		return "", nil, err
	}
	var p grapnel.Policy
	if json.Unmarshal(policy, &p) != nil {
		return "", nil, errMalformed()
	}
	return p.ID, policy, nil
}
