package tyk

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// The hashes that keys of the original are stored under [S-61].
const (
	hashMurmur32 = "murmur32"
	hashMurmur64 = "murmur64"
	hashSHA256   = "sha256"
)

const (
	memoryStore      = "memory:"
	defaultMinLength = 3                // of a key [S-64]
	sessionCacheFor  = 10 * time.Second // [C-16]
	defaultRedisPort = 6379
)

// storage translates what is kept, and where.
type storage struct{ *loading }

// store names the store: the Redis of the set-up, or this process's memory where
// it has none [L-54].
func (l storage) store() (string, error) {
	s := l.conf.Storage
	switch {
	case s.Type == "memory":
		return memoryStore, nil
	case reflect.ValueOf(s).IsZero():
		l.warn("storage", "there is none: keys and counters are in the memory of this process, and gone with it [L-54]")
		return memoryStore, nil
	case s.Type != "redis":
		return "", fmt.Errorf("storage.type: %q is neither redis nor memory", s.Type)
	}
	var err error
	if s.Password, err = l.references().follow(s.Password); err != nil {
		return "", fmt.Errorf("storage.password: %w", err)
	}
	if s.SentinelPassword, err = l.references().follow(s.SentinelPassword); err != nil {
		return "", fmt.Errorf("storage.sentinel_password: %w", err)
	}
	return l.redis(s), nil
}

// redis writes the URL of a Redis.
func (l storage) redis(s confStorage) string {
	scheme, path, query := "redis", "", url.Values{}
	set := func(name, value string) {
		if value != "" {
			query.Set(name, value)
		}
	}
	if s.UseSSL {
		scheme = "rediss"
		l.redisFiles(s, set)
	}
	hosts := s.addresses()
	switch {
	case s.MasterName != "":
		scheme += "+sentinel"
		path = "/" + url.PathEscape(s.MasterName)
		set("sentinel_password", s.SentinelPassword)
		if s.Database != 0 {
			set("db", strconv.Itoa(s.Database))
		}
	case s.EnableCluster:
		scheme += "+cluster"
	default:
		if len(hosts) > 1 {
			l.warn("storage.addrs", "only %s is used: there is neither master_name nor enable_cluster", hosts[0])
		}
		hosts, path = hosts[:1], "/"+strconv.Itoa(s.Database)
	}
	if s.Timeout > 0 {
		set("timeout", (time.Duration(s.Timeout) * time.Second).String())
	}
	if s.MaxActive > 0 {
		set("pool_size", strconv.Itoa(s.MaxActive))
	}
	user := ""
	if s.Username != "" || s.Password != "" {
		user = url.UserPassword(s.Username, s.Password).String() + "@"
	}
	text := scheme + "://" + user + strings.Join(hosts, ",") + path
	if len(query) > 0 {
		text += "?" + query.Encode()
	}
	return text
}

// redisFiles sets what TLS needs.
func (l storage) redisFiles(s confStorage, set func(name, value string)) {
	for name, file := range map[string]string{"ca": s.CAFile, "cert": s.CertFile, "key": s.KeyFile} {
		if file != "" {
			file, _ = l.locate(file)
		}
		set(name, file)
	}
	if s.SSLInsecureSkipVerify {
		set("skip_verify", "true")
	}
}

// addresses are the servers, in the order in which the original looks for them.
func (s *confStorage) addresses() []string {
	if len(s.Addrs) > 0 {
		return s.Addrs
	}
	var list []string
	for _, host := range slices.Sorted(maps.Keys(s.Hosts)) {
		list = append(list, net.JoinHostPort(host, s.Hosts[host]))
	}
	if len(list) > 0 {
		return list
	}
	return []string{net.JoinHostPort(cmp.Or(s.Host, "localhost"), strconv.Itoa(cmp.Or(s.Port, defaultRedisPort)))}
}

// keys says how keys are stored and found. What is written is hashed with
// SHA-256; the hashes that the set-up names are read [S-62b].
func (l storage) keys() grapnel.KeyRules {
	c := l.conf
	k := grapnel.KeyRules{
		Hash: c.HashKeys, Function: l.hash("hash_key_function", c.HashKeyFunction, hashMurmur64),
		MinLength: orDefault(c.MinTokenLength, defaultMinLength), Unrestricted: c.AllowMasterKeys, List: c.EnableHashedKeysListing,
		CacheFor: grapnel.Duration(sessionCacheFor),
	}
	if c.LocalSessionCache.DisableCacheSessionState {
		k.CacheFor = 0
	}
	for i, name := range append([]string{k.Function}, c.HashKeyFunctionFallback...) {
		if i > 0 {
			name = l.hash(fmt.Sprintf("hash_key_function_fallback[%d]", i-1), name, "")
		}
		if name != "" && name != hashSHA256 && !slices.Contains(k.Legacy, name) {
			k.Legacy = append(k.Legacy, name)
		}
	}
	l.warnOfHashes(k)
	return k
}

// hash checks the name of a hash. One that does not exist becomes what the
// original makes of it.
func (l storage) hash(path, name, otherwise string) string {
	if slices.Contains([]string{"", hashMurmur32, hashMurmur64, "murmur128", hashSHA256}, name) {
		return name
	}
	if otherwise == "" {
		l.warn(path, "has no effect: there is no hash %q", name)
	} else {
		l.warn(path, "there is no hash %q: %s is used, as in the original", name, otherwise)
	}
	return otherwise
}

// warnOfHashes tells what the broken hash of the original does to keys, or that
// keys stored under it are not found.
func (l storage) warnOfHashes(k grapnel.KeyRules) {
	const broken = "the original's murmur32 leaves out up to three bytes at the end of a key, so that keys which differ only there are one [S-62a]"
	switch {
	case !k.Hash:
	case slices.Contains(k.Legacy, hashMurmur32):
		l.warn("hash_keys", "keys stored under murmur32 are read: %s. The first of them that comes takes the session, and is stored under sha256 from then on", broken)
	case l.conf.Storage.Type == "redis":
		l.warn("hash_keys", "keys that the original stored under murmur32 are not found: those that name no hash of their own. "+
			"Name murmur32 in hash_key_function_fallback to have them read; but %s", broken)
	}
}

// policies finds the file or folder of policies, and the folder that the control
// API may write to [S-10, R-51].
func (l storage) policies() (path, folder string, err error) {
	p := l.conf.Policies
	if p.PolicySource == "service" || p.PolicySource == "rpc" {
		return "", "", fmt.Errorf("policies.policy_source: %q: the policies are on another system, which this gateway cannot ask; put them into policy_path", p.PolicySource)
	}
	if p.PolicyPath != "" {
		folder, found := l.locate(p.PolicyPath)
		if !found {
			l.warn("policies.policy_path", "there is no folder %s: there are no policies", folder)
			return "", folder, nil
		}
		return folder, folder, nil
	}
	if p.PolicyRecordName == "" {
		return "", "", nil
	}
	path, found := l.locate(p.PolicyRecordName)
	if !found {
		l.warn("policies.policy_record_name", "there is no file %s: there are no policies", path)
		return "", "", nil
	}
	return path, "", nil
}
