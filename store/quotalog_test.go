package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func loadInto(m map[string]quota) func(string, quota) {
	return func(key string, q quota) { m[key] = q }
}

// TestQuotaLogCutAnywhere: wherever a process died while it wrote, what was
// whole before is read, and the log goes on from there.
func TestQuotaLogCutAnywhere(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, "q")
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		l, err := openQuotaLog(path, loadInto(map[string]quota{}))
		if err != nil {
			t.Fatal(err)
		}
		ends := []int64{0}
		count := rapid.IntRange(1, 20).Draw(t, "records")
		for i := range count {
			if err := l.append(fmt.Sprintf("key%d", i%3), quota{used: int64(i + 1)}); err != nil {
				t.Fatal(err)
			}
			ends = append(ends, l.end)
		}
		if err := l.close(); err != nil {
			t.Fatal(err)
		}
		cut := rapid.Int64Range(0, ends[count]).Draw(t, "cut")
		if err := os.Truncate(path, cut); err != nil {
			t.Fatal(err)
		}
		whole := 0
		for whole < count && ends[whole+1] <= cut {
			whole++
		}
		got := map[string]quota{}
		l, err = openQuotaLog(path, loadInto(got))
		if err != nil {
			t.Fatal(err)
		}
		defer l.close()
		for i := max(0, whole-3); i < whole; i++ {
			if key := fmt.Sprintf("key%d", i%3); got[key].used != int64(i+1) {
				t.Fatalf("%s has used %d, want %d", key, got[key].used, i+1)
			}
		}
		if l.end != ends[whole] || len(got) != min(3, whole) {
			t.Fatalf("%d keys up to %d, want %d up to %d", len(got), l.end, min(3, whole), ends[whole])
		}
	})
}

// TestQuotaLogRewritten: a log that has grown is written anew while counting
// goes on, and nothing is lost.
func TestQuotaLogRewritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "q")
	l, err := openQuotaLog(path, loadInto(map[string]quota{}))
	if err != nil {
		t.Fatal(err)
	}
	const keys, each = 8, 20_000
	var all sync.WaitGroup
	for k := range keys {
		all.Go(func() {
			for i := range each {
				if err := l.append(fmt.Sprintf("key%d", k), quota{used: int64(i + 1)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		if err := l.tidy(); err != nil {
			t.Fatal(err)
		}
	}
	err = errors.Join(
		l.append("gone", quota{used: 1}), l.append("gone", quota{}),
		l.append("renewed", quota{used: 1, renews: time.Now().Add(-time.Second).UnixNano()}),
		l.close(),
	)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if most := int64(keys * each * (recordHead + 4) / 2); info.Size() > most {
		t.Errorf("the log has %d bytes: it was never written anew", info.Size())
	}
	got := map[string]quota{}
	l, err = openQuotaLog(path, loadInto(got))
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	for k := range keys {
		if got[fmt.Sprintf("key%d", k)].used != each {
			t.Errorf("key%d: %+v", k, got[fmt.Sprintf("key%d", k)])
		}
	}
	if len(got) != keys {
		t.Errorf("%d keys, want %d", len(got), keys)
	}
}

// TestQuotaNotCountedWithoutLog: a count that cannot be kept is not given out.
func TestQuotaNotCountedWithoutLog(t *testing.T) {
	l, err := openQuotaLog(filepath.Join(t.TempDir(), "q"), loadInto(map[string]quota{}))
	if err != nil {
		t.Fatal(err)
	}
	q := newQuotas(l.append)
	if _, err := q.spend("a", 5, 0); err != nil {
		t.Fatal(err)
	}
	if err := l.file.Close(); err != nil { // as a disk that fails
		t.Fatal(err)
	}
	if _, err := q.spend("a", 5, 0); err == nil {
		t.Error("a count was given out that is nowhere written")
	}
	if got := q.usage("a").Used; got != 1 {
		t.Errorf("used are %d, want 1", got)
	}
}
