package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"time"
)

// A list is an authority's revocation list [RFC 5280, 5].
type list struct {
	serials map[string]bool
	from    time.Time
	until   time.Time // when the next one is due
}

// readLists reads revocation lists and gives each authority its own, the latest
// one where there are several. A list that none of them has signed is an error,
// and so is an authority without one: certificates of which nobody can tell
// whether they are revoked would all be refused.
func readLists(files []string, authorities []*x509.Certificate) (map[string]*list, error) {
	lists := map[string]*list{}
	for _, file := range files {
		found, err := readRevocations(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, r := range found {
			by, err := signer(r, authorities)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			id := identity(by)
			if known := lists[id]; known == nil || r.ThisUpdate.After(known.from) {
				lists[id] = newList(r)
			}
		}
	}
	for _, c := range authorities {
		if lists[identity(c)] == nil {
			return nil, fmt.Errorf("there is no revocation list from %s", c.Subject)
		}
	}
	return lists, nil
}

func newList(r *x509.RevocationList) *list {
	l := &list{serials: make(map[string]bool, len(r.RevokedCertificateEntries)), from: r.ThisUpdate, until: r.NextUpdate}
	for _, e := range r.RevokedCertificateEntries {
		l.serials[string(e.SerialNumber.Bytes())] = true
	}
	return l
}

// signer finds the authority that has signed a list.
func signer(r *x509.RevocationList, authorities []*x509.Certificate) (*x509.Certificate, error) {
	for _, c := range authorities {
		if bytes.Equal(c.RawSubject, r.RawIssuer) && r.CheckSignatureFrom(c) == nil {
			return c, nil
		}
	}
	return nil, fmt.Errorf("no authority has signed the revocation list of %s", r.Issuer)
}

// readRevocations reads the lists of a file: PEM blocks, or one in DER.
func readRevocations(file string) ([]*x509.RevocationList, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var ders [][]byte
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "X509 CRL" {
			ders = append(ders, block.Bytes)
		}
	}
	if len(ders) == 0 {
		ders = [][]byte{text}
	}
	var lists []*x509.RevocationList
	for _, der := range ders {
		r, err := x509.ParseRevocationList(der)
		if err != nil {
			return nil, err
		}
		if err := checkList(r); err != nil {
			return nil, err
		}
		lists = append(lists, r)
	}
	return lists, nil
}

// checkList refuses lists that are not all that their authority has revoked
// (changes to another list, some kinds of certificates only), as their critical
// extensions say, and those that never grow old.
func checkList(r *x509.RevocationList) error {
	for _, e := range r.Extensions {
		if e.Critical {
			return fmt.Errorf("the revocation list has the critical extension %s, which is not supported", e.Id)
		}
	}
	if r.NextUpdate.IsZero() {
		return fmt.Errorf("the revocation list does not say when the next one is due")
	}
	return nil
}
