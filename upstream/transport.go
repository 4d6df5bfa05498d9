package upstream

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// Transports hold the connections to all upstreams. APIs with equal settings
// share theirs, across reloads too. It is for use by several goroutines.
type Transports struct {
	mu   sync.Mutex
	open map[settings]*http.Transport
}

// settings are what makes one transport differ from another.
type settings struct {
	protocol protocol
	insecure bool // any certificate will do
}

// A protocol says which versions of HTTP a transport speaks.
type protocol int

const (
	anyHTTP    protocol = iota // HTTP/1.1, and HTTP/2 where TLS agrees on it
	onlyHTTP1                  // HTTP/1.1, with or without TLS
	clearHTTP2                 // HTTP/2 without TLS, known beforehand
)

// NewTransports makes an empty set.
func NewTransports() *Transports {
	return &Transports{open: map[settings]*http.Transport{}}
}

// Close closes the connections that are not in use. Those in use are closed
// after the exchange.
func (t *Transports) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, transport := range t.open {
		transport.CloseIdleConnections()
	}
}

func (t *Transports) get(s settings) *http.Transport {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open[s] == nil {
		t.open[s] = newTransport(s)
	}
	return t.open[s]
}

func newTransport(s settings) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(s.protocol != clearHTTP2)
	protocols.SetHTTP2(s.protocol == anyHTTP)
	protocols.SetUnencryptedHTTP2(s.protocol == clearHTTP2)
	return &http.Transport{
		Protocols:       protocols,
		DialContext:     (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.insecure},
		// Bodies pass byte for byte.
		DisableCompression: true,
		// An upstream that ignores Expect: 100-continue gets the body anyway,
		// after this time.
		ExpectContinueTimeout:  time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		// One more than that many at once, and each costs a handshake.
		MaxIdleConnsPerHost: 1024,
		IdleConnTimeout:     90 * time.Second,
		// A dead HTTP/2 connection would otherwise hold all its streams.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
}
