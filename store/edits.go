package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/grapnel-gateway/grapnel"
)

// edited tries a change until no other one comes between its reading and its
// writing. One attempt of many always gets through; each looks at the context.
func edited(attempt func() error) error {
	for {
		if err := attempt(); !errors.Is(err, grapnel.ErrConflict) {
			return err
		}
	}
}

// changed is what change makes of a stored session, written by encode.
func changed(id string, stored []byte, change func(*grapnel.Session), encode func(*grapnel.Session) ([]byte, error)) ([]byte, error) {
	s, err := decode(id, stored)
	if err != nil {
		return nil, err
	}
	change(s)
	text, err := encode(s)
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	return text, nil
}

func (m *memory) EditSession(ctx context.Context, id string, change func(*grapnel.Session)) error {
	return edited(func() error {
		before, err := m.Session(ctx, id)
		if err != nil {
			return err
		}
		after := before.Clone()
		change(after)
		if after, err = asStored(id, after); err != nil {
			return err
		}
		return m.swap(id, before, after)
	})
}

// swap puts a session in the place of the one that is known to be there, for the
// rest of its life.
func (m *memory) swap(id string, before, after *grapnel.Session) error {
	s := m.shard(id)
	s.Lock()
	defer s.Unlock()
	h := s.sessions[id]
	if h.session != before || h.over(time.Now()) {
		return grapnel.ErrConflict
	}
	h.session = after
	s.sessions[id] = h
	return nil
}

func (e *embedded) EditSession(ctx context.Context, id string, change func(*grapnel.Session)) error {
	return edited(func() error {
		if err := e.alive(ctx); err != nil {
			return err
		}
		var before []byte // with its stamp
		err := e.view(func(tx *bbolt.Tx) error {
			before = bytes.Clone(tx.Bucket([]byte(sessionBucket)).Get([]byte(id)))
			return nil
		})
		if err != nil {
			return err
		}
		expires, stored := unstamp(before)
		if stored == nil || past(expires, time.Now()) {
			return grapnel.ErrNotFound
		}
		text, err := changed(id, stored, change, (*grapnel.Session).Lean)
		if err != nil {
			return err
		}
		return e.writes.do(ctx, e.ctx, func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte(sessionBucket))
			if past(expires, time.Now()) || !bytes.Equal(b.Get([]byte(id)), before) {
				return grapnel.ErrConflict
			}
			return b.Put([]byte(id), stamp(expires, text))
		})
	})
}

func (r *shared) EditSession(ctx context.Context, id string, change func(*grapnel.Session)) error {
	return edited(func() error {
		var before []byte
		err := r.do(ctx, func(ctx context.Context) (err error) {
			before, err = r.client.Get(ctx, sessionKey+id).Bytes()
			return err
		})
		if err != nil {
			return err
		}
		text, err := changed(id, before, change, func(s *grapnel.Session) ([]byte, error) { return json.Marshal(s) })
		if err != nil {
			return err
		}
		swapped := false
		err = r.do(ctx, func(ctx context.Context) (err error) {
			swapped, err = r.edit.Run(ctx, r.client, []string{sessionKey + id}, before, text).Bool()
			return err
		})
		if err == nil && !swapped {
			return grapnel.ErrConflict
		}
		return err
	})
}
