package store_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/store"
	"github.com/grapnel-gateway/grapnel/store/storetest"
)

// each runs a benchmark on every store.
func each(b *testing.B, run func(b *testing.B, s grapnel.Store)) {
	r := storetest.Redis(b)
	for _, kind := range []struct{ name, url string }{
		{"memory", "memory:"},
		{"embedded", filepath.Join(b.TempDir(), "s.db")},
		{"redis", r.URL()},
	} {
		b.Run(kind.name, func(b *testing.B) { run(b, open(b, kind.url)) })
	}
}

// withRights is a session that may call so many APIs.
func withRights(n int) *grapnel.Session {
	s := &grapnel.Session{Rate: 100, Per: 1, QuotaMax: -1, OrgID: "default", AccessRights: map[string]grapnel.AccessDefinition{}}
	for i := range n {
		id := fmt.Sprintf("5e9d9544a1dcd60001d0ed%02x", i)
		s.AccessRights[id] = grapnel.AccessDefinition{APIID: id, APIName: id, Versions: []string{"Default"}}
	}
	return s
}

func BenchmarkSession(b *testing.B) {
	for _, rights := range []int{1, 100} {
		b.Run(fmt.Sprintf("rights=%d", rights), func(b *testing.B) {
			each(b, func(b *testing.B, s grapnel.Store) { get(b, s, rights) })
			b.Run("cached", func(b *testing.B) {
				each(b, func(b *testing.B, s grapnel.Store) {
					c, err := store.Cache(s, s, time.Hour, 0)
					if err != nil {
						b.Fatal(err)
					}
					defer c.Close()
					get(b, c, rights)
				})
			})
		})
	}
}

func get(b *testing.B, s grapnel.Sessions, rights int) {
	if err := s.PutSession(b.Context(), "a", withRights(rights), 0); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Session(b.Context(), "a"); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkMiss finds sessions that the cache in front of a store does not have.
func BenchmarkMiss(b *testing.B) {
	each(b, func(b *testing.B, s grapnel.Store) {
		ids := make([]string, 1000)
		for i := range ids {
			ids[i] = fmt.Sprintf("%064d", i)
			if err := s.PutSession(b.Context(), ids[i], withRights(1), 0); err != nil {
				b.Fatal(err)
			}
		}
		c, err := store.Cache(s, s, time.Nanosecond, 0)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := c.Session(b.Context(), ids[i%len(ids)]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPutSession(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			each(b, func(b *testing.B, s grapnel.Store) {
				session := withRights(1)
				b.SetParallelism(writers)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := s.PutSession(b.Context(), "a", session, 0); err != nil {
							b.Error(err)
						}
					}
				})
			})
		})
	}
}

func BenchmarkTake(b *testing.B) {
	for name, limit := range map[string]int{"free": 1 << 30, "refused": 1000} {
		b.Run(name, func(b *testing.B) {
			each(b, func(b *testing.B, s grapnel.Store) {
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, err := s.Take(b.Context(), "key", limit, time.Second); err != nil {
							b.Error(err)
						}
					}
				})
			})
		})
	}
}

func BenchmarkSpend(b *testing.B) {
	each(b, func(b *testing.B, s grapnel.Store) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Spend(b.Context(), "key", 1<<40, time.Hour); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
