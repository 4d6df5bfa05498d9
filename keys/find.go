package keys

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// get finds the session of a name. What was found before is looked up under the
// same id again, and nothing is worked out anew while the store returns the same
// session and the policies are the same.
func (r *Ring) get(ctx context.Context, n name) (*entry, error) {
	e, ok := r.found.GetIfPresent(n)
	if ok && time.Now().Before(e.until) {
		stored, err := r.Session(ctx, e.id)
		switch {
		case err == nil && stored == e.stored && e.policies == r.Policies():
			return e, nil
		case err == nil && n.takes(stored):
			return r.enter(n, e.key, e.id, stored, e.until), nil
		case err != nil && !errors.Is(err, grapnel.ErrNotFound):
			return nil, err
		}
	}
	until := time.Now().Add(max(time.Duration(r.rules.CacheFor), time.Second))
	n.credential = strings.Clone(n.credential) // what is kept of it is not to keep a header
	for _, key := range r.forms(n) {
		id := r.StoreID(key)
		stored, err := r.look(ctx, n, key, id)
		if err == nil {
			return r.enter(n, key, id, stored, until), nil
		}
		if !errors.Is(err, grapnel.ErrNotFound) {
			return nil, err
		}
	}
	return nil, grapnel.ErrNotFound
}

// takes reports whether the session is one that the name may find: a session of
// another organisation is not.
func (n name) takes(s *grapnel.Session) bool {
	return n.org == "" || s.OrgID == "" || s.OrgID == n.org
}

// forms lists the keys that a name may mean, the likeliest first [Z-2].
func (r *Ring) forms(n name) []string {
	if n.exact || bears(n.credential, n.org) {
		return []string{n.credential}
	}
	forms := []string{r.Token(n.org, n.credential)}
	add := func(key string) {
		if !slices.Contains(forms, key) {
			forms = append(forms, key)
		}
	}
	add(n.credential)
	for _, algorithm := range r.rules.Legacy {
		add(Token(n.org, n.credential, algorithm))
	}
	if len(r.rules.Legacy) > 0 {
		add(Token(n.org, n.credential, ""))
	}
	return forms
}

// look reads the session of a key. One that is found under an older hash is
// stored again under the present one [S-62b]. The broken murmur32 makes one
// entry of many keys: the first of them that comes takes it, so that no other
// is let in by it. The other hashes stay for the original to find.
func (r *Ring) look(ctx context.Context, n name, key, id string) (*grapnel.Session, error) {
	s, err := r.Session(ctx, id)
	if err == nil && !n.takes(s) {
		return nil, grapnel.ErrNotFound
	}
	if !errors.Is(err, grapnel.ErrNotFound) {
		return s, err
	}
	algorithm, ok := r.legacy(key)
	if !ok {
		return nil, grapnel.ErrNotFound
	}
	old, _ := Hash(algorithm, key)
	s, err = r.Session(ctx, old)
	if errors.Is(err, grapnel.ErrNotFound) {
		return r.Session(ctx, id) // another request may have moved it just now
	}
	if err != nil {
		return nil, err
	}
	if !n.takes(s) {
		return nil, grapnel.ErrNotFound
	}
	moved := *s
	moved.KeyID = key
	if err := r.Put(ctx, &moved, grapnel.APISessions{}.TTL(s, time.Now())); err != nil {
		return nil, err
	}
	if algorithm == murmur32 {
		if err := r.DeleteSession(ctx, old); err != nil && !errors.Is(err, grapnel.ErrNotFound) {
			return nil, err
		}
	}
	return &moved, nil
}

// legacy is the hash under which the original would have stored a key, if the
// operator wants keys found by it.
func (r *Ring) legacy(key string) (algorithm string, ok bool) {
	algorithm = Algorithm(key)
	return algorithm, r.rules.Hash && algorithm != sha256Hash && slices.Contains(r.rules.Legacy, algorithm)
}

// enter keeps what was found, in the form in which requests use it.
func (r *Ring) enter(n name, key, id string, stored *grapnel.Session, until time.Time) *entry {
	session := *stored
	session.KeyID, session.StoreID = key, id // [B-27]
	e := &entry{
		key: key, id: id, until: until, stored: stored,
		session: &session, applied: &session, policies: r.Policies(),
	}
	if governed(&session) {
		applied := session
		if e.err = e.policies.Apply(&applied); e.err == nil {
			e.applied = &applied
		} else {
			e.applied = nil
		}
	}
	r.found.Set(n, e)
	return e
}
