package keys

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/store"
)

// counting counts what is asked of a store.
type counting struct {
	grapnel.Sessions
	reads, writes atomic.Int64
	down          atomic.Bool
}

func (c *counting) Session(ctx context.Context, id string) (*grapnel.Session, error) {
	c.reads.Add(1)
	if c.down.Load() {
		return nil, grapnel.ErrUnavailable
	}
	return c.Sessions.Session(ctx, id)
}

func (c *counting) PutSession(ctx context.Context, id string, s *grapnel.Session, ttl time.Duration) error {
	c.writes.Add(1)
	if c.down.Load() {
		return grapnel.ErrUnavailable
	}
	return c.Sessions.PutSession(ctx, id, s, ttl)
}

func newRing(t testing.TB, rules grapnel.KeyRules, policies ...*grapnel.Policy) (*Ring, *counting) {
	t.Helper()
	memory := store.NewMemory()
	t.Cleanup(func() { memory.Close() })
	c := &counting{Sessions: memory}
	r, err := New(c, rules, NewPolicies(policies...))
	if err != nil {
		t.Fatal(err)
	}
	return r, c
}

func defaults() (rules grapnel.KeyRules) {
	rules.SetDefaults()
	return rules
}

// put stores a session under a raw store id, as somebody else would have.
func put(t *testing.T, s grapnel.Sessions, id string, session grapnel.Session) {
	t.Helper()
	if err := s.PutSession(t.Context(), id, &session, 0); err != nil {
		t.Fatal(err)
	}
}

func alias(s *grapnel.Session, err error) string {
	if err != nil {
		return err.Error()
	}
	return s.Alias
}

// TestFindForms: the forms that a presented credential may have been stored in,
// and which is tried first [Z-2, S-63, S-64].
func TestFindForms(t *testing.T) {
	const org = "5e9d9544a1dcd60001d0ed20"
	own, custom := Token("default", "id1", "sha256"), Token("default", "custom", "sha256")
	for _, c := range []struct {
		name, org, credential string
		rules                 grapnel.KeyRules
		stored                []string // keys; the session's alias is the key
		want                  string
		reads                 int64
	}{
		{"token of its own organisation", "default", own, defaults(), []string{own}, own, 1},
		{"id of a custom key", "default", "custom", defaults(), []string{custom, "custom"}, custom, 1},
		{"key of a plugin", "default", "custom", defaults(), []string{"custom"}, "custom", 2},
		{"bearer", "default", "bEaReR custom", defaults(), []string{custom}, custom, 1},
		{"old form", "default", "custom", grapnel.KeyRules{}, []string{"defaultcustom", "custom"}, "defaultcustom", 1},
		{"old form in full", "default", "defaultcustom", grapnel.KeyRules{}, []string{"defaultcustom"}, "defaultcustom", 2},
		{"old form with an organisation's id", org, org + "custom", grapnel.KeyRules{}, []string{org + "custom"}, org + "custom", 1},
		{"token of another function", "default", "custom", grapnel.KeyRules{Legacy: []string{"murmur64"}},
			[]string{Token("default", "custom", "murmur64")}, Token("default", "custom", "murmur64"), 3},
		{"no organisation", "", "custom", defaults(), []string{Token("", "custom", "sha256")}, Token("", "custom", "sha256"), 1},
		{"unknown", "default", "custom", defaults(), nil, grapnel.ErrNotFound.Error(), 2},
		{"too short", "default", "ab", defaults(), []string{"ab"}, grapnel.ErrNotFound.Error(), 0},
		{"nothing after the scheme", "default", "Bearer ", defaults(), []string{"Bearer "}, grapnel.ErrNotFound.Error(), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, s := newRing(t, c.rules)
			for _, key := range c.stored {
				put(t, s, r.StoreID(key), grapnel.Session{OrgID: c.org, Alias: key})
			}
			got, err := r.Find(t.Context(), c.org, c.credential)
			if alias(got, err) != c.want || s.reads.Load() != c.reads {
				t.Fatalf("found %s with %d reads, want %s with %d", alias(got, err), s.reads.Load(), c.want, c.reads)
			}
			if err != nil {
				return
			}
			if got.KeyID != c.want || got.StoreID != r.StoreID(c.want) { // [B-27, Z-1]
				t.Errorf("ids %q and %q", got.KeyID, got.StoreID)
			}
			s.reads.Store(0)
			again, err := r.Find(t.Context(), c.org, c.credential)
			if err != nil || again != got || s.reads.Load() != 1 {
				t.Errorf("again: %p and then %p (%v) with %d reads; want the same session with one", got, again, err, s.reads.Load())
			}
		})
	}
}

