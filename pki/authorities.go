package pki

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Authorities are those whose certificates count. Where they have revocation
// lists, each must have one, and what is on it does not count.
type Authorities struct {
	files *Files[*trust]
}

// A trust is what the files of authorities hold.
type trust struct {
	pool *x509.CertPool
	// lists are the revocation lists by the authority; nil is that nothing
	// is ever revoked.
	lists map[string]*list
	// above are the authorities behind authorities, where both are in the file.
	above map[string]*x509.Certificate
}

// OpenAuthorities reads the PEM file of the authorities and, where there are any,
// the files with their revocation lists, PEM or DER. All are read again when they
// change. It is an error when an authority has no list and others have.
func OpenAuthorities(ca string, crls []string, log *slog.Logger) (*Authorities, error) {
	files, err := Open(log, func() (*trust, error) {
		certs, err := Read(ca)
		if err != nil {
			return nil, err
		}
		t := &trust{pool: x509.NewCertPool()}
		for _, c := range certs {
			t.pool.AddCert(c)
		}
		if len(crls) > 0 {
			t.above = above(certs)
			t.lists, err = readLists(crls, certs)
		}
		return t, err
	}, append([]string{ca}, crls...)...)
	if err != nil {
		return nil, err
	}
	return &Authorities{files}, nil
}

// Pool is the authorities as they are now. It is another one when they change.
func (a *Authorities) Pool() *x509.CertPool { return a.files.Get().pool }

// Verify reports why a client's certificate, which the others came with, does not
// count now: nobody stands behind it, it is out of date, or it has been revoked.
func (a *Authorities) Verify(leaf *x509.Certificate, others []*x509.Certificate) error {
	t := a.files.Get()
	between := x509.NewCertPool()
	for _, c := range others {
		between.AddCert(c)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: t.pool, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return err
	}
	return t.revoked(chains)
}

// Revoked reports a certificate of the chains that has been revoked, or one of
// which that cannot be told: its authority has no list, or an old one.
func (a *Authorities) Revoked(chains [][]*x509.Certificate) error {
	return a.files.Get().revoked(chains)
}

func (t *trust) revoked(chains [][]*x509.Certificate) error {
	if t.lists == nil {
		return nil
	}
	now := time.Now()
	for _, chain := range chains {
		for i, c := range chain[:len(chain)-1] {
			if err := t.lists[identity(chain[i+1])].check(c, now); err != nil {
				return err
			}
		}
		// The chain ends at the first authority, behind which there may be others.
		last := chain[len(chain)-1]
		for range t.above {
			next := t.above[identity(last)]
			if next == nil {
				break
			}
			if err := t.lists[identity(next)].check(last, now); err != nil {
				return err
			}
			last = next
		}
	}
	return nil
}

// above finds, for each authority that another one of them has signed, that one.
func above(authorities []*x509.Certificate) map[string]*x509.Certificate {
	out := map[string]*x509.Certificate{}
	for _, c := range authorities {
		for _, by := range authorities {
			if identity(by) != identity(c) && bytes.Equal(by.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(by) == nil {
				out[identity(c)] = by
			}
		}
	}
	return out
}

// ErrRevoked is the error about a certificate that is on a revocation list.
var ErrRevoked = errors.New("the certificate has been revoked")

// ErrNoList is the error about a certificate of which nobody can tell whether it
// has been revoked. It is a fault of the operator's files, not of the client.
var ErrNoList = errors.New("there is no revocation list of today")

func (l *list) check(c *x509.Certificate, now time.Time) error {
	switch {
	case l == nil:
		return fmt.Errorf("%w from %s", ErrNoList, c.Issuer)
	case now.After(l.until):
		return fmt.Errorf("%w from %s: the next one was due at %s", ErrNoList, c.Issuer, l.until.Format(time.RFC3339))
	case l.serials[string(c.SerialNumber.Bytes())]:
		return fmt.Errorf("%w: %s, serial number %s", ErrRevoked, c.Subject, c.SerialNumber)
	}
	return nil
}

// identity is what an authority's certificates have in common: a name and a key.
func identity(c *x509.Certificate) string {
	return string(c.RawSubject) + string(c.RawSubjectPublicKeyInfo)
}
