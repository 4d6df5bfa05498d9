package fleet

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/pki"
)

// A material is what connections are secured by, from files that are read again
// when they change. New connections have the new, those that stand keep the old.
type material struct {
	settings grapnel.PluginTLS
	pair     *pki.Files[*tls.Certificate] // nil proves nothing
	roots    *pki.Authorities             // nil is the system's
}

// newMaterial reads the files; without settings there is no material.
func newMaterial(t *grapnel.PluginTLS, log *slog.Logger) (m *material, err error) {
	if t == nil {
		return nil, nil
	}
	m = &material{settings: *t}
	if t.Cert != "" {
		if m.pair, err = pki.Pair(t.Cert, t.Key, log); err != nil {
			return nil, err
		}
	}
	if t.CA != "" {
		if m.roots, err = pki.OpenAuthorities(t.CA, nil, log); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// config is for connections to a host. The library's own check is off because it
// would stay with the authorities that it began with; the one in its place checks
// the same.
func (m *material) config(host string) *tls.Config {
	if m.settings.ServerName != "" {
		host = m.settings.ServerName
	}
	c := &tls.Config{
		ServerName: host, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: true,
		VerifyConnection:   func(s tls.ConnectionState) error { return m.verify(s, host) },
	}
	if m.pair != nil {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return m.pair.Get(), nil }
	}
	return c
}

// verify checks that the server's certificate comes from the right authority and
// has the right name, or SPIFFE id.
func (m *material) verify(s tls.ConnectionState, host string) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the server has no certificate")
	}
	leaf := s.PeerCertificates[0]
	o := x509.VerifyOptions{DNSName: host, Intermediates: x509.NewCertPool()}
	if m.roots != nil {
		o.Roots = m.roots.Pool()
	}
	for _, c := range s.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	if id := m.settings.SPIFFEID; id != "" {
		o.DNSName = ""
		if !slices.ContainsFunc(leaf.URIs, func(u *url.URL) bool { return isSPIFFE(u.String(), id) }) {
			return fmt.Errorf("the server's certificate is not for %s", id)
		}
	}
	if o.DNSName == "" && m.settings.SPIFFEID == "" {
		return errors.New("the target has no host name that a certificate could have; set tls.server_name")
	}
	_, err := leaf.Verify(o)
	return err
}

// isSPIFFE compares an id with the wanted one, which may stand for all below it.
func isSPIFFE(id, want string) bool {
	if prefix, ok := strings.CutSuffix(want, "*"); ok {
		return len(id) > len(prefix) && strings.HasPrefix(id, prefix)
	}
	return id == want
}
