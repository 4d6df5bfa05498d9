package plugin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/grapnel-gateway/grapnel"
)

// Decisions are the last good decisions of auth hooks, for the time when their
// plugin is down: the sessions of those whom it let in. What else it changed of
// their requests is not kept. A credential that a plugin refuses is forgotten, by
// every gateway that heard it; none that was refused is remembered, whatever
// older calls come back with.
//
// There are at most ten thousand; those that were of use stay. They outlive
// reloads and not the process.
type Decisions struct {
	secret  []byte // of this process: names of decisions mean nothing elsewhere
	good    *otter.Cache[name, decision]
	stripes [256]stripe
}

const maxDecisions = 10_000

// A name is a keyed hash of an API, a hook and a credential: no credential is kept
// in clear.
type name [sha256.Size]byte

type decision struct {
	session *grapnel.Session
	made    time.Time
}

// A stripe counts the refusals of some of the credentials. A decision that was
// asked for before a refusal and comes after it does not count: the plugin may
// have been asked before it changed its mind. That two credentials share a stripe
// costs one of them a decision that it will get again.
type stripe struct {
	mu       sync.Mutex
	refusals uint64
}

// NewDecisions makes an empty memory.
func NewDecisions() *Decisions {
	return &Decisions{
		secret: []byte(rand.Text()),
		good:   otter.Must(&otter.Options[name, decision]{MaximumSize: maxDecisions}),
	}
}

// of is the memory of one hook, of callers that the function knows.
func (d *Decisions) of(api *grapnel.API, h grapnel.Hook, credential func(*grapnel.Exchange) string) *memory {
	return &memory{all: d, hook: api.ID + "\x00" + h.Plugin + "\x00" + h.Name + "\x00", credential: credential}
}

// A memory is what one hook remembers. A nil one remembers nothing.
type memory struct {
	all        *Decisions
	hook       string
	credential func(*grapnel.Exchange) string // "" is unknown
}

// A note is the place of one caller in a memory, taken before the plugin is asked.
// The zero note is the place of nobody.
type note struct {
	all      *Decisions
	name     name
	refusals uint64
}

func (m *memory) note(x *grapnel.Exchange) note {
	if m == nil {
		return note{}
	}
	credential := m.credential(x)
	if credential == "" {
		return note{}
	}
	mac := hmac.New(sha256.New, m.all.secret)
	mac.Write([]byte(m.hook))
	mac.Write([]byte(credential))
	n := note{all: m.all, name: name(mac.Sum(nil))}
	s := n.stripe()
	s.mu.Lock()
	defer s.mu.Unlock()
	n.refusals = s.refusals
	return n
}

func (n note) stripe() *stripe { return &n.all.stripes[n.name[0]] }

// keep remembers that the plugin let the caller in.
func (n note) keep(session *grapnel.Session) {
	if n.all == nil {
		return
	}
	d := decision{session.Clone(), time.Now()}
	s := n.stripe()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusals == n.refusals {
		n.all.good.Set(n.name, d)
	}
}

// forget forgets a caller whom the plugin did not let in.
func (n note) forget() {
	if n.all == nil {
		return
	}
	s := n.stripe()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals++
	n.all.good.Invalidate(n.name)
}

// recall returns the session of the last good decision, or nil when there is none
// that is young enough.
func (n note) recall(maxAge time.Duration) *grapnel.Session {
	if n.all == nil {
		return nil
	}
	d, ok := n.all.good.GetIfPresent(n.name)
	if !ok || time.Since(d.made) > maxAge {
		return nil
	}
	return d.session.Clone()
}
