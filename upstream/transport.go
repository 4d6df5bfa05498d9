package upstream

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/grapnel-gateway/grapnel"
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
	mu   sync.Mutex
	open map[settings]client
}

// settings are what makes one client differ from another.
type settings struct {
	protocol protocol
	insecure bool // any certificate will do
}

// A protocol says which versions of HTTP a client speaks.
type protocol int

const (
	anyHTTP    protocol = iota // HTTP/1.1, and HTTP/2 where TLS agrees on it
	onlyHTTP1                  // HTTP/1.1, with or without TLS
	clearHTTP2                 // HTTP/2 without TLS, known beforehand
	direct                     // HTTP/1.1 by way of the gateway's own client
)

// NewTransports makes an empty set.
func NewTransports() *Transports {
	return &Transports{open: map[settings]client{}}
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

// clients gives an API its clients: for http, for https, and for the upgrades of
// https to other protocols. Unless the API says that the upstream is asked
// directly, one behind TLS may want to speak HTTP/2.
func (t *Transports) clients(api *grapnel.API) (plain, secure, upgrades client) {
	insecure := api.InsecureSkipVerify
	own := t.get(settings{protocol: direct, insecure: insecure})
	switch api.Client {
	case grapnel.ClientDirect:
		return own, own, own
	case grapnel.ClientStandard:
		plain = t.get(settings{protocol: anyHTTP, insecure: insecure})
		return plain, plain, t.get(settings{protocol: onlyHTTP1, insecure: insecure})
	}
	return own, t.get(settings{protocol: anyHTTP, insecure: insecure}), own
}

func (t *Transports) get(s settings) client {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open[s] == nil {
		t.open[s] = newClient(s)
	}
	return t.open[s]
}

func newClient(s settings) client {
	secure := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.insecure}
	if s.protocol == direct {
		return &h1.Transport{
			TLS: secure, DialTimeout: dialTimeout, HandshakeTimeout: handshakeTimeout, ContinueTimeout: continueTimeout,
			IdleTimeout: idleTimeout, MaxIdlePerHost: maxIdlePerHost, MaxHeaderBytes: maxHeader,
		}
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
	}
}
