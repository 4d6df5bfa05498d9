package auth

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// certificate lets clients in by the certificate of their connection. The TLS
// handshake has proved that they hold its key.
type certificate struct {
	known
	allowed map[[sha256.Size]byte]bool
	roots   *x509.CertPool // nil without authorities
}

func newCertificate(k known, c grapnel.CertificateAuth) (certificate, error) {
	m := certificate{known: k, allowed: map[[sha256.Size]byte]bool{}}
	for _, text := range c.Fingerprints {
		sum, err := parseFingerprint(text)
		if err != nil {
			return certificate{}, err
		}
		m.allowed[sum] = true
	}
	for _, file := range c.Files {
		certs, err := readCertificates(file)
		if err != nil {
			return certificate{}, err
		}
		for _, cert := range certs {
			m.allowed[sha256.Sum256(cert.Raw)] = true
		}
	}
	if c.CA != "" {
		certs, err := readCertificates(c.CA)
		if err != nil {
			return certificate{}, err
		}
		m.roots = x509.NewCertPool()
		for _, cert := range certs {
			m.roots.AddCert(cert)
		}
	}
	return m, nil
}

// Authenticate looks the client's certificate up in the lists. If no other
// method has said who is calling, the certificate says it.
func (c certificate) Authenticate(x *grapnel.Exchange) (*http.Response, error) {
	tls := x.Request.TLS
	if tls == nil || len(tls.PeerCertificates) == 0 {
		return nil, refuse(http.StatusForbidden, "Client TLS certificate is required")
	}
	leaf := tls.PeerCertificates[0]
	sum := sha256.Sum256(leaf.Raw)
	id := hex.EncodeToString(sum[:])
	now := time.Now()
	switch {
	case now.After(leaf.NotAfter) || now.Before(leaf.NotBefore):
		return nil, c.fail(x, http.StatusForbidden, "Client TLS certificate has expired or is not valid yet", nil)
	case !c.allowed[sum] && !c.issued(leaf, tls.PeerCertificates[1:]):
		return nil, c.fail(x, http.StatusForbidden, "Certificate with SHA256 "+id+" not allowed", nil)
	}
	if x.Session == nil {
		x.Session = passing(x.API, x.API.OrgID+id, leaf.Subject.CommonName)
	}
	return nil, nil
}

// issued reports whether one of the authorities stands behind the certificate.
func (c certificate) issued(leaf *x509.Certificate, chain []*x509.Certificate) bool {
	if c.roots == nil {
		return false
	}
	between := x509.NewCertPool()
	for _, cert := range chain {
		between.AddCert(cert)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: c.roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err == nil
}

// passing is the session of a caller who is proved by other means than a stored
// one: it may call this API, and nothing bounds how often.
func passing(api *grapnel.API, key, alias string) *grapnel.Session {
	return &grapnel.Session{
		KeyID: key, OrgID: api.OrgID, Alias: alias, QuotaMax: -1,
		AccessRights: map[string]grapnel.AccessDefinition{api.ID: {APIID: api.ID, APIName: api.Name}},
	}
}

// parseFingerprint reads 64 hexadecimal digits; colons between them are as
// openssl prints them.
func parseFingerprint(text string) (sum [sha256.Size]byte, err error) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(b) != len(sum) {
		return sum, fmt.Errorf("%q is not the SHA-256 fingerprint of a certificate", text)
	}
	return [sha256.Size]byte(b), nil
}

func readCertificates(file string) ([]*x509.Certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, errors.New(file + ": there is no certificate in it")
	}
	return certs, nil
}
