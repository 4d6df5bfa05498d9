package store

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"go.etcd.io/bbolt"

	"github.com/grapnel-gateway/grapnel"
)

// kept is a text that nobody changes.
type kept struct {
	text    []byte
	expires int64 // Unix nanoseconds; 0 is never
}

func (m *memory) Record(ctx context.Context, key string) ([]byte, error) {
	if err := m.alive(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[key]
	if !ok || past(r.expires, time.Now()) {
		return nil, grapnel.ErrNotFound
	}
	return bytes.Clone(r.text), nil
}

func (m *memory) SwapRecord(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	if err := m.alive(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[key]
	ok = ok && !past(r.expires, time.Now())
	switch {
	case ok != (old != nil) || ok && !bytes.Equal(r.text, old):
		return grapnel.ErrConflict
	case new == nil:
		delete(m.records, key)
	default:
		m.records[key] = kept{bytes.Clone(new), expiry(ttl)}
	}
	return nil
}

func (m *memory) Records(ctx context.Context, prefix string) (map[string][]byte, error) {
	if err := m.alive(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	out, now := map[string][]byte{}, time.Now()
	for key, r := range m.records {
		if strings.HasPrefix(key, prefix) && !past(r.expires, now) {
			out[key] = bytes.Clone(r.text)
		}
	}
	return out, nil
}

func (m *memory) sweepRecords(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.records, func(_ string, r kept) bool { return past(r.expires, now) })
}

func (e *embedded) Record(ctx context.Context, key string) (text []byte, err error) {
	if err := e.alive(ctx); err != nil {
		return nil, err
	}
	err = e.view(func(tx *bbolt.Tx) error {
		_, stored := recordOf(tx, key)
		if stored == nil {
			return grapnel.ErrNotFound
		}
		text = bytes.Clone(stored)
		return nil
	})
	return text, err
}

// recordOf returns a record as it is in the file, and when it expires; nil is
// one that has.
func recordOf(tx *bbolt.Tx, key string) (expires int64, text []byte) {
	expires, text = unstamp(tx.Bucket([]byte(recordBucket)).Get([]byte(key)))
	if past(expires, time.Now()) {
		text = nil
	}
	return expires, text
}

func (e *embedded) SwapRecord(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	if err := e.alive(ctx); err != nil {
		return err
	}
	old, new = bytes.Clone(old), bytes.Clone(new)
	expires := expiry(ttl)
	return e.writes.do(ctx, e.ctx, func(tx *bbolt.Tx) error {
		before, stored := recordOf(tx, key)
		if (stored == nil) != (old == nil) || !bytes.Equal(stored, old) {
			return grapnel.ErrConflict
		}
		b := tx.Bucket([]byte(recordBucket))
		if new == nil {
			return errors.Join(b.Delete([]byte(key)), reindex(tx, lapseBucket, before, 0, key))
		}
		return errors.Join(b.Put([]byte(key), stamp(expires, new)), reindex(tx, lapseBucket, before, expires, key))
	})
}

func (e *embedded) Records(ctx context.Context, prefix string) (map[string][]byte, error) {
	if err := e.alive(ctx); err != nil {
		return nil, err
	}
	out, now := map[string][]byte{}, time.Now()
	err := e.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket([]byte(recordBucket)).Cursor()
		for key, value := c.Seek([]byte(prefix)); key != nil && bytes.HasPrefix(key, []byte(prefix)); key, value = c.Next() {
			if expires, text := unstamp(value); !past(expires, now) {
				out[string(key)] = bytes.Clone(text)
			}
		}
		return nil
	})
	return out, err
}

// recordName is the name of a record's key in Redis. Sessions of organisations are
// where the original has them [Z-3].
func recordName(key string) string {
	if strings.HasPrefix(key, grapnel.OrgRecords) {
		return key
	}
	return recordKey + key
}

func (r *shared) Record(ctx context.Context, key string) (text []byte, err error) {
	err = r.do(ctx, func(ctx context.Context) (err error) {
		text, err = r.client.Get(ctx, recordName(key)).Bytes()
		return err
	})
	return text, err
}

func (r *shared) SwapRecord(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	there := func(text []byte) string {
		if text == nil {
			return ""
		}
		return "1"
	}
	life := max(0, ttl.Milliseconds())
	if ttl > 0 {
		life = max(1, life)
	}
	swapped := false
	err := r.do(ctx, func(ctx context.Context) (err error) {
		swapped, err = r.swap.Run(ctx, r.client, []string{recordName(key)}, there(old), old, there(new), new, life).Bool()
		return err
	})
	if err == nil && !swapped {
		return grapnel.ErrConflict
	}
	return err
}

func (r *shared) Records(ctx context.Context, prefix string) (map[string][]byte, error) {
	keys, err := r.scan(ctx, strings.TrimSuffix(recordName(prefix), prefix), prefix)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]byte, len(keys))
	for len(keys) > 0 {
		page := keys[:min(len(keys), scanPage)]
		keys = keys[len(page):]
		err := r.do(ctx, func(ctx context.Context) error {
			p := r.client.Pipeline() // one command for each key: they may be on several nodes
			found := make([]*redis.StringCmd, len(page))
			for i, key := range page {
				found[i] = p.Get(ctx, recordName(key))
			}
			if _, err := p.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
				return err
			}
			for i, key := range page {
				if text, err := found[i].Bytes(); err == nil {
					out[key] = text
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
