package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// records: a record changes only from what it is known to be.
func records(t *testing.T, s grapnel.Store) {
	ctx := t.Context()
	_, err := s.Record(ctx, "a")
	wantError(t, "an unknown record", err, grapnel.ErrNotFound)
	one, two := []byte("one\x00\xff"), []byte("two")
	wantError(t, "changing an unknown record", s.SwapRecord(ctx, "a", one, two, 0), grapnel.ErrConflict)
	wantError(t, "removing an unknown record", s.SwapRecord(ctx, "a", one, nil, 0), grapnel.ErrConflict)
	must(t, s.SwapRecord(ctx, "a", nil, one, 0))
	wantError(t, "making it again", s.SwapRecord(ctx, "a", nil, two, 0), grapnel.ErrConflict)
	wantError(t, "changing it from another text", s.SwapRecord(ctx, "a", two, one, 0), grapnel.ErrConflict)
	wantError(t, "removing another text", s.SwapRecord(ctx, "a", two, nil, 0), grapnel.ErrConflict)
	wantRecord(t, s, "a", "one\x00\xff")
	must(t, s.SwapRecord(ctx, "a", []byte("one\x00\xff"), two, 0))
	wantRecord(t, s, "a", "two")

	must(t, s.SwapRecord(ctx, "a/*", nil, []byte("star"), time.Hour))
	must(t, s.SwapRecord(ctx, "a/b", nil, []byte("b"), 0))
	must(t, s.SwapRecord(ctx, "b", nil, []byte("b"), 0))
	for prefix, want := range map[string][]string{
		"": {"a", "a/*", "a/b", "b"}, "a": {"a", "a/*", "a/b"}, "a/": {"a/*", "a/b"}, "a/*": {"a/*"}, "c": {},
	} {
		got, err := s.Records(ctx, prefix)
		must(t, err)
		if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, want) {
			t.Errorf("prefix %q: got %q, want %q", prefix, keys, want)
		}
		if text, ok := got["a/*"]; ok && string(text) != "star" {
			t.Errorf("prefix %q: a/* is %q", prefix, text)
		}
	}
	if ids, err := s.SessionIDs(ctx, ""); err != nil || len(ids) > 0 {
		t.Errorf("records are among the sessions: %q, %v", ids, err)
	}
	must(t, s.SwapRecord(ctx, "a", two, nil, 0))
	_, err = s.Record(ctx, "a")
	wantError(t, "a removed record", err, grapnel.ErrNotFound)
	must(t, s.SwapRecord(ctx, "a", nil, one, 0))
}

func wantRecord(t *testing.T, s grapnel.Store, key, want string) {
	t.Helper()
	got, err := s.Record(t.Context(), key)
	must(t, err)
	if string(got) != want {
		t.Errorf("%s is %q, want %q", key, got, want)
	}
}

// recordsExpire: a ttl ends a record, and the last swap decides about it.
func recordsExpire(t *testing.T, s grapnel.Store) {
	ctx := t.Context()
	const ttl = 200 * time.Millisecond
	text := []byte("text")
	begun := time.Now()
	for _, key := range []string{"short", "kept", "renewed"} {
		must(t, s.SwapRecord(ctx, key, nil, text, ttl))
	}
	// On a machine that is busy they may have gone by now: then they are new.
	renew := func(key string, life time.Duration) {
		err := s.SwapRecord(ctx, key, text, text, life)
		if errors.Is(err, grapnel.ErrConflict) && time.Since(begun) > ttl {
			err = s.SwapRecord(ctx, key, nil, text, life)
		}
		must(t, err)
	}
	renew("kept", 0)
	renew("renewed", time.Hour)
	until(t, "a record expires", func() bool {
		_, err := s.Record(ctx, "short")
		return errors.Is(err, grapnel.ErrNotFound)
	})
	if e := time.Since(begun); e < ttl {
		t.Errorf("it expired after %v, before its ttl of %v", e, ttl)
	}
	wantError(t, "changing an expired record", s.SwapRecord(ctx, "short", text, text, 0), grapnel.ErrConflict)
	got, err := s.Records(ctx, "")
	must(t, err)
	if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, []string{"kept", "renewed"}) {
		t.Errorf("left are %v", keys)
	}
	must(t, s.SwapRecord(ctx, "short", nil, text, 0))
}

// recordsOneWins: of those who change a record at once, one does, and the
// others learn that they did not.
func recordsOneWins(t *testing.T, s grapnel.Store) {
	const writers, each = 8, 25
	must(t, s.SwapRecord(t.Context(), "n", nil, []byte("0"), 0))
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for done := 0; done < each; {
				switch err := increment(t.Context(), s); {
				case err == nil:
					done++
				case !errors.Is(err, grapnel.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	wantRecord(t, s, "n", fmt.Sprint(writers*each))
}

func increment(ctx context.Context, s grapnel.Store) error {
	old, err := s.Record(ctx, "n")
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(string(old))
	if err != nil {
		return err
	}
	return s.SwapRecord(ctx, "n", old, []byte(strconv.Itoa(n+1)), time.Hour)
}
