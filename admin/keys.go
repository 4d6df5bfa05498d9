package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// keyCalls are the calls for keys [8.4].
type keyCalls struct{ Options }

// create makes a key of its own for the session.
func (c keyCalls) create(r *http.Request) (any, error) {
	s := new(grapnel.Session)
	if err := decode(r, s, refuse(http.StatusInternalServerError, "Unmarshalling failed")); err != nil {
		return nil, err
	}
	switch err := c.admissible(s); {
	case errors.Is(err, errNoRights):
		return nil, refuse(http.StatusBadRequest, "Failed to create key, keys must have at least one Access Rights record set.")
	case err != nil:
		return nil, refuse(http.StatusInternalServerError, "Failed to create key - "+err.Error())
	}
	return c.store(r.Context(), c.Keys.Token(s.OrgID, boundTo(s)), s)
}

// add makes a key of the id in the path, or of its own without one [R-31,
// One that is there already is replaced.
func (c keyCalls) add(r *http.Request) (any, error) {
	id := r.PathValue("key")
	if n := len(id); n > 0 && n < c.Rules.MinLength {
		return nil, refuse(http.StatusBadRequest, fmt.Sprintf(
			"custom key ID length %d is less than min_token_length (%d); no request with it would be let in", n, c.Rules.MinLength))
	}
	s := new(grapnel.Session)
	if err := decode(r, s, errMalformed()); err != nil {
		return nil, err
	}
	if err := c.admissible(s); err != nil {
		return nil, errKeyRefused(err)
	}
	return c.store(r.Context(), c.Keys.Token(s.OrgID, id), s)
}

// boundTo is the fingerprint of the certificate that a session is bound to, of
// which its key is made, as in the original; empty without one.
func boundTo(s *grapnel.Session) string {
	sum := strings.ToLower(strings.TrimPrefix(s.Certificate, s.OrgID))
	if b, err := hex.DecodeString(sum); err != nil || len(b) != sha256.Size {
		return ""
	}
	return sum
}

// store stores a new session.
func (c keyCalls) store(ctx context.Context, key string, s *grapnel.Session) (any, error) {
	now := time.Now()
	s.KeyID, s.StoreID = key, c.Keys.StoreID(key)
	s.DateCreated = now.Format(time.RFC3339Nano)
	touch(s, now)
	c.limitTrial(s, now)
	if err := setSecrets(s, &grapnel.Session{}); err != nil {
		return nil, err
	}
	if err := c.startAnew(ctx, s); err != nil {
		return nil, err
	}
	if err := c.Keys.Save(ctx, s, c.ttl(s, now)); err != nil {
		return nil, err
	}
	c.tell(grapnel.EventTokenCreated, s)
	out := changed(key, "added")
	if c.Rules.Hash {
		out.KeyHash = s.StoreID
		if s.BasicAuthData.Password != "" { // a user logs in with a name, not with a key
			out.Key = ""
		}
	}
	return out, nil
}

// update replaces the session of a key.
func (c keyCalls) update(r *http.Request) (any, error) {
	s := new(grapnel.Session)
	if err := decode(r, s, errMalformed()); err != nil {
		return nil, err
	}
	old, err := c.named(r, s.OrgID)
	if err != nil {
		return nil, missing(err, "Key is not found")
	}
	if err := c.admissible(s); err != nil {
		return nil, errKeyRefused(err)
	}
	now := time.Now()
	s.KeyID, s.StoreID, s.DateCreated = old.KeyID, old.StoreID, old.DateCreated
	if s.Expires > 1 && s.Expires < now.Unix() {
		s.Expires = old.Expires
	}
	if err := setSecrets(s, old); err != nil {
		return nil, err
	}
	if r.URL.Query().Get("suppress_reset") == "1" {
		s.LastUpdated, s.QuotaRenews = old.LastUpdated, old.QuotaRenews
	} else {
		touch(s, now)
		if err := c.startAnew(r.Context(), s); err != nil {
			return nil, err
		}
	}
	if err := c.save(r.Context(), s, now); err != nil {
		return nil, err
	}
	c.tell(grapnel.EventTokenUpdated, s)
	return changed(nameOf(s), "modified"), nil
}

// get returns the session of a key with its policies, and with what is left
// of its quotas now.
func (c keyCalls) get(r *http.Request) (any, error) {
	stored, err := c.named(r, "")
	if err != nil {
		return nil, missing(err, "Key not found")
	}
	s := stored.Clone()
	if c.Keys.Apply(s) != nil { // a policy is gone: what is stored can still be seen
		s = stored.Clone()
	}
	return s, c.countdown(r.Context(), s)
}