// TestFindOrganisation: a session of another organisation is not found.
func TestFindOrganisation(t *testing.T) {
	r, s := newRing(t, defaults())
	theirs := Token("other", "id1", "sha256")
	put(t, s, r.StoreID(theirs), grapnel.Session{OrgID: "other"})
	put(t, s, r.StoreID("plain"), grapnel.Session{OrgID: "other"})
	for _, credential := range []string{theirs, "plain"} {
		if _, err := r.Find(t.Context(), "default", credential); !errors.Is(err, grapnel.ErrNotFound) {
			t.Errorf("%s: %v", credential, err)
		}
		if _, err := r.Find(t.Context(), "other", credential); err != nil {
			t.Errorf("%s in its own organisation: %v", credential, err)
		}
	}
}

// TestFindFollowsTheStore: a changed or deleted session, or other policies, are
// in effect at once.
func TestFindFollowsTheStore(t *testing.T) {
	gold := &grapnel.Policy{ID: "gold", Rate: 10, Per: 1, AccessRights: map[string]grapnel.AccessDefinition{"a": {}}}
	r, s := newRing(t, defaults(), gold)
	find := func() (*grapnel.Session, error) { return r.Load(t.Context(), "key") }
	put(t, s, r.StoreID("key"), grapnel.Session{Alias: "one", Rate: 1, ApplyPolicies: []string{"gold"}})
	got, err := find()
	if alias(got, err) != "one" || got.Rate != 10 {
		t.Fatalf("%+v, %v: want the policy's rate [S-23]", got, err)
	}
	if raw, err := r.Stored(t.Context(), "key"); err != nil || raw.Rate != 1 || raw.StoreID == "" || raw.AccessRights != nil {
		t.Errorf("stored %+v, %v: want it without policies", raw, err)
	}
	put(t, s, r.StoreID("key"), grapnel.Session{Alias: "two", Rate: 1, ApplyPolicies: []string{"gold"}})
	if got, err := find(); alias(got, err) != "two" || got.Rate != 10 {
		t.Errorf("%+v, %v after a change", got, err)
	}
	better := *gold
	better.Rate = 20
	r.SetPolicies(NewPolicies(&better))
	if got, err := find(); err != nil || got.Rate != 20 {
		t.Errorf("%+v, %v after a reload [S-23]", got, err)
	}
	r.SetPolicies(nil)
	if got, err := find(); !errors.Is(err, grapnel.ErrNotFound) || got != nil {
		t.Errorf("%+v, %v without the policy: want it not to be used", got, err)
	}
	if _, err := r.Stored(t.Context(), "key"); err != nil {
		t.Errorf("stored: %v", err)
	}
	if err := r.Delete(t.Context(), "key"); err != nil {
		t.Fatal(err)
	}
	if _, err := find(); !errors.Is(err, grapnel.ErrNotFound) {
		t.Errorf("%v after deletion", err)
	}
	if err := r.Delete(t.Context(), "key"); !errors.Is(err, grapnel.ErrNotFound) {
		t.Errorf("second deletion: %v", err)
	}
}

// TestUnavailable: a store that does not answer is not one that says no.
func TestUnavailable(t *testing.T) {
	r, s := newRing(t, defaults())
	put(t, s, r.StoreID("known"), grapnel.Session{})
	if _, err := r.Load(t.Context(), "known"); err != nil {
		t.Fatal(err)
	}
	s.down.Store(true)
	for _, key := range []string{"known", "unknown"} {
		if _, err := r.Find(t.Context(), "default", key); !errors.Is(err, grapnel.ErrUnavailable) {
			t.Errorf("find %s: %v", key, err)
		}
		if _, err := r.Load(t.Context(), key); !errors.Is(err, grapnel.ErrUnavailable) {
			t.Errorf("load %s: %v", key, err)
		}
	}
	if err := r.Save(t.Context(), &grapnel.Session{KeyID: "known"}, 0); !errors.Is(err, grapnel.ErrUnavailable) {
		t.Errorf("save: %v", err)
	}
}

