package docs_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel/keys"
	"github.com/grapnel-gateway/grapnel/store/storetest"
	"github.com/grapnel-gateway/grapnel/test/program"
)

// The page shows what check says about testdata/tyk.
func TestMigrationCheck(t *testing.T) {
	shown := blocks(document(t, "migrating-from-tyk.md"), "console")[0]
	_, want, _ := strings.Cut(shown, "\n")
	dir, err := filepath.Abs("testdata/tyk")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program.Path(t, "grapnel"), "check", "--tyk-conf", filepath.Join(dir, "tyk.conf")).CombinedOutput()
	if err == nil {
		t.Error("definitions that cannot be served are no error")
	}
	if diff := cmp.Diff(want, strings.ReplaceAll(string(out), dir, "/opt/tyk-gateway")); diff != "" {
		t.Errorf("-page +check\n%s", diff)
	}
}

// The page's set-up with the key grapnel is one that can be served as it is.
func TestMigrationExtension(t *testing.T) {
	shown, dir := blocks(document(t, "migrating-from-tyk.md"), "json"), t.TempDir()
	if len(shown) != 2 {
		t.Fatalf("%d blocks of JSON", len(shown))
	}
	if err := os.Mkdir(filepath.Join(dir, "apps"), 0o700); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"tyk.conf", "apps/orders.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(shown[i]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(program.Path(t, "grapnel"), "check", "--tyk-conf", filepath.Join(dir, "tyk.conf")).CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "ok: 1 APIs") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A sideBySide is the Redis of an original gateway, and ours that serves its
// set-up.
type sideBySide struct {
	redis *storetest.Server
	url   string // of the API for members
}

func newSideBySide(t *testing.T, conf map[string]any) *sideBySide {
	t.Helper()
	up := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(up.Close)
	r, dir, addr := storetest.Redis(t), t.TempDir(), program.FreeAddr(t)
	host, port, _ := strings.Cut(r.Addr(), ":")
	conf["storage"] = map[string]any{"type": "redis", "host": host, "port": json.Number(port)}
	conf["app_path"] = filepath.Join(dir, "apps")
	definition, err := os.ReadFile("testdata/tyk/apps/members.json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(conf)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "apps"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"tyk.conf": string(text), "apps/members.json": strings.ReplaceAll(string(definition), "http://127.0.0.1:9000", up.URL),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program.Start(t, addr, "run", "--tyk-conf", filepath.Join(dir, "tyk.conf"), "--listen", addr)
	return &sideBySide{r, "http://" + addr + "/members/"}
}

// ask calls the API with a key.
func (s *sideBySide) ask(t *testing.T, key string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", key)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func (s *sideBySide) get(command ...string) string { return strings.TrimSpace(s.redis.Do(command...)) }

// The page's table of keys: which of the original's keys are found, under what
// they are afterwards, and who counts their quota [S-62b, Z-1, Z-4].
func TestKeysOfTheOriginal(t *testing.T) {
	for _, c := range []struct {
		name, function string // that the key names
		conf           map[string]any
		found, shared  bool // the entry that the original reads and counts
		kept           bool // the original's entry is still there
	}{
		{"hash_keys off", "", map[string]any{}, true, true, true},
		{"sha256", "sha256", map[string]any{"hash_keys": true, "hash_key_function": "sha256"}, true, true, true},
		{"murmur64", "murmur64", map[string]any{"hash_keys": true, "hash_key_function": "murmur64"}, true, false, true},
		{"murmur128 as a fallback", "murmur128", map[string]any{"hash_keys": true, "hash_key_function": "sha256", "hash_key_function_fallback": []string{"murmur128"}}, true, false, true},
		{"murmur64, not named", "murmur64", map[string]any{"hash_keys": true}, false, false, true},
		{"murmur32, not named", "", map[string]any{"hash_keys": true}, false, false, true},
		{"murmur32", "", map[string]any{"hash_keys": true, "hash_key_function_fallback": []string{"murmur32"}}, true, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSideBySide(t, c.conf)
			key := keys.Token("shop", "0123456789abcdef", c.function)
			id := key
			if c.conf["hash_keys"] == true {
				id, _ = keys.Hash(keys.Algorithm(key), key)
			}
			s.redis.Do("set", "apikey-"+id, `{"org_id": "shop", "quota_max": 9, "quota_renewal_rate": 3600, "quota_remaining": 9, "unknown": [1]}`)
			s.redis.Do("set", "quota-"+id, "5", "ex", "3600")
			want := http.StatusForbidden
			if c.found {
				want = http.StatusOK
			}
			if got := s.ask(t, key); got != want {
				t.Fatalf("the key is answered with %d, want %d", got, want)
			}
			if kept := s.get("exists", "apikey-"+id) == "1"; kept != c.kept {
				t.Errorf("the original's entry is there: %v, want %v", kept, c.kept)
			}
			if shared := s.get("get", "quota-"+id) == "6"; shared != c.shared {
				t.Errorf("the original's count goes on: %v, want %v", shared, c.shared)
			}
			if own, _ := keys.Hash("sha256", key); c.found && !c.shared {
				if stored := s.get("get", "apikey-"+own); !strings.Contains(stored, `"unknown":[1]`) {
					t.Errorf("under SHA-256 there is %q", stored) // [Z-23]
				}
			}
			if windows := s.get("keys", "rate-limit-"+id); windows != "" {
				t.Errorf("the original's windows are written: %s", windows)
			}
		})
	}
}