// remove removes a key, and what was counted of it.
func (c keyCalls) remove(r *http.Request) (any, error) {
	ctx := r.Context()
	const unknown = "There is no such key found"
	s, err := c.named(r, "")
	if err != nil {
		return nil, missing(err, unknown)
	}
	if s.KeyID == "" {
		err = c.Keys.DeleteSession(ctx, s.StoreID)
	} else {
		err = c.Keys.Delete(ctx, s.KeyID)
	}
	if err != nil {
		return nil, missing(err, unknown)
	}
	c.tell(grapnel.EventTokenDeleted, s)
	return changed(nameOf(s), "deleted"), c.forget(ctx, s)
}

// list lists the stored ids, which are the keys themselves unless those are
// hashed.
func (c keyCalls) list(r *http.Request) (any, error) {
	filter := r.URL.Query().Get("filter")
	switch {
	case c.Rules.Hash && !c.Rules.List:
		return nil, refuse(http.StatusNotFound, "Hashed key listing is disabled in config (enable_hashed_keys_listing)")
	case c.Rules.Hash:
		filter = "" // a hash does not begin as its key does
	case filter == "" && r.URL.Query().Get("api_id") != "":
		return nil, refuse(http.StatusBadRequest, "api_id needs a filter")
	}
	ids, err := c.Keys.SessionIDs(r.Context(), filter)
	return keyList{append([]string{}, ids...)}, err
}

// setPolicies replaces the policies of a stored session.
func (c keyCalls) setPolicies(r *http.Request) (any, error) {
	var order struct {
		Policy   string   `json:"policy"`
		Policies []string `json:"apply_policies"`
	}
	if err := decode(r, &order, refuse(http.StatusBadRequest, "Couldn't decode instruction")); err != nil {
		return nil, err
	}
	stored, err := c.at(r.Context(), r.PathValue("hash"))
	if err != nil {
		return nil, missing(err, "Key not found")
	}
	now := time.Now()
	s := stored.Clone()
	s.ApplyPolicyID, s.ApplyPolicies = "", order.Policies
	if order.Policy != "" {
		s.ApplyPolicies = append(s.ApplyPolicies, order.Policy)
	}
	s.LastUpdated = stamp(now)
	if err := c.admissible(s); err != nil {
		return nil, errKeyRefused(err)
	}
	if err := c.save(r.Context(), s, now); err != nil {
		return nil, err
	}
	c.tell(grapnel.EventTokenUpdated, s)
	return changed(s.StoreID, "updated"), nil
}

// preview shows what policies make of a session, which is not stored.
func (c keyCalls) preview(r *http.Request) (any, error) {
	s := new(grapnel.Session)
	if err := decode(r, s, refuse(http.StatusInternalServerError, "Unmarshalling failed")); err != nil {
		return nil, err
	}
	now := time.Now()
	s.DateCreated, s.LastUpdated = now.Format(time.RFC3339Nano), stamp(now)
	if err := c.Keys.Apply(s); err != nil {
		return nil, refuse(http.StatusInternalServerError, "Failed to create key - "+err.Error())
	}
	return s, nil
}

type keyList struct {
	Keys []string `json:"keys"`
}

// named finds the session that a call means, as it is stored: by its key,
// by its id in the store (hashed=1), by a user's name (username=true), or else
// by a custom id within an organisation. It must not be changed.
func (c keyCalls) named(r *http.Request, org string) (*grapnel.Session, error) {
	ctx, q, key := r.Context(), r.URL.Query(), r.PathValue("key")
	if q.Get("hashed") != "" {
		if !c.Rules.Hash {
			return nil, refuse(http.StatusBadRequest, "Key requested by hash but key hashing is not enabled")
		}
		return c.at(ctx, key)
	}
	if given := q.Get("org_id"); given != "" {
		org = given
	}
	if q.Get("username") == "true" {
		return c.Keys.Stored(ctx, c.Keys.Token(org, key))
	}
	s, err := c.Keys.Stored(ctx, key)
	if errors.Is(err, grapnel.ErrNotFound) {
		return c.Keys.Stored(ctx, c.Keys.Token(org, key))
	}
	return s, err
}

// at finds the session at an id of the store. When keys are not hashed, that is
// the key.
func (c keyCalls) at(ctx context.Context, id string) (*grapnel.Session, error) {
	if !c.Rules.Hash {
		return c.Keys.Stored(ctx, id)
	}
	stored, err := c.Keys.Session(ctx, id)
	if err != nil {
		return nil, err
	}
	s := *stored // the one that is stored is shared
	s.KeyID, s.StoreID = "", id
	return &s, nil
}

// nameOf is what replies call a session.
func nameOf(s *grapnel.Session) string {
	if s.KeyID == "" {
		return s.StoreID
	}
	return s.KeyID
}
