package admin

import (
	"encoding/json"
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// policyCalls are the calls for policies [8.5].
type policyCalls struct{ Options }

const unknownPolicy = "Policy not found"

// list returns the policies as they were published.
func (c policyCalls) list(r *http.Request) (any, error) {
	return documents(r.Context(), c.Catalog, policies)
}

// get returns one policy.
func (c policyCalls) get(r *http.Request) (any, error) {
	d, err := find(r.Context(), c.Catalog, policies, r.PathValue("policy"))
	return d, missing(err, unknownPolicy)
}

// add publishes a policy. It holds after the next reload.
func (c policyCalls) add(r *http.Request) (any, error) {
	id, policy, err := readPolicy(r)
	if err != nil {
		return nil, err
	}
	if id == "" {
		return nil, refuse(http.StatusBadRequest, "Unable to create policy without id.")
	}
	return c.put(r, id, policy, "added")
}

// update replaces a policy, or publishes one that was not there.
func (c policyCalls) update(r *http.Request) (any, error) {
	id, policy, err := readPolicy(r)
	if err != nil {
		return nil, err
	}
	if id != r.PathValue("policy") {
		return nil, refuse(http.StatusBadRequest, "Request ID does not match that in policy! For Update operations these must match.")
	}
	return c.put(r, id, policy, "modified")
}

func (c policyCalls) put(r *http.Request, id string, policy []byte, action string) (any, error) {
	if !safeID.MatchString(id) {
		return nil, refuse(http.StatusBadRequest, "Invalid Policy ID: Allowed characters: a-z, A-Z, 0-9, ., _, -, ~")
	}
	return changed(id, action), c.Catalog.PutDocument(r.Context(), policies, id, policy)
}

// remove removes a policy. Keys that have it are refused after the next
// reload [R-51, S-20].
func (c policyCalls) remove(r *http.Request) (any, error) {
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
