package store_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/store"
)

// fileToWrite makes the test binary a process that writes to a store until it
// is killed.
const fileToWrite = "GRAPNEL_TEST_WRITE"

const (
	killedWriters = 4
	manyUses      = 1 << 40
)

func TestMain(m *testing.M) {
	if path := os.Getenv(fileToWrite); path != "" {
		fmt.Fprintln(os.Stderr, write(path, os.Getenv(fileToWrite+"_ROUND")))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// write puts sessions and spends quotas, and prints what was acknowledged.
func write(path, round string) error {
	ctx := context.Background()
	s, err := store.Open(path, store.Options{})
	if err != nil {
		return err
	}
	failed := make(chan error)
	for w := range killedWriters {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("r%s-w%d-%d", round, w, i)
				if err := s.PutSession(ctx, id, &grapnel.Session{Alias: id, Tags: []string{strings.Repeat("t", 100)}}, time.Hour); err != nil {
					failed <- err
				}
				if i%3 != 2 {
					fmt.Printf("put %s\n", id)
				} else {
					if err := s.DeleteSession(ctx, id); err != nil {
						failed <- err
					}
					fmt.Printf("deleted %s\n", id)
				}
				document := fmt.Sprintf("%s%04d", round, i)
				if err := s.PutDocument(ctx, "apis", fmt.Sprintf("w%d", w), []byte(document)); err != nil {
					failed <- err
				}
				fmt.Printf("document w%d %s\n", w, document)
			}
		}()
		go func() {
			for {
				u, err := s.Spend(ctx, "quota", manyUses, 0)
				if err != nil {
					failed <- err
				}
				fmt.Printf("spent %d\n", u.Used)
				time.Sleep(time.Millisecond) // leaves the processor to the others
			}
		}()
	}
	return <-failed
}

// acked is what a killed process had been told.
type acked struct {
	sessions  map[string]bool // whether it must be there
	documents map[string]string
	spent     int64
	lines     int
}

// round lets a process write for a moment, kills it, and reads what it printed.
func round(t *testing.T, path string, n int) acked {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fileToWrite+"="+path, fmt.Sprintf("%s_ROUND=%03d", fileToWrite, n))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var kill sync.Once
	got, lines := acked{sessions: map[string]bool{}, documents: map[string]string{}}, bufio.NewScanner(out)
	for lines.Scan() {
		kill.Do(func() { // the store is open: somewhere within the next moment
			time.AfterFunc(time.Duration(rand.IntN(30_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		})
		var used int64
		switch f := strings.Fields(lines.Text()); {
		case len(f) == 2 && f[0] == "put":
			got.sessions[f[1]] = true
		case len(f) == 2 && f[0] == "deleted":
			got.sessions[f[1]] = false
		case len(f) == 3 && f[0] == "document":
			got.documents[f[1]] = f[2]
		case len(f) == 2 && f[0] == "spent":
			if _, err := fmt.Sscan(f[1], &used); err == nil {
				got.spent = max(got.spent, used)
			}
		}
		got.lines++
	}
	_ = cmd.Wait()
	return got
}

// TestEmbeddedSurvivesKill: a hundred times a process is killed in the middle of
// its writes, and the next one finds everything that had been acknowledged.
func TestEmbeddedSurvivesKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	before, lines := int64(0), 0
	all := map[string]bool{}
	for n := range 100 {
		got := round(t, path, n)
		lines += got.lines
		s, err := store.Open(path, store.Options{})
		if err != nil {
			t.Fatalf("round %d: %v", n, err)
		}
		for id, there := range got.sessions {
			all[id] = there
			checkSession(t, s, id, there)
		}
		documents, err := s.Documents(t.Context(), "apis")
		if err != nil {
			t.Fatal(err)
		}
		for id, document := range got.documents {
			if string(documents[id]) < document { // a later one may have been written, and not printed
				t.Errorf("round %d: document %s is %q, acknowledged was %q", n, id, documents[id], document)
			}
		}
		u, err := s.Usage(t.Context(), "quota")
		if err != nil {
			t.Fatal(err)
		}
		// Each writer may have spent one more than it could print.
		if want := max(before, got.spent); u.Used < want || u.Used > want+killedWriters {
			t.Errorf("round %d: the quota says %d, acknowledged were %d", n, u.Used, want)
		}
		before = u.Used
		if n == 99 {
			for id, there := range all {
				checkSession(t, s, id, there)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if lines < 1000 {
		t.Errorf("only %d writes were acknowledged in all: the test shows nothing", lines)
	}
	t.Logf("%d acknowledged writes, %d sessions, %d spent", lines, len(all), before)
}

func checkSession(t *testing.T, s grapnel.Store, id string, there bool) {
	t.Helper()
	got, err := s.Session(t.Context(), id)
	if there != (err == nil) && there {
		t.Errorf("%s was acknowledged and is gone: %v", id, err)
	}
	if !there && err == nil {
		t.Errorf("%s was deleted and is back", id)
	}
	if err == nil && got.Alias != id {
		t.Errorf("%s holds %q", id, got.Alias)
	}
}
