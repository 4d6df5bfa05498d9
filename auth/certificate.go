package auth

import (
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/pki"
)

// certificate lets clients in by the certificate of their connection. The TLS
// handshake has proved that they hold its key.
type certificate struct {
	known
	allowed     *pki.List
	authorities *pki.Authorities // nil without
}

func newCertificate(k known, c grapnel.CertificateAuth, log *slog.Logger) (m certificate, err error) {
	m = certificate{known: k}
	if m.allowed, err = pki.OpenList(c.Fingerprints, c.Files, log); err != nil {
		return m, err
	}
	if c.CA != "" {
		m.authorities, err = pki.OpenAuthorities(c.CA, c.CRL, log)
	}
	return m, err
}

// Authenticate looks the client's certificate up in the lists. If no other
// method has said who is calling, the certificate says it.
func (c certificate) Authenticate(x *grapnel.Exchange) (*http.Response, error) {
	tls := x.Request.TLS
	if tls == nil || len(tls.PeerCertificates) == 0 {
		return nil, refuse(http.StatusForbidden, "Client TLS certificate is required")
	}
	leaf := tls.PeerCertificates[0]
	id := pki.Fingerprint(leaf)
	now := time.Now()
	if now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		return nil, c.fail(x, http.StatusForbidden, "Client TLS certificate has expired or is not valid yet", nil)
	}
	if !c.allowed.Has(leaf) {
		if err := c.issued(leaf, tls.PeerCertificates[1:]); err != nil {
			return nil, c.fail(x, http.StatusForbidden, "Certificate with SHA256 "+id+" not allowed", err)
		}
	}
	if x.Session == nil {
		x.Session = passing(x.API, x.API.OrgID+id, leaf.Subject.CommonName)
		x.Session.Certificate = x.Session.KeyID // [L-1, Z-10]
	}
	return nil, nil
}

// issued reports why none of the authorities stands behind the certificate.
func (c certificate) issued(leaf *x509.Certificate, chain []*x509.Certificate) error {
	if c.authorities == nil {
		return errNotListed
	}
	return c.authorities.Verify(leaf, chain)
}

var errNotListed = errors.New("it is not on the list")

// passing is the session of a caller who is proved by other means than a stored
// one: it may call this API, and nothing bounds how often.
func passing(api *grapnel.API, key, alias string) *grapnel.Session {
	return &grapnel.Session{
		KeyID: key, OrgID: api.OrgID, Alias: alias, QuotaMax: -1,
		AccessRights: map[string]grapnel.AccessDefinition{api.ID: {APIID: api.ID, APIName: api.Name}},
	}
}
