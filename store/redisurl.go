package store

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// RedisOptions say which Redis, and how to reach it.
type RedisOptions struct {
	// Addrs are HOST:PORT: of the server, of the Sentinels when Master is
	// set, or of some nodes when Cluster is.
	Addrs   []string
	Master  string // the name by which the Sentinels know the master
	Cluster bool
	DB      int // the number of the database; clusters have only 0

	Username string // of the ACL; empty is "default"
	Password string
	// SentinelPassword is what the Sentinels ask for.
	SentinelPassword string

	TLS *RedisTLS // nil speaks in clear

	// PoolSize is how many connections there may be to each server; 0 is
	// ten for each CPU.
	PoolSize int
	// Timeout bounds every operation, the wait for a connection included;
	// 0 is one second.
	Timeout time.Duration
}

// RedisTLS says how a Redis is reached over TLS.
type RedisTLS struct {
	CA         string // file of the certificates to trust; empty is the system's
	Cert, Key  string // files of the certificate to show; empty shows none
	ServerName string // the name to expect; empty is the host's
	SkipVerify bool   // trusts whoever answers
}

// ParseRedis reads the URL of a Redis:
//
//	redis://[USER:PASSWORD@]HOST[:6379][/DB]
//	redis+sentinel://[USER:PASSWORD@]HOST[:26379],…/MASTER[?db=N&sentinel_password=S]
//	redis+cluster://[USER:PASSWORD@]HOST[:6379],…
//
// With rediss in place of redis they speak TLS, with the parameters ca, cert,
// key (files), server_name, and skip_verify=true. All take timeout (as 500ms)
// and pool_size. Errors never show the password.
func ParseRedis(text string) (RedisOptions, error) {
	o, err := parseRedis(text)
	if err != nil {
		return RedisOptions{}, fmt.Errorf("store: the Redis URL is not usable: %w", err)
	}
	return o, nil
}

func parseRedis(text string) (RedisOptions, error) {
	scheme, rest, _ := strings.Cut(text, "://")
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	user, hosts := "", authority
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		user, hosts = authority[:i+1], authority[i+1:]
	}
	// Only the first host is shown to the URL parser, which knows no lists.
	u, err := url.Parse(scheme + "://" + user + "host" + tail)
	if err != nil {
		return RedisOptions{}, errors.New("user, password or path have characters that must be percent-encoded")
	}
	o, kind := RedisOptions{Username: u.User.Username()}, strings.TrimPrefix(scheme, "redis")
	o.Password, _ = u.User.Password()
	if strings.HasPrefix(kind, "s") {
		kind, o.TLS = kind[1:], &RedisTLS{}
	}
	port, path := "6379", strings.Trim(u.Path, "/")
	switch {
	case !strings.HasPrefix(scheme, "redis"):
		return o, fmt.Errorf("%q is no kind of store; there are memory:, file:, redis://, rediss://, redis+sentinel:// and redis+cluster://", scheme)
	case kind == "":
		err = number(&o.DB, path, "the database")
	case kind == "+sentinel":
		port, o.Master = "26379", path
		if path == "" {
			err = errors.New("the master's name is missing: redis+sentinel://HOST/MASTER")
		}
	case kind == "+cluster":
		o.Cluster = true
		if path != "" && path != "0" {
			err = errors.New("a cluster has only the database 0")
		}
	default:
		err = fmt.Errorf("%q is no kind of Redis; there are redis, redis+sentinel and redis+cluster, and rediss for TLS", scheme)
	}
	if err != nil {
		return o, err
	}
	if o.Addrs, err = addresses(hosts, port, kind != ""); err != nil {
		return o, err
	}
	return o, o.query(u.Query())
}

// addresses splits a list of hosts and gives them a port.
func addresses(hosts, port string, many bool) ([]string, error) {
	list := strings.Split(hosts, ",")
	if len(list) > 1 && !many {
		return nil, errors.New("it names several hosts; write redis+sentinel:// or redis+cluster://")
	}
	for i, h := range list {
		if h == "" {
			return nil, errors.New("a host is missing")
		}
		if bare := strings.Trim(h, "[]"); bare != h && strings.HasSuffix(h, "]") || !strings.Contains(h, ":") {
			list[i] = net.JoinHostPort(bare, port)
			continue
		}
		host, number, err := net.SplitHostPort(h)
		if _, bad := strconv.ParseUint(number, 10, 16); err != nil || bad != nil || host == "" {
			return nil, fmt.Errorf("%q is not HOST:PORT", h)
		}
	}
	return list, nil
}

// query takes the parameters of the URL.
func (o *RedisOptions) query(q url.Values) error {
	for name, values := range q {
		value := values[len(values)-1]
		files := map[string]*string{}
		if o.TLS != nil {
			files = map[string]*string{"ca": &o.TLS.CA, "cert": &o.TLS.Cert, "key": &o.TLS.Key, "server_name": &o.TLS.ServerName}
		}
		var err error
		switch field := files[name]; {
		case field != nil:
			*field = value
		case name == "skip_verify" && o.TLS != nil:
			o.TLS.SkipVerify, err = strconv.ParseBool(value)
		case name == "db" && !o.Cluster:
			err = number(&o.DB, value, "db")
		case name == "sentinel_password" && o.Master != "":
			o.SentinelPassword = value
		case name == "pool_size":
			err = number(&o.PoolSize, value, "pool_size")
		case name == "timeout":
			o.Timeout, err = time.ParseDuration(value)
		default:
			return fmt.Errorf("the parameter %q is not known here", name)
		}
		if err != nil {
			return fmt.Errorf("the parameter %q: %w", name, err)
		}
	}
	return nil
}

// number reads an optional natural number.
func number(to *int, text, what string) error {
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return fmt.Errorf("%s is %q, not a number", what, text)
	}
	*to = n
	return nil
}

// config reads the files that TLS needs.
func (t *RedisTLS) config() (*tls.Config, error) {
	if t == nil {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName, InsecureSkipVerify: t.SkipVerify}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", t.CA)
		}
	}
	if t.Cert == "" && t.Key == "" {
		return c, nil
	}
	pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		return nil, err
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}
