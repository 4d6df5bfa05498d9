package tyk

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/store"
)

// TestStorage translates storage into the URL of a store, which the store
// understands [6.3, L-54].
func TestStorage(t *testing.T) {
	for storage, want := range map[string]struct {
		url   string
		redis store.RedisOptions
	}{
		`{}`:                 {url: "memory:"},
		`{"type": "memory"}`: {url: "memory:"},
		`{"type": "redis"}`:  {"redis://localhost:6379/0", store.RedisOptions{Addrs: []string{"localhost:6379"}}},
		`{"type": "redis", "host": "r", "port": 7, "database": 3, "timeout": 2, "optimisation_max_active": 50}`: {
			"redis://r:7/3?pool_size=50&timeout=2s", store.RedisOptions{Addrs: []string{"r:7"}, DB: 3, PoolSize: 50, Timeout: 2e9},
		},
		`{"type": "redis", "host": "::1", "username": "u", "password": "a@b:/c d"}`: {
			"redis://u:a%40b%3A%2Fc%20d@[::1]:6379/0", store.RedisOptions{Addrs: []string{"[::1]:6379"}, Username: "u", Password: "a@b:/c d"},
		},
		`{"type": "redis", "host": "r", "password": "env://REDIS_PASSWORD"}`: {
			"redis://:from-env@r:6379/0", store.RedisOptions{Addrs: []string{"r:6379"}, Password: "from-env"},
		},
		`{"type": "redis", "hosts": {"a": "1", "b": "2"}, "enable_cluster": true}`: {
			"redis+cluster://a:1,b:2", store.RedisOptions{Addrs: []string{"a:1", "b:2"}, Cluster: true},
		},
		`{"type": "redis", "addrs": ["a:1", "b:2"], "host": "not", "master_name": "my/master", "sentinel_password": "s&p", "password": "p", "database": 4}`: {
			"redis+sentinel://:p@a:1,b:2/my%2Fmaster?db=4&sentinel_password=s%26p",
			store.RedisOptions{Addrs: []string{"a:1", "b:2"}, Master: "my/master", SentinelPassword: "s&p", Password: "p", DB: 4},
		},
		`{"type": "redis", "host": "r", "use_ssl": true, "ssl_insecure_skip_verify": true, "ca_file": "/ca.pem", "cert_file": "/c.pem", "key_file": "/k.pem"}`: {
			"rediss://r:6379/0?ca=%2Fca.pem&cert=%2Fc.pem&key=%2Fk.pem&skip_verify=true",
			store.RedisOptions{Addrs: []string{"r:6379"}, TLS: &store.RedisTLS{CA: "/ca.pem", Cert: "/c.pem", Key: "/k.pem", SkipVerify: true}},
		},
		`{"type": "redis", "addrs": ["a:1"], "enable_cluster": true, "use_ssl": true}`: {
			"rediss+cluster://a:1", store.RedisOptions{Addrs: []string{"a:1"}, Cluster: true, TLS: &store.RedisTLS{}},
		},
	} {
		c, _ := load(t, setup(t, `{"storage": `+storage+`}`, nil), "REDIS_PASSWORD=from-env")
		if c.Store != want.url {
			t.Errorf("%s:\n%s, want\n%s", storage, c.Store, want.url)
			continue
		}
		if want.url == memoryStore {
			continue
		}
		got, err := store.ParseRedis(c.Store)
		if err != nil {
			t.Errorf("%s: %v", storage, err)
		}
		if diff := cmp.Diff(want.redis, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", storage, diff)
		}
	}
	_, notices := load(t, setup(t, `{}`, nil))
	expectTold(t, notices, slog.LevelWarn, "storage: there is none: ")
	c, notices := load(t, setup(t, `{"storage": {"type": "redis", "addrs": ["a:1", "b:2"]}}`, nil))
	if c.Store != "redis://a:1/0" {
		t.Errorf("store %s", c.Store)
	}
	expectTold(t, notices, slog.LevelWarn, "storage.addrs: only a:1 is used")
}

// TestStorageEnvironment: where a container is told of its Redis [G-3].
func TestStorageEnvironment(t *testing.T) {
	c, notices := load(t, setup(t, `{"storage": {"type": "redis", "host": "file"}}`, nil),
		"TYK_GW_STORAGE_HOST=redis", "TYK_GW_STORAGE_PORT=7", "TYK_GW_STORAGE_PASSWORD=p", "TYK_GW_STORAGE_DATABASE=2",
		"TYK_GW_HASHKEYS=true", "TYK_GW_HASHKEYFUNCTION=murmur128", "TYK_GW_HASHKEYFUNCTIONFALLBACK=murmur64,sha256", "TYK_GW_POLICIES_POLICYSOURCE=file",
		"TYK_GW_NODESECRET=n", "TYK_GW_ALLOWINSECURECONFIGS=true")
	if c.Store != "redis://:p@redis:7/2" {
		t.Errorf("store %s", c.Store)
	}
	if diff := cmp.Diff([]string{"murmur128", "murmur64"}, c.Keys.Legacy); diff != "" || !c.Keys.Hash {
		t.Errorf("keys %+v", c.Keys)
	}
	if c.NodeSecret != "n" || !c.AllowInsecure { // [Z-20]
		t.Errorf("node secret %q, insecure %v", c.NodeSecret, c.AllowInsecure)
	}
	for _, n := range notices {
		if n.File == "environment" {
			t.Error(n)
		}
	}
	c, _ = load(t, setup(t, `{"storage": {"type": "redis"}}`, nil), "TYK_GW_STORAGE_ADDRS=a:1,b:2", "TYK_GW_STORAGE_ENABLECLUSTER=true", "TYK_GW_STORAGE_USESSL=true")
	if c.Store != "rediss+cluster://a:1,b:2" {
		t.Errorf("store %s", c.Store)
	}
}