// TestLegacyHashes: keys of the original are found by its hashes when the
// operator says so, and are stored again under SHA-256 [S-62b].
func TestLegacyHashes(t *testing.T) {
	named := Token("default", "id1", "murmur64")
	for _, c := range []struct {
		name, key, id string
		legacy        []string
		found         bool
	}{
		{"murmur64", named, "murmur64", []string{"murmur64"}, true},
		{"murmur64 that is not allowed", named, "murmur64", []string{"murmur32"}, false},
		{"murmur32", "defaultrest-key-1", "murmur32", []string{"murmur32"}, true},
		{"murmur32 that is not allowed", "defaultrest-key-1", "murmur32", nil, false},
		{"a hash that the key does not name", "defaultrest-key-1", "murmur64", []string{"murmur64"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := defaults()
			rules.Legacy = c.legacy
			r, s := newRing(t, rules)
			old, _ := Hash(c.id, c.key)
			put(t, s, old, grapnel.Session{Alias: "old", OrgID: "default"})
			got, err := r.Find(t.Context(), "default", c.key)
			if (err == nil) != c.found {
				t.Fatalf("found %s", alias(got, err))
			}
			if !c.found {
				return
			}
			if got.StoreID != r.StoreID(c.key) || got.KeyID != c.key {
				t.Errorf("ids %q and %q", got.KeyID, got.StoreID)
			}
			if stored, err := s.Session(t.Context(), r.StoreID(c.key)); alias(stored, err) != "old" {
				t.Errorf("under SHA-256: %s", alias(stored, err))
			}
			if err := r.Delete(t.Context(), c.key); err != nil {
				t.Fatal(err)
			}
			if got, err := r.Find(t.Context(), "default", c.key); err == nil {
				t.Errorf("after deletion: %s", alias(got, err))
			}
		})
	}
}

// TestMurmur32CollisionsAreNotInherited: the first key that comes takes the
// entry of its hash, and a deletion finds the entry too [S-62a, S-62b].
func TestMurmur32CollisionsAreNotInherited(t *testing.T) {
	rules := defaults()
	rules.Legacy = []string{"murmur32"}
	r, s := newRing(t, rules)
	put(t, s, "377377da", grapnel.Session{Alias: "one", OrgID: "default"})
	if got, err := r.Find(t.Context(), "other", "defaultrest-key-1"); !errors.Is(err, grapnel.ErrNotFound) {
		t.Errorf("for another organisation: %s", alias(got, err))
	}
	if got, err := r.Find(t.Context(), "default", "rest-key-1"); alias(got, err) != "one" {
		t.Errorf("the first: %s", alias(got, err))
	}
	if got, err := r.Find(t.Context(), "default", "rest-key-2"); !errors.Is(err, grapnel.ErrNotFound) {
		t.Errorf("the second: %s", alias(got, err))
	}
	if _, err := s.Session(t.Context(), "377377da"); !errors.Is(err, grapnel.ErrNotFound) {
		t.Errorf("the old entry: %v", err)
	}
	if err := r.Save(t.Context(), &grapnel.Session{KeyID: "defaultrest-key-2", OrgID: "default", Alias: "two"}, 0); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Find(t.Context(), "default", "rest-key-1"); alias(got, err) != "one" {
		t.Errorf("the first, after the second was stored: %s", alias(got, err))
	}
}

// TestNoKeyInClear: with hashing, no id of the store is a key [hash_keys].
func TestNoKeyInClear(t *testing.T) {
	r, s := newRing(t, defaults())
	for _, key := range []string{"opaque", Token("default", "id", "murmur64")} {
		if err := r.Save(t.Context(), &grapnel.Session{KeyID: key}, 0); err != nil {
			t.Fatal(err)
		}
	}
	ids, err := s.SessionIDs(t.Context(), "")
	if err != nil || len(ids) != 2 {
		t.Fatal(ids, err)
	}
	for _, id := range ids {
		if len(id) != 64 {
			t.Errorf("stored under %q", id)
		}
		if _, err := r.Find(t.Context(), "", id); err == nil {
			t.Errorf("the hash %q is as good as its key", id)
		}
	}
}

func TestUnknownLegacyHash(t *testing.T) {
	if _, err := New(nil, grapnel.KeyRules{Legacy: []string{"md5"}}, nil); err == nil || cmp.Diff(err.Error(), `legacy_hashes: no hash is called "md5"; there are murmur32, murmur64 and murmur128`) != "" {
		t.Errorf("%v", err)
	}
}
