package grapnel

import (
	"context"
	"errors"
	"time"
)

// The ways in which a store says no. Every other error of a store means the same
// as ErrUnavailable: the answer is not known.
var (
	// ErrNotFound: there is nothing under that name.
	ErrNotFound = errors.New("not found")
	// ErrConflict: it was changed meanwhile.
	ErrConflict = errors.New("changed meanwhile")
	// ErrUnavailable: the store cannot be asked now.
	ErrUnavailable = errors.New("the store is unavailable")
)

// Sessions keep who may call. An id is what stands for a session in the store:
// the caller's credential, or its hash.
type Sessions interface {
	// Session returns the session, or ErrNotFound. It may be shared with
	// other callers: who wants to change it clones it first.
	Session(ctx context.Context, id string) (*Session, error)
	// PutSession stores the session for ttl, or for ever when ttl is 0.
	// Once it has returned, the death of the process loses nothing.
	PutSession(ctx context.Context, id string, s *Session, ttl time.Duration) error
	// EditSession stores what change makes of the session as it is in the
	// store at that moment, for the rest of its life, or returns ErrNotFound.
	// What others change or delete at the same time stays so: change is then
	// called again, with what they left.
	EditSession(ctx context.Context, id string, change func(*Session)) error
	// DeleteSession removes the session, or returns ErrNotFound.
	DeleteSession(ctx context.Context, id string) error
	// SessionIDs lists the ids that begin with prefix, sorted.
	SessionIDs(ctx context.Context, prefix string) ([]string, error)
}

// Counters count what is limited. All gateways that share a store share its
// counters.
type Counters interface {
	// Take counts one event against a rate, if there is room for it: never
	// more than limit events are let through in any window of per. It
	// returns 0, or how long to wait until there may be room again.
	Take(ctx context.Context, key string, limit int, per time.Duration) (wait time.Duration, err error)
	// Spend counts one event against a quota of max events. A period of 0
	// never renews. When the quota is spent it counts nothing, and
	// Usage.Used is greater than max.
	Spend(ctx context.Context, key string, max int64, period time.Duration) (Usage, error)
	// Usage tells how a quota stands, without spending any of it.
	Usage(ctx context.Context, key string) (Usage, error)
	// Forget sets what Take and Spend counted under the key back to nothing.
	Forget(ctx context.Context, key string) error
}

// Usage is how a quota stands.
type Usage struct {
	Used   int64
	Renews time.Time // zero when it never does, or has not been used yet
}

// OrgRecords is what the keys of the records begin with that hold the sessions of
// organisations; the rest is the organisation [Z-3].
const OrgRecords = "orgkey."

// A Catalog keeps the documents that the control API publishes, by kind ("apis"
// or "policies") and id.
type Catalog interface {
	// Documents returns all documents of the kind by id.
	Documents(ctx context.Context, kind string) (map[string][]byte, error)
	// PutDocument stores a document, as lastingly as PutSession does.
	PutDocument(ctx context.Context, kind, id string, document []byte) error
	// DeleteDocument removes a document, or returns ErrNotFound.
	DeleteDocument(ctx context.Context, kind, id string) error
}

// Records are small texts that end by themselves, and that several gateways may
// change at once without harm.
type Records interface {
	// Record returns the record, or ErrNotFound.
	Record(ctx context.Context, key string) ([]byte, error)
	// SwapRecord puts new in the place of old, for ttl, 0 for ever, as
	// lastingly as PutSession does. Nil stands for no record: a nil old makes
	// one, a nil new removes it. When old is not what is there, nothing
	// changes, and it returns ErrConflict.
	SwapRecord(ctx context.Context, key string, old, new []byte, ttl time.Duration) error
	// Records returns the records whose keys begin with prefix. It may take
	// long, and is for operators.
	Records(ctx context.Context, prefix string) (map[string][]byte, error)
}

// Signals carry news between the gateways that share a store: what one of them
// changed, the others forget or read again.
type Signals interface {
	// Publish tells all gateways, this one included.
	Publish(ctx context.Context, s Signal) error
	// Subscribe returns at once. From then on heard is called, by one
	// goroutine, for every signal until the context ends or the store is
	// closed. After a broken connection it is called with SignalLost, since
	// signals may have been missed.
	Subscribe(ctx context.Context, heard func(Signal)) error
}

// A Signal is one piece of news.
type Signal struct {
	Kind SignalKind
	IDs  []string // of the sessions, for SignalSessions
}

// A SignalKind says what the news is about.
type SignalKind string

// The kinds of news.
const (
	SignalSessions SignalKind = "sessions" // sessions changed or went
	SignalReload   SignalKind = "reload"   // the configuration changed
	SignalLost     SignalKind = "lost"     // news may have been missed
)

// A Store keeps everything that outlives a process or is shared by several.
type Store interface {
	Sessions
	Counters
	Catalog
	Records
	Signals
	// Ping asks whether the store answers.
	Ping(ctx context.Context) error
	// Close ends its use; what was acknowledged stays.
	Close() error
}
