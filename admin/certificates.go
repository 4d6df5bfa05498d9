package admin

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/pki"
)

// certificateCalls are the calls for the certificates of clients. An id
// ends with the fingerprint, so a definition that lists one lets its certificate
// in, stored or not: docs/decisions/0020-certificates.md.
type certificateCalls struct{ Options }

const (
	certificateRecords = "certificate/"
	unknownCertificate = "Certificate with given SHA256 fingerprint not found"
)

// A certificateChange is the reply to a call that changed the stored
// certificates.
type certificateChange struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Message string `json:"message"`
}

// A certificateList is the reply to a call that lists them: ids, or details.
type certificateList struct {
	Certs any `json:"certs"`
}

// certificateDetails are what is told of a certificate. The original tells some
// of it of one, and some in lists.
type certificateDetails struct {
	ID          string    `json:"id"`
	Fingerprint string    `json:"fingerprint"`
	HasPrivate  bool      `json:"has_private"` // never: no private key is taken
	IssuerCN    string    `json:"issuer_cn"`
	SubjectCN   string    `json:"subject_cn"`
	Issuer      pkix.Name `json:"issuer"`
	Subject     pkix.Name `json:"subject"`
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	DNSNames    []string  `json:"dns_names,omitempty"`
	IsCA        bool      `json:"is_ca"`
}

// add stores a certificate, and those that it came with, for an organisation.
func (c certificateCalls) add(r *http.Request) (any, error) {
	text, err := read(r)
	if err != nil {
		return nil, err
	}
	chain, err := readChain(text)
	if err != nil {
		return nil, err
	}
	id := r.URL.Query().Get("org_id") + pki.Fingerprint(chain[0])
	err = c.Records.SwapRecord(r.Context(), certificateRecords+id, nil, encodeChain(chain), 0)
	if errors.Is(err, grapnel.ErrConflict) {
		return nil, refuse(http.StatusForbidden, "Certificate with "+id+" id already exists")
	}
	return certificateChange{id, "ok", "Certificate added"}, err
}

// readChain reads certificates that still count, the client's own first. Nothing
// else may be with them: a private key has no use here, and must not be kept.
func readChain(text []byte) ([]*x509.Certificate, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, refuse(http.StatusForbidden, "Only certificates are taken: leave out the "+block.Type)
		}
	}
	chain, err := pki.Parse(text)
	if err != nil { // its error may repeat what was sent
		return nil, refuse(http.StatusForbidden, "Failed to decode certificate. It should be PEM encoded.")
	}
	now := time.Now()
	if slices.ContainsFunc(chain, func(c *x509.Certificate) bool { return now.After(c.NotAfter) }) {
		return nil, refuse(http.StatusForbidden, "certificate is expired")
	}
	return chain, nil
}

func encodeChain(chain []*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range chain {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.Bytes()
}

// list returns the certificates of an organisation, or of all.
func (c certificateCalls) list(r *http.Request) (any, error) {
	query := r.URL.Query()
	org := query.Get("org_id")
	all, err := c.Records.Records(r.Context(), certificateRecords+org)
	if err != nil {
		return nil, err
	}
	ids, details := []string{}, []certificateDetails{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		id := strings.TrimPrefix(key, certificateRecords)
		d, err := describe(id, all[key])
		if err != nil {
			return nil, err
		}
		if org == "" || id == org+d.Fingerprint { // another's name may begin with this one's
			ids, details = append(ids, id), append(details, d)
		}
	}
	if query.Get("mode") == "detailed" {
		return certificateList{details}, nil
	}
	return certificateList{ids}, nil
}

// get returns the details of a certificate.
func (c certificateCalls) get(r *http.Request) (any, error) {
	id := r.PathValue("certificate")
	text, err := c.Records.Record(r.Context(), certificateRecords+id)
	if err != nil {
		return nil, missing(err, unknownCertificate)
	}
	return describe(id, text)
}

// describe reads what is stored under an id.
func describe(id string, text []byte) (d certificateDetails, err error) {
	chain, err := pki.Parse(text)
	if err != nil {
		return d, fmt.Errorf("stored certificate %s: %w", id, err)
	}
	leaf := chain[0]
	return certificateDetails{
		ID: id, Fingerprint: pki.Fingerprint(leaf),
		IssuerCN: leaf.Issuer.CommonName, SubjectCN: leaf.Subject.CommonName, Issuer: leaf.Issuer, Subject: leaf.Subject,
		NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, DNSNames: leaf.DNSNames, IsCA: leaf.IsCA,
	}, nil
}

// remove removes a certificate. One that an API lists would be let in all the
// same, so it stays until the API lists it no more.
func (c certificateCalls) remove(r *http.Request) (any, error) {
	id := r.PathValue("certificate")
	text, err := c.Records.Record(r.Context(), certificateRecords+id)
	if err != nil {
		return nil, missing(err, unknownCertificate)
	}
	d, err := describe(id, text)
	if err != nil {
		return nil, err
	}
	for _, api := range c.APIs() {
		if lists(api, d.Fingerprint) {
			return nil, refuse(http.StatusConflict, "The API "+api.ID+" lets it in: take it off its list and reload first")
		}
	}
	return certificateChange{id, "ok", "removed"}, c.Records.SwapRecord(r.Context(), certificateRecords+id, text, nil, 0)
}

// lists reports whether an API lets a certificate in by its fingerprint.
func lists(api *grapnel.API, fingerprint string) bool {
	return slices.ContainsFunc(api.Auth, func(m grapnel.AuthMethod) bool {
		return m.Certificate != nil && slices.ContainsFunc(m.Certificate.Fingerprints, func(listed string) bool {
			return strings.EqualFold(strings.ReplaceAll(listed, ":", ""), fingerprint)
		})
	})
}
