// Package keys finds and keeps sessions by the credentials that stand for them:
// how a credential becomes a key, a key an id of the store, and what policies
// make of the session that is found there.
package keys

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/grapnel-gateway/grapnel"
)

// A Ring is the keys of a gateway. The sessions that it embeds are those of the
// store, by store id and without policies: through them the control API works
// on keys of which it knows only the hash, and lists them.
type Ring struct {
	grapnel.Sessions
	rules    grapnel.KeyRules
	policies atomic.Pointer[Policies]
	found    *otter.Cache[name, *entry]
	kept     *otter.Cache[string, time.Time]
}

// A name is how a session was asked for: by exactly its key, or by what a
// caller presented to an API of an organisation.
type name struct {
	org, credential string
	exact           bool
}

// An entry is a session as it was found. It never changes.
type entry struct {
	key, id  string
	until    time.Time        // while no other form of the credential is tried
	stored   *grapnel.Session // as the store gave it
	session  *grapnel.Session // the same with its ids
	applied  *grapnel.Session // the same with its policies; nil when they do not go
	policies *Policies
	err      error // why they do not go
}

// The bounds of the caches: of what was found, in sessions plus access rights,
// and of what was written.
const (
	maxFound = 1 << 18
	maxKept  = 1 << 16
)

// New makes the keys that are kept in the sessions. An error is a rule that
// names a hash that does not exist.
func New(sessions grapnel.Sessions, rules grapnel.KeyRules, policies *Policies) (*Ring, error) {
	for _, algorithm := range rules.Legacy {
		if _, ok := Hash(algorithm, ""); !ok {
			return nil, fmt.Errorf("legacy_hashes: no hash is called %q; there are murmur32, murmur64 and murmur128", algorithm)
		}
	}
	found, err := otter.New(&otter.Options[name, *entry]{
		MaximumWeight: maxFound,
		Weigher:       func(_ name, e *entry) uint32 { return uint32(1 + len(e.stored.AccessRights)) },
	})
	if err != nil {
		return nil, err
	}
	kept, err := otter.New(&otter.Options[string, time.Time]{MaximumSize: maxKept})
	if err != nil {
		return nil, err
	}
	r := &Ring{Sessions: sessions, rules: rules, found: found, kept: kept}
	r.SetPolicies(policies)
	return r, nil
}

// SetPolicies replaces the policies; the next request of every session has the
// new ones [S-23].
func (r *Ring) SetPolicies(p *Policies) {
	if p == nil {
		p = NewPolicies()
	}
	r.policies.Store(p)
}

// Policies returns the policies that hold now.
func (r *Ring) Policies() *Policies { return r.policies.Load() }

// Token returns the key that stands for an id within an organisation, an empty
// id for a new one [S-60].
func (r *Ring) Token(org, id string) string { return Token(org, id, r.rules.Function) }

// StoreID returns the id under which the session of a key is stored: the key,
// or its SHA-256 where keys are hashed, whatever hash they name [S-62b, Z-1].
func (r *Ring) StoreID(key string) string {
	if !r.rules.Hash {
		return key
	}
	id, _ := Hash(sha256Hash, key)
	return id
}

// Find implements [grapnel.Keys]. A session of another organisation is not
// found, nor is one whose policies do not go; the error tells the operator.
func (r *Ring) Find(ctx context.Context, org, credential string) (*grapnel.Session, error) {
	credential = withoutBearer(credential)
	if len(credential) < r.rules.MinLength { // [S-64]
		return nil, grapnel.ErrNotFound
	}
	return usable(r.get(ctx, name{org: org, credential: credential}))
}

// Load implements [grapnel.Keys].
func (r *Ring) Load(ctx context.Context, key string) (*grapnel.Session, error) {
	return usable(r.get(ctx, name{credential: key, exact: true}))
}

func usable(e *entry, err error) (*grapnel.Session, error) {
	switch {
	case err != nil:
		return nil, err
	case e.err != nil:
		return nil, fmt.Errorf("%w: %w", grapnel.ErrNotFound, e.err)
	}
	return e.applied, nil
}

// Stored implements [grapnel.Keys].
func (r *Ring) Stored(ctx context.Context, key string) (*grapnel.Session, error) {
	e, err := r.get(ctx, name{credential: key, exact: true})
	if err != nil {
		return nil, err
	}
	return e.session, nil
}

// Apply implements [grapnel.Keys].
func (r *Ring) Apply(s *grapnel.Session) error { return r.Policies().Apply(s) }

// Save implements [grapnel.Keys].
func (r *Ring) Save(ctx context.Context, s *grapnel.Session, ttl time.Duration) error {
	id := r.StoreID(s.KeyID)
	stored, err := r.Session(ctx, id)
	switch {
	case err == nil && same(stored, s) && !r.due(id, ttl):
		setID(s, id)
		return nil
	case err != nil && !errors.Is(err, grapnel.ErrNotFound):
		return err
	}
	return r.Put(ctx, s, ttl)
}

// setID gives a session its id. One that was stored has it already, and may be
// shared: it is not written to.
func setID(s *grapnel.Session, id string) {
	if s.StoreID != id {
		s.StoreID = id
	}
}

// Put is Save without a look at what is stored.
func (r *Ring) Put(ctx context.Context, s *grapnel.Session, ttl time.Duration) error {
	setID(s, r.StoreID(s.KeyID))
	if err := r.PutSession(ctx, s.StoreID, s, ttl); err != nil {
		return err
	}
	if ttl > 0 {
		r.kept.Set(s.StoreID, time.Now().Add(ttl))
	} else {
		r.kept.Invalidate(s.StoreID)
	}
	return nil
}

// Edit implements [grapnel.Keys].
func (r *Ring) Edit(ctx context.Context, key string, change func(*grapnel.Session)) error {
	return r.EditSession(ctx, r.StoreID(key), change)
}

// due reports whether an unchanged session has to be written for its ttl. What
// this gateway does not know of, it has not written.
func (r *Ring) due(id string, ttl time.Duration) bool {
	until, ok := r.kept.GetIfPresent(id)
	if ttl <= 0 {
		return ok
	}
	const slack = time.Second
	left := time.Until(until)
	return !ok || left < ttl/2 || left > ttl+slack
}

// Delete implements [grapnel.Keys]. The key goes from under all hashes that it
// could be found by.
func (r *Ring) Delete(ctx context.Context, key string) error {
	missing := 0
	ids := []string{r.StoreID(key)}
	if algorithm, ok := r.legacy(key); ok {
		old, _ := Hash(algorithm, key)
		ids = append(ids, old)
	}
	for _, id := range ids {
		err := r.DeleteSession(ctx, id)
		switch {
		case errors.Is(err, grapnel.ErrNotFound):
			missing++
		case err != nil:
			return err
		}
		r.kept.Invalidate(id)
	}
	if missing == len(ids) {
		return grapnel.ErrNotFound
	}
	return nil
}
