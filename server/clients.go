package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/pki"
)

// maxChain bounds the certificates of a client, all together, in bytes. They go
// on to plugins and upstreams, which have bounds of their own; honest chains are
// a few kilobytes.
const maxChain = 16 << 10

// clients says which certificates the listener takes of its clients.
type clients struct {
	ask         tls.ClientAuthType
	authorities *pki.Authorities // nil is whoever
	allowed     *pki.List        // nil is all; without authorities too, the choice is the APIs'
	log         *slog.Logger

	mu     sync.Mutex
	pool   *x509.CertPool // of config
	config *tls.Config
}

func newClients(c grapnel.TLS, log *slog.Logger) (*clients, error) {
	s := &clients{log: log}
	switch verify := c.ClientCA != ""; {
	case c.ClientCertificates == "request" && verify:
		s.ask = tls.VerifyClientCertIfGiven
	case c.ClientCertificates == "request":
		s.ask = tls.RequestClientCert
	case c.ClientCertificates == "require" && verify:
		s.ask = tls.RequireAndVerifyClientCert
	case c.ClientCertificates == "require":
		s.ask = tls.RequireAnyClientCert
	}
	if s.ask == tls.NoClientCert {
		return s, nil
	}
	var err error
	if c.ClientCA != "" {
		if s.authorities, err = pki.OpenAuthorities(c.ClientCA, c.ClientCRL, log); err != nil {
			return nil, fmt.Errorf("tls: client_ca: %w", err)
		}
	}
	if list := c.ClientAllowed; list != nil {
		if s.allowed, err = pki.OpenList(list.Fingerprints, list.Files, log); err != nil {
			return nil, fmt.Errorf("tls: client_allowed: %w", err)
		}
	}
	return s, nil
}

// secure has the listener ask clients for certificates and check them on every
// handshake. A session that is resumed is checked anew: its ticket may be older
// than what the files say now.
func (s *clients) secure(base *tls.Config) {
	base.ClientAuth = s.ask
	base.VerifyConnection = s.verify
	if s.authorities == nil {
		return
	}
	base.ClientCAs = s.authorities.Pool()
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.current(base), nil }
}

// current is the configuration with the authorities as they are now.
func (s *clients) current(base *tls.Config) *tls.Config {
	pool := s.authorities.Pool()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pool != pool {
		s.config = base.Clone()
		s.config.GetConfigForClient, s.config.ClientCAs = nil, pool
		s.config.NextProtos = []string{"h2", "http/1.1"}
		s.pool = pool
	}
	return s.config
}

// verify refuses handshakes whose certificates are too large, or do not count
// any more.
func (s *clients) verify(c tls.ConnectionState) error {
	if len(c.PeerCertificates) == 0 {
		return nil
	}
	size := 0
	for _, cert := range c.PeerCertificates {
		size += len(cert.Raw)
	}
	err := s.withdrawn(&c)
	switch {
	case size > maxChain:
		err = fmt.Errorf("the certificates of the client are %d bytes, more than %d", size, maxChain)
	case err == nil && c.DidResume && s.authorities != nil:
		err = s.authorities.Verify(c.PeerCertificates[0], c.PeerCertificates[1:])
	}
	if err != nil {
		s.tell(c.PeerCertificates[0], err)
	}
	return err
}

// withdrawn reports that the certificate of a connection, which may have counted at
// the handshake, does not count now: it has been revoked, is not on the list, or
// is on it and out of date.
func (s *clients) withdrawn(c *tls.ConnectionState) error {
	if c == nil || len(c.PeerCertificates) == 0 {
		return nil
	}
	if s.allowed != nil {
		leaf, now := c.PeerCertificates[0], time.Now()
		switch {
		case !s.allowed.Has(leaf):
			return errors.New("the certificate is not on the list")
		case now.After(leaf.NotAfter) || now.Before(leaf.NotBefore):
			return errors.New("the certificate has expired or is not valid yet")
		}
	}
	if s.authorities == nil || len(c.VerifiedChains) == 0 {
		return nil
	}
	return s.authorities.Revoked(c.VerifiedChains)
}

// tell logs a refusal. That nobody can tell whether a certificate is revoked is
// the operator's to mend.
func (s *clients) tell(leaf *x509.Certificate, err error) {
	level := slog.LevelWarn
	if errors.Is(err, pki.ErrNoList) {
		level = slog.LevelError
	}
	s.log.Log(context.Background(), level, "client certificate refused", "subject", leaf.Subject.String(), "sha256", pki.Fingerprint(leaf), "error", err)
}

// refused answers a request on a connection whose certificate does not count any
// more.
func refused(err error) grapnel.Handler {
	return func(*grapnel.Exchange) (*http.Response, error) {
		return nil, &grapnel.Error{Status: http.StatusForbidden, Code: grapnel.CodeForbidden, Message: "Client TLS certificate is not accepted any more", Err: err}
	}
}
