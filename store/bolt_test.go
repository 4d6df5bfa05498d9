package store

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/grapnel-gateway/grapnel"
)

func openEmbedded(t testing.TB, path string) *embedded {
	t.Helper()
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.(*embedded)
}

// TestEmbeddedIsLocked: a second process is told what is the matter, soon.
func TestEmbeddedIsLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	openEmbedded(t, path)
	begun := time.Now()
	_, err := Open(path, Options{})
	if err == nil || !strings.Contains(err.Error(), "another process has "+path+" open") {
		t.Errorf("got %v", err)
	}
	if e := time.Since(begun); e > 3*time.Second {
		t.Errorf("it took %v", e)
	}
}

// TestEmbeddedStays: sessions, documents and quotas are there after a restart,
// and rates begin anew.
func TestEmbeddedStays(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "s.db")
	s := openEmbedded(t, path)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(s.PutSession(ctx, "a", &grapnel.Session{Alias: "one"}, time.Hour))
	check(s.PutDocument(ctx, "apis", "x", []byte("y")))
	first, err := s.Spend(ctx, "q", 3, time.Hour)
	check(err)
	_, err = s.Spend(ctx, "forgotten", 3, time.Hour)
	check(err)
	check(s.Forget(ctx, "forgotten"))
	_, err = s.Take(ctx, "r", 1, time.Hour)
	check(err)
	check(s.Close())

	s = openEmbedded(t, path)
	if got, err := s.Session(ctx, "a"); err != nil || got.Alias != "one" {
		t.Errorf("session: %+v, %v", got, err)
	}
	if got, err := s.Documents(ctx, "apis"); err != nil || string(got["x"]) != "y" {
		t.Errorf("documents: %q, %v", got, err)
	}
	if got, err := s.Spend(ctx, "q", 3, time.Hour); err != nil || got.Used != 2 || !got.Renews.Equal(first.Renews) {
		t.Errorf("quota: %+v, %v; it began as %+v", got, err, first)
	}
	if got, err := s.Usage(ctx, "forgotten"); err != nil || got != (grapnel.Usage{}) {
		t.Errorf("forgotten quota: %+v, %v", got, err)
	}
	if wait, err := s.Take(ctx, "r", 1, time.Hour); err != nil || wait != 0 {
		t.Errorf("rate: wait %v, %v", wait, err)
	}
}

// TestEmbeddedIsSwept: expired sessions leave the file, those that were renewed
// meanwhile do not.
func TestEmbeddedIsSwept(t *testing.T) {
	ctx, s := t.Context(), openEmbedded(t, filepath.Join(t.TempDir(), "s.db"))
	for i := range 50 {
		if err := s.PutSession(ctx, fmt.Sprint(i), &grapnel.Session{}, time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	for id, ttl := range map[string]time.Duration{"0": 0, "1": time.Hour} {
		if err := s.PutSession(ctx, id, &grapnel.Session{}, ttl); err != nil {
			t.Fatal(err)
		}
	}
	s.sweep(time.Now().Add(time.Second))
	count := map[string]int{}
	err := s.db.View(func(tx *bbolt.Tx) error {
		for _, name := range []string{sessionBucket, expiryBucket} {
			count[name] = tx.Bucket([]byte(name)).Stats().KeyN
		}
		return nil
	})
	if err != nil || count[sessionBucket] != 2 || count[expiryBucket] != 1 {
		t.Errorf("left are %v, %v", count, err)
	}
}

// TestCommitsAreShared: concurrent writers share commits, and the failure of
// one is not that of the others.
func TestCommitsAreShared(t *testing.T) {
	s := openEmbedded(t, filepath.Join(t.TempDir(), "s.db"))
	begun := commits(t, s)
	var all sync.WaitGroup
	const writers = 200
	for i := range writers {
		all.Go(func() {
			id := fmt.Sprint(i)
			if i%10 == 0 {
				id = strings.Repeat("x", bbolt.MaxKeySize+1)
			}
			err := s.PutSession(context.Background(), id, &grapnel.Session{}, 0)
			if (err != nil) != (i%10 == 0) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	all.Wait()
	if n := commits(t, s) - begun; n > writers/2 {
		t.Errorf("%d commits for %d writers", n, writers)
	}
	ids, err := s.SessionIDs(t.Context(), "")
	if err != nil || len(ids) != writers*9/10 {
		t.Errorf("%d sessions, %v", len(ids), err)
	}
}

// commits is how many there have been.
func commits(t *testing.T, s *embedded) (n int) {
	t.Helper()
	if err := s.db.View(func(tx *bbolt.Tx) error { n = tx.ID(); return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}
