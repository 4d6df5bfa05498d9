package store

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// memory is the store that is gone with the process.
type memory struct {
	*local
	seed   maphash.Seed
	shards [shards]shard

	mu        sync.Mutex
	documents map[string]map[string][]byte
	records   map[string]kept
}

// A shard is some of the sessions.
type shard struct {
	sync.RWMutex
	sessions map[string]held
}

// shard is the one of an id.
func (m *memory) shard(id string) *shard { return &m.shards[maphash.String(m.seed, id)%shards] }

// held is a session that nobody changes.
type held struct {
	session *grapnel.Session
	expires time.Time // zero is never
}

func (h held) over(now time.Time) bool { return !h.expires.IsZero() && !now.Before(h.expires) }

// NewMemory returns an empty store that is gone with the process.
func NewMemory() grapnel.Store {
	m := &memory{
		local:     newLocal(func(string, quota) error { return nil }),
		seed:      maphash.MakeSeed(),
		documents: map[string]map[string][]byte{},
		records:   map[string]kept{},
	}
	for i := range m.shards {
		m.shards[i].sessions = map[string]held{}
	}
	m.begin(m.sweep)
	return m
}

func (m *memory) Session(ctx context.Context, id string) (*grapnel.Session, error) {
	if err := m.alive(ctx); err != nil {
		return nil, err
	}
	s := m.shard(id)
	s.RLock()
	h, ok := s.sessions[id]
	s.RUnlock()
	if !ok || h.over(time.Now()) {
		return nil, grapnel.ErrNotFound
	}
	return h.session, nil
}

func (m *memory) PutSession(ctx context.Context, id string, session *grapnel.Session, ttl time.Duration) error {
	if err := m.alive(ctx); err != nil {
		return err
	}
	copied, err := asStored(id, session)
	if err != nil {
		return err
	}
	h := held{session: copied}
	if ttl > 0 {
		h.expires = time.Now().Add(ttl)
	}
	s := m.shard(id)
	s.Lock()
	defer s.Unlock()
	s.sessions[id] = h
	return nil
}

// asStored is a copy of a session, as it comes back from any store.
func asStored(id string, s *grapnel.Session) (*grapnel.Session, error) {
	text, err := s.Lean()
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	return decode(id, text)
}

// decode reads the stored form of a session.
func decode(id string, stored []byte) (*grapnel.Session, error) {
	s := &grapnel.Session{}
	if err := s.UnmarshalJSON(stored); err != nil {
		return nil, unavailable(fmt.Errorf("a stored session cannot be read: %w", err))
	}
	s.StoreID = id
	return s, nil
}

func (m *memory) DeleteSession(ctx context.Context, id string) error {
	if err := m.alive(ctx); err != nil {
		return err
	}
	s := m.shard(id)
	s.Lock()
	defer s.Unlock()
	h, ok := s.sessions[id]
	delete(s.sessions, id)
	if !ok || h.over(time.Now()) {
		return grapnel.ErrNotFound
	}
	return nil
}

func (m *memory) SessionIDs(ctx context.Context, prefix string) ([]string, error) {
	if err := m.alive(ctx); err != nil {
		return nil, err
	}
	ids, now := []string{}, time.Now()
	for i := range m.shards {
		s := &m.shards[i]
		s.RLock()
		for id, h := range s.sessions {
			if strings.HasPrefix(id, prefix) && !h.over(now) {
				ids = append(ids, id)
			}
		}
		s.RUnlock()
	}
	slices.Sort(ids)
	return ids, nil
}

func (m *memory) Documents(ctx context.Context, kind string) (map[string][]byte, error) {
	if err := m.alive(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make(map[string][]byte, len(m.documents[kind]))
	for id, document := range m.documents[kind] {
		out[id] = bytes.Clone(document)
	}
	return out, nil
}

func (m *memory) PutDocument(ctx context.Context, kind, id string, document []byte) error {
	if err := m.alive(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.documents[kind] == nil {
		m.documents[kind] = map[string][]byte{}
	}
	m.documents[kind][id] = bytes.Clone(document)
	return nil
}

func (m *memory) DeleteDocument(ctx context.Context, kind, id string) error {
	if err := m.alive(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.documents[kind][id]; !ok {
		return grapnel.ErrNotFound
	}
	delete(m.documents[kind], id)
	return nil
}

func (m *memory) sweep(now time.Time) {
	m.sweepRecords(now)
	for i := range m.shards {
		s := &m.shards[i]
		s.Lock()
		for id, h := range s.sessions {
			if h.over(now) {
				delete(s.sessions, id)
			}
		}
		s.Unlock()
	}
}
