package store_test

import (
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/store"
	"github.com/grapnel-gateway/grapnel/store/storetest"
)

// open opens a store that is closed with the test.
func open(t testing.TB, url string) grapnel.Store {
	t.Helper()
	s, err := store.Open(url, store.Options{NodeSecret: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestMemory(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	storetest.Suite(t, func(t *testing.T) grapnel.Store { return open(t, "memory:") })
}

func TestEmbedded(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	storetest.Suite(t, func(t *testing.T) grapnel.Store { return open(t, "file:"+filepath.Join(t.TempDir(), "s.db")) })
}

func TestRedis(t *testing.T) {
	r := storetest.Redis(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	storetest.Suite(t, func(t *testing.T) grapnel.Store {
		r.Do("flushall")
		return open(t, r.URL())
	})
}

func TestRedisCluster(t *testing.T) {
	nodes := storetest.Cluster(t)
	part := 0
	storetest.Suite(t, func(t *testing.T) grapnel.Store {
		s := open(t, "redis+cluster://"+strings.Join(nodes, ","))
		if part++; part > 1 { // a cluster has no flushall of its own
			empty(t, s)
		}
		return s
	})
}

// empty removes what the suite leaves.
func empty(t *testing.T, s grapnel.Store) {
	t.Helper()
	ids, err := s.SessionIDs(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if err := s.DeleteSession(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	records, err := s.Records(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for key, text := range records {
		if err := s.SwapRecord(t.Context(), key, text, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"a", "b", "q", "key"} {
		if err := s.Forget(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRedisSentinel(t *testing.T) {
	r := storetest.Redis(t)
	sentinel := r.Sentinel("main")
	storetest.Suite(t, func(t *testing.T) grapnel.Store {
		r.Do("flushall")
		return open(t, "redis+sentinel://"+sentinel+"/main?db=0")
	})
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for url, want := range map[string]string{
		"":                             "no store is named",
		"file:":                        "names no file",
		filepath.Join(dir, "no/where"): "no such file or directory",
		dir:                            "is a directory",
		"http://x":                     `"http" is no kind of store`,
		"redis+proxy://x":              "no kind of Redis",
		"redis://":                     "a host is missing",
		"redis://a,b":                  "several hosts",
		"redis://a:b:c":                `"a:b:c" is not HOST:PORT`,
		"redis://a:":                   `"a:" is not HOST:PORT`,
		"redis://:1":                   `":1" is not HOST:PORT`,
		"redis://h/x":                  `the database is "x", not a number`,
		"redis://h?ca=x":               `the parameter "ca" is not known here`,
		"rediss://h?ca=/none":          "/none: no such file",
		"rediss://h?cert=/none":        "no such file",
		"rediss://h?skip_verify=maybe": "skip_verify",
		"redis://h?timeout=1":          "timeout",
		"redis://h?pool_size=-1":       "pool_size",
		"redis+sentinel://h":           "master's name is missing",
		"redis+cluster://h/1":          "only the database 0",
		"redis://u:pä%ss@h":            "percent-encoded",
	} {
		s, err := store.Open(url, store.Options{})
		if err == nil {
			_ = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "pä") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}
