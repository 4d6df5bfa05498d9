package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/pki"
	"github.com/grapnel-gateway/grapnel/upstream/h1"
)

// What holds for connections to upstreams, whoever makes them.
const (
	dialTimeout      = 30 * time.Second
	handshakeTimeout = 10 * time.Second
	// An upstream that ignores Expect: 100-continue gets the body anyway,
	// after this time.
	continueTimeout = time.Second
	idleTimeout     = 90 * time.Second
	// One more than that many at once, and each costs a handshake.
	maxIdlePerHost = 1024
	maxHeader      = 1 << 20
)

// A client sends requests upstream and keeps connections for the next ones.
type client interface {
	http.RoundTripper
	CloseIdleConnections()
}

// Transports hold the connections to all upstreams. APIs with equal settings
// share theirs, across reloads too. It is for use by several goroutines.
type Transports struct {
	log  *slog.Logger
	mu   sync.Mutex
	open map[settings]client
}

// settings are what makes one client differ from another.
type settings struct {
	protocol protocol
	insecure bool // any certificate will do
	tls      grapnel.UpstreamTLS
	roots    string // what is in the file of authorities, which may change between reloads
}

// A protocol says which versions of HTTP a client speaks.
type protocol int

const (
	anyHTTP    protocol = iota // HTTP/1.1, and HTTP/2 where TLS agrees on it
	onlyHTTP1                  // HTTP/1.1, with or without TLS
	clearHTTP2                 // HTTP/2 without TLS, known beforehand
	direct                     // HTTP/1.1 by way of the gateway's own client
)

// NewTransports makes an empty set, which logs that files were read again.
func NewTransports(log *slog.Logger) *Transports {
	return &Transports{log: log, open: map[settings]client{}}
}

// Close closes the connections that are not in use. Those in use are closed
// after the exchange.
func (t *Transports) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.open {
		c.CloseIdleConnections()
	}
}

// choose gives the stage of an API its clients: for http, for https, and for the
// upgrades of https to other protocols. Unless the API says that the upstream is
// asked directly, one behind TLS may want to speak HTTP/2.
func (t *Transports) choose(api *grapnel.API, s *stage) error {
	how := settings{insecure: api.InsecureSkipVerify, tls: api.TLS}
	if api.TLS.CA != "" {
		text, err := os.ReadFile(api.TLS.CA)
		if err != nil {
			return fmt.Errorf("upstream_tls: %w", err)
		}
		how.roots = string(text)
	}
	var failed error
	get := func(p protocol) client {
		how.protocol = p
		c, err := t.get(how)
		if err != nil {
			failed = err
		}
		return c
	}
	own := get(direct)
	s.plain, s.secure, s.upgrades = own, own, own
	switch api.Client {
	case grapnel.ClientDirect:
	case grapnel.ClientStandard:
		s.secure = get(anyHTTP)
		s.plain, s.upgrades = s.secure, get(onlyHTTP1)
	default:
		s.secure = get(anyHTTP)
	}
	how = settings{} // there is nothing to secure
	s.clear2 = get(clearHTTP2)
	return failed
}

func (t *Transports) get(s settings) (client, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.open[s]; c != nil {
		return c, nil
	}
	c, err := t.newClient(s)
	if err != nil {
		return nil, err
	}
	t.open[s] = c
	return c, nil
}

// secure is how connections with these settings are secured.
func (t *Transports) secure(s settings) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.insecure, ServerName: s.tls.ServerName}
	if s.roots != "" {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(s.roots)) {
			return nil, fmt.Errorf("upstream_tls: %s: there is no certificate in it", s.tls.CA)
		}
	}
	if s.tls.Cert != "" {
		pair, err := pki.Pair(s.tls.Cert, s.tls.Key, t.log)
		if err != nil {
			return nil, fmt.Errorf("upstream_tls: %w", err)
		}
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair.Get(), nil }
	}
	return c, nil
}

func (t *Transports) newClient(s settings) (client, error) {
	secure, err := t.secure(s)
	if err != nil {
		return nil, err
	}
	if s.protocol == direct {
		return &h1.Transport{
			TLS: secure, DialTimeout: dialTimeout, HandshakeTimeout: handshakeTimeout, ContinueTimeout: continueTimeout,
			IdleTimeout: idleTimeout, MaxIdlePerHost: maxIdlePerHost, MaxHeaderBytes: maxHeader,
		}, nil
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(s.protocol != clearHTTP2)
	protocols.SetHTTP2(s.protocol == anyHTTP)
	protocols.SetUnencryptedHTTP2(s.protocol == clearHTTP2)
	return &http.Transport{
		Protocols:       protocols,
		DialContext:     (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSClientConfig: secure,
		// Bodies pass byte for byte.
		DisableCompression:     true,
		ExpectContinueTimeout:  continueTimeout,
		TLSHandshakeTimeout:    handshakeTimeout,
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConnsPerHost:    maxIdlePerHost,
		IdleConnTimeout:        idleTimeout,
		// A dead HTTP/2 connection would otherwise hold all its streams.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}, nil
}
