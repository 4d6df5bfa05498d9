package admin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/pki"
)

// A paper is a certificate that vouches for itself: as PEM, its key as PEM, and
// its fingerprint.
type paper struct{ cert, key, sum string }

func newPaper(t *testing.T, name string, until time.Time) paper {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name + ".test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return paper{
		cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		key:  string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})),
		sum:  pki.Fingerprint(cert),
	}
}

// certificate is the reply to a change of one.
func certificate(id, message string) string {
	return `{"id":"` + id + `","status":"ok","message":"` + message + `"}`
}

const noCertificate = "Certificate with given SHA256 fingerprint not found"

// TestCertificates: the life of a certificate. It belongs to one
// organisation, also where the name of another begins with that of this one.
func TestCertificates(t *testing.T) {
	later := time.Now().Add(time.Hour)
	alice, authority := newPaper(t, "alice", later), newPaper(t, "authority", later)
	onStores(t, func(t *testing.T, url string) {
		s := newSite(t, url, plain())
		s.want(t, "GET", "/certs", "", 200, `{"certs":[]}`)
		id, other, nobodys := "acme"+alice.sum, "acme2"+alice.sum, authority.sum
		s.want(t, "POST", "/certs?org_id=acme", "Subject: alice\n"+alice.cert+authority.cert, 200, certificate(id, "Certificate added"))
		s.want(t, "POST", "/certs/?org_id=acme2", alice.cert, 200, certificate(other, "Certificate added"))
		s.want(t, "POST", "/certs", authority.cert, 200, certificate(nobodys, "Certificate added"))
		s.want(t, "POST", "/certs?org_id=acme", alice.cert, 403, refused("Certificate with "+id+" id already exists"))

		s.want(t, "GET", "/certs?org_id=acme", "", 200, `{"certs":["`+id+`"]}`)
		s.want(t, "GET", "/certs?org_id=acm", "", 200, `{"certs":[]}`)
		var all struct{ Certs []string }
		if _, text := s.call(t, "GET", "/certs", ""); json.Unmarshal([]byte(text), &all) != nil || len(all.Certs) != 3 {
			t.Errorf("all certificates: %s", text)
		}
		details := s.details(t, "/certs/"+id)
		var listed struct{ Certs []map[string]any }
		if _, text := s.call(t, "GET", "/certs?org_id=acme&mode=detailed", ""); json.Unmarshal([]byte(text), &listed) != nil || !cmp.Equal(listed.Certs, []map[string]any{details}) {
			t.Errorf("the detailed list is %s", text)
		}
		want := map[string]any{"id": id, "fingerprint": alice.sum, "has_private": false, "subject_cn": "alice", "issuer_cn": "alice", "is_ca": false, "dns_names": []any{"alice.test"}}
		for name, value := range want {
			if !cmp.Equal(details[name], value) {
				t.Errorf("%s is %v, want %v", name, details[name], value)
			}
		}

		s.want(t, "DELETE", "/certs/"+id, "", 200, certificate(id, "removed"))
		s.want(t, "GET", "/certs/"+id, "", 404, refused(noCertificate))
		s.want(t, "DELETE", "/certs/"+id, "", 404, refused(noCertificate))
		s.want(t, "GET", "/certs?org_id=acme", "", 200, `{"certs":[]}`)
		s.want(t, "GET", "/certs?org_id=acme2", "", 200, `{"certs":["`+other+`"]}`)
		s.want(t, "POST", "/certs?org_id=acme", alice.cert, 200, certificate(id, "Certificate added"))
	})
}

// details makes a call that must return those of a certificate.
func (s *site) details(t *testing.T, target string) (d map[string]any) {
	t.Helper()
	status, text := s.call(t, "GET", target, "")
	if err := json.Unmarshal([]byte(text), &d); err != nil || status != 200 {
		t.Fatalf("GET %s: got %d %s", target, status, text)
	}
	return d
}

// TestCertificatesRefused: nothing is stored but certificates that count; a
// private key is in no reply, log or record.
func TestCertificatesRefused(t *testing.T) {
	s := newSite(t, "memory:", plain())
	alice := newPaper(t, "alice", time.Now().Add(time.Hour))
	expired := newPaper(t, "expired", time.Now().Add(-time.Minute))
	const noPEM = "Failed to decode certificate. It should be PEM encoded."
	for body, message := range map[string]string{
		"": noPEM, "text": noPEM, `{"certificate": "x"}`: noPEM,
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n": noPEM,
		alice.cert + alice.key: "Only certificates are taken: leave out the EC PRIVATE KEY",
		alice.key + alice.cert: "Only certificates are taken: leave out the EC PRIVATE KEY",
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n": "Only certificates are taken: leave out the PUBLIC KEY",
		expired.cert:              "certificate is expired",
		alice.cert + expired.cert: "certificate is expired",
	} {
		s.want(t, "POST", "/certs?org_id=acme", body, 403, refused(message))
	}
	s.want(t, "POST", "/certs", strings.Repeat("x", 1<<20+1), 413, refused("Request body too large"))
	s.want(t, "GET", "/certs", "", 200, `{"certs":[]}`)
	if strings.Contains(s.log.String(), "KEY") {
		t.Errorf("the log has %s", s.log.String())
	}

	// A key between armour that is not whole is no block, and is not kept.
	broken := strings.Replace(alice.key, "-----END", "----END", 1)
	s.want(t, "POST", "/certs?org_id=acme", alice.cert+broken, 200, certificate("acme"+alice.sum, "Certificate added"))
	records, err := s.store.Records(t.Context(), "certificate/")
	if err != nil || len(records) != 1 {
		t.Fatalf("records %v, %v", records, err)
	}
	for _, text := range records {
		if string(text) != alice.cert {
			t.Errorf("stored is %s", text)
		}
	}
}

// TestCertificateInUse: what an API lets in stays until its list says otherwise,
// since removing it here would keep nobody out.
func TestCertificateInUse(t *testing.T) {
	s := newSite(t, "memory:", plain())
	alice, bob := newPaper(t, "alice", time.Now().Add(time.Hour)), newPaper(t, "bob", time.Now().Add(time.Hour))
	for _, p := range []paper{alice, bob} {
		s.want(t, "POST", "/certs?org_id=acme", p.cert, 200, certificate("acme"+p.sum, "Certificate added"))
	}
	colons := strings.ToUpper(alice.sum[:2] + ":" + alice.sum[2:])
	s.apis["open"] = &grapnel.API{ID: "open", Auth: []grapnel.AuthMethod{{Token: &grapnel.TokenAuth{}}}}
	for _, listed := range []string{alice.sum, colons} {
		s.apis["orders"] = &grapnel.API{ID: "orders", Auth: []grapnel.AuthMethod{{Certificate: &grapnel.CertificateAuth{Fingerprints: []string{listed}}}}}
		s.want(t, "DELETE", "/certs/acme"+alice.sum, "", 409, refused("The API orders lets it in: take it off its list and reload first"))
	}
	s.want(t, "DELETE", "/certs/acme"+bob.sum, "", 200, certificate("acme"+bob.sum, "removed"))
	delete(s.apis, "orders")
	s.want(t, "DELETE", "/certs/acme"+alice.sum, "", 200, certificate("acme"+alice.sum, "removed"))
}