// TestKeyRules: sha256 is written, the hashes that the set-up names are read
// [S-60…S-64].
func TestKeyRules(t *testing.T) {
	rules := func(change func(*grapnel.KeyRules)) grapnel.KeyRules {
		k := grapnel.KeyRules{MinLength: 3, CacheFor: 10 * second}
		change(&k)
		return k
	}
	for conf, want := range map[string]grapnel.KeyRules{
		`{}`: rules(func(*grapnel.KeyRules) {}),
		`{"hash_keys": true, "min_token_length": 8, "allow_master_keys": true, "enable_hashed_keys_listing": true}`: rules(func(k *grapnel.KeyRules) {
			k.Hash, k.MinLength, k.Unrestricted, k.List = true, 8, true, true
		}),
		`{"hash_keys": true, "hash_key_function": "sha256"}`: rules(func(k *grapnel.KeyRules) { k.Hash, k.Function = true, "sha256" }),
		`{"hash_keys": true, "hash_key_function": "murmur64", "hash_key_function_fallback": ["murmur128", "sha256", "murmur64", "murmur32"]}`: rules(func(k *grapnel.KeyRules) {
			k.Hash, k.Function, k.Legacy = true, "murmur64", []string{"murmur64", "murmur128", "murmur32"}
		}),
		`{"hash_key_function": "md5", "hash_key_function_fallback": ["crc"]}`: rules(func(k *grapnel.KeyRules) {
			k.Function, k.Legacy = "murmur64", []string{"murmur64"}
		}),
		`{"local_session_cache": {"disable_cached_session_state": true}}`: rules(func(k *grapnel.KeyRules) { k.CacheFor = 0 }),
	} {
		c, _ := load(t, setup(t, conf, nil))
		if diff := cmp.Diff(want, c.Keys); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", conf, diff)
		}
	}
	_, notices := load(t, setup(t, `{"hash_key_function": "md5", "hash_key_function_fallback": ["murmur64", "crc"]}`, nil))
	expectTold(t, notices, slog.LevelWarn, `hash_key_function: there is no hash "md5": murmur64 is used`)
	expectTold(t, notices, slog.LevelWarn, `hash_key_function_fallback[1]: has no effect`)
}

// TestBrokenHash: who has keys read under the original's murmur32 is told what
// it does, and who has not, that they are not found [S-62a, S-62b].
func TestBrokenHash(t *testing.T) {
	const redis = `"storage": {"type": "redis"}`
	for conf, want := range map[string]string{
		`{"hash_keys": true, "hash_key_function": "murmur32"}`:                                           "are read",
		`{"hash_keys": true, "hash_key_function": "sha256", "hash_key_function_fallback": ["murmur32"]}`: "are read",
		`{"hash_keys": true, ` + redis + `}`:                                                             "are not found",
		`{"hash_keys": true, "hash_key_function": "murmur64", ` + redis + `}`:                            "are not found",
		`{"hash_keys": true}`:                              "",
		`{"hash_key_function": "murmur32", ` + redis + `}`: "",
	} {
		_, notices := load(t, setup(t, conf, nil))
		if want == "" {
			for _, n := range notices {
				if n.Path == "hash_keys" {
					t.Errorf("%s: %s", conf, n)
				}
			}
			continue
		}
		expectTold(t, notices, slog.LevelWarn, "hash_keys: ", want, "S-62a")
	}
}

// TestPolicyPath: a folder goes before a file; what is not there is no error, as
// in the original [S-10].
func TestPolicyPath(t *testing.T) {
	path := setup(t, `{}`, nil)
	dir := filepath.Dir(path)
	folder, file := filepath.Join(dir, "pol"), filepath.Join(dir, "policies.json")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, file, "{}")
	for policies, want := range map[string]string{
		`{}`:                        "",
		`{"policy_source": "file"}`: "",
		`{"policy_source": "file", "policy_path": "pol", "policy_record_name": "policies.json"}`: folder,
		`{"policy_path": "` + folder + `"}`:                                 folder,
		`{"policy_source": "file", "policy_record_name": "policies.json"}`:  file,
		`{"policy_path": "nowhere", "policy_record_name": "policies.json"}`: "",
		`{"policy_record_name": "nowhere.json"}`:                            "",
	} {
		write(t, path, `{"policies": `+policies+`}`)
		c, notices := load(t, path)
		if c.PolicyPath != want {
			t.Errorf("%s: %q, want %q", policies, c.PolicyPath, want)
		}
		if strings.Contains(policies, "nowhere") {
			expectTold(t, notices, slog.LevelWarn, "policies.policy_", "there are no policies")
		}
		if want == "" {
			continue
		}
		files, err := Source{Path: path}.Files()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{path, filepath.Join(dir, "apps"), want}, files); diff != "" {
			t.Errorf("%s: %s", policies, diff)
		}
	}
}
