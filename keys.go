package grapnel

import (
	"context"
	"time"
)

// Keys find and keep sessions by the credentials that stand for them. They know
// how a credential becomes an id of the store, and what policies make of a
// session.
type Keys interface {
	// Find returns the session of a credential that was presented to an API
	// of the organisation, with its policies applied [Z-2, S-23, S-63, S-64],
	// or ErrNotFound. The session is shared: who changes it clones it first.
	Find(ctx context.Context, org, credential string) (*Session, error)
	// Load is Find for exactly this key, as a plugin or an extractor names
	// it [C-9, I-11].
	Load(ctx context.Context, key string) (*Session, error)
	// Stored is Load without policies: the session as it was saved. It is
	// shared as well.
	Stored(ctx context.Context, key string) (*Session, error)
	// Token returns the key that stands for an id within an organisation
	// [S-60], as for the identity of a token or what an extractor found
	// [I-10].
	Token(org, id string) string
	// Save stores the session, as it is without its policies, under its
	// KeyID for ttl, 0 for ever, and sets its StoreID. One that equals the
	// stored one is not written again until half of its ttl has passed
	// [L-37].
	Save(ctx context.Context, s *Session, ttl time.Duration) error
	// Edit stores what change makes of the key's session as it is in the store
	// at that moment, without policies, or returns ErrNotFound. It undoes
	// nothing that others do at the same time: change may be called again.
	Edit(ctx context.Context, key string, change func(*Session)) error
	// Delete removes the session of the key here and on all gateways, or
	// returns ErrNotFound.
	Delete(ctx context.Context, key string) error
	// Apply puts the session's policies on it [S-20…S-24]; maps and lists
	// that it shares with other sessions stay as they were. On error the
	// session must not be used.
	Apply(s *Session) error
}

// KeyRules say how credentials are stored and found.
type KeyRules struct {
	// Hash stores a hash of each credential (SHA-256) in place of itself.
	Hash bool `yaml:"hash"`
	// Legacy names further hashes under which keys of a Tyk set-up are
	// looked for: murmur32, murmur64, murmur128. A key found that way is
	// stored again under SHA-256 [S-62b].
	Legacy []string `yaml:"legacy_hashes"`
	// Function is the hash that generated tokens name; empty makes tokens of
	// the old form, organisation and id [S-60].
	Function string `yaml:"-"`
	// MinLength is the length below which a credential is unknown without
	// a look [S-64].
	MinLength int `yaml:"min_length"`
	// Unrestricted lets the control API create keys without access rights.
	Unrestricted bool `yaml:"allow_unrestricted"`
	// List lets the control API list hashed keys.
	List bool `yaml:"list_hashed"`
	// CacheFor is how long a session may be served from memory without
	// asking the store, if no signal said that it changed.
	CacheFor Duration `yaml:"cache_for"`
	// Grace is how long sessions may be served from memory while the store
	// does not answer; 0 refuses at once.
	Grace Duration `yaml:"grace"`
}

// SetDefaults hashes keys, and trusts memory for ten seconds.
func (k *KeyRules) SetDefaults() {
	*k = KeyRules{Hash: true, Function: "sha256", MinLength: 3, CacheFor: Duration(10 * time.Second)}
}
