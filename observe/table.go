package observe

import (
	"maps"
	"sync"
	"sync/atomic"
)

// A table is a map that is read without a lock. Writing copies it: it is for what
// is found once and used often. The zero value is empty.
type table[K comparable, V any] struct {
	mu      sync.Mutex
	current atomic.Pointer[map[K]V]
}

// find returns what the table has for the key.
func (t *table[K, V]) find(k K) (v V, ok bool) {
	if m := t.current.Load(); m != nil {
		v, ok = (*m)[k]
	}
	return v, ok
}

// add returns what the table has for the key, or what is made for it.
func (t *table[K, V]) add(k K, make func(K) V) V {
	t.mu.Lock()
	defer t.mu.Unlock()
	if v, ok := t.find(k); ok {
		return v
	}
	v := make(k)
	next := t.copy()
	next[k] = v
	t.current.Store(&next)
	return v
}

// drop removes the keys that are not wanted any more.
func (t *table[K, V]) drop(unwanted func(K, V) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := t.copy()
	maps.DeleteFunc(next, unwanted)
	t.current.Store(&next)
}

func (t *table[K, V]) copy() map[K]V {
	if m := t.current.Load(); m != nil {
		return maps.Clone(*m)
	}
	return map[K]V{}
}
