package admin

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"

	"github.com/grapnel-gateway/grapnel"
)

// The kinds of documents.
const (
	apis     = "apis"
	policies = "policies"
)

// safeID matches the ids that documents may have: they can be names of files.
var safeID = regexp.MustCompile(`^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,127}$`)

// documents lists the documents of a kind in the order of their ids.
func documents(ctx context.Context, c grapnel.Catalog, kind string) (any, error) {
	all, err := c.Documents(ctx, kind)
	if err != nil {
		return nil, err
	}
	list := make([]json.RawMessage, 0, len(all))
	for _, id := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[id])
	}
	return list, nil
}

// find finds one document, or returns ErrNotFound.
func find(ctx context.Context, c grapnel.Catalog, kind, id string) (json.RawMessage, error) {
	all, err := c.Documents(ctx, kind)
	if err != nil {
		return nil, err
	}
	d, ok := all[id]
	if !ok {
		return nil, grapnel.ErrNotFound
	}
	return d, nil
}

// readObject reads a JSON object from the body of a call.
func readObject(r *http.Request) (json.RawMessage, error) {
	body, err := read(r)
	if err != nil {
		return nil, err
	}
	if !isObject(body) {
		return nil, errMalformed()
	}
	return body, nil
}

func isObject(text []byte) bool {
	var members map[string]json.RawMessage
	return json.Unmarshal(text, &members) == nil && members != nil
}

func errMalformed() error { return refuse(http.StatusBadRequest, "Request malformed") }
