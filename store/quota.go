package store

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// A quota is how much of one has been used.
type quota struct {
	used   int64
	renews int64 // Unix nanoseconds; 0 is never
}

func (q quota) over(now time.Time) bool { return q.renews != 0 && q.renews <= now.UnixNano() }

func (q quota) usage() grapnel.Usage {
	u := grapnel.Usage{Used: q.used}
	if q.renews != 0 {
		u.Renews = time.Unix(0, q.renews)
	}
	return u
}

// quotas counts quotas, for one process. What record is told before a count is
// given out is what has been counted; a quota that has used nothing is gone.
type quotas struct {
	seed   maphash.Seed
	record func(key string, q quota) error
	shards [shards]struct {
		sync.Mutex
		byKey map[string]quota
	}
}

func newQuotas(record func(string, quota) error) *quotas {
	q := &quotas{seed: maphash.MakeSeed(), record: record}
	for i := range q.shards {
		q.shards[i].byKey = map[string]quota{}
	}
	return q
}

// load sets a quota without recording it.
func (c *quotas) load(key string, q quota) {
	c.shards[c.shard(key)].byKey[key] = q
}

func (c *quotas) shard(key string) uint64 { return maphash.String(c.seed, key) % shards }

func (c *quotas) spend(key string, maximum int64, period time.Duration) (grapnel.Usage, error) {
	s := &c.shards[c.shard(key)]
	s.Lock()
	defer s.Unlock()
	now := time.Now()
	q := s.byKey[key]
	if q.over(now) {
		q = quota{}
	}
	if q.used >= maximum {
		u := q.usage()
		u.Used++
		return u, nil
	}
	q.used++
	if q.renews == 0 && period > 0 {
		q.renews = now.Add(period).UnixNano()
	}
	if err := c.record(key, q); err != nil {
		return grapnel.Usage{}, err
	}
	s.byKey[key] = q
	return q.usage(), nil
}

func (c *quotas) usage(key string) grapnel.Usage {
	s := &c.shards[c.shard(key)]
	s.Lock()
	defer s.Unlock()
	q := s.byKey[key]
	if q.over(time.Now()) {
		return grapnel.Usage{}
	}
	return q.usage()
}

func (c *quotas) forget(key string) error {
	s := &c.shards[c.shard(key)]
	s.Lock()
	defer s.Unlock()
	if _, ok := s.byKey[key]; !ok {
		return nil
	}
	if err := c.record(key, quota{}); err != nil {
		return err
	}
	delete(s.byKey, key)
	return nil
}

// sweep drops the quotas that have been renewed and not used since.
func (c *quotas) sweep(now time.Time) {
	for i := range c.shards {
		s := &c.shards[i]
		s.Lock()
		for key, q := range s.byKey {
			if q.over(now) {
				delete(s.byKey, key)
			}
		}
		s.Unlock()
	}
}
