package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// issue makes a certificate that lives until then; a nil parent signs itself.
func issue(t *testing.T, name string, until time.Time, usage x509.ExtKeyUsage, parent *tls.Certificate) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{usage},
		IsCA: parent == nil, BasicConstraintsValid: true,
	}
	signer, issuer := any(key), template
	if parent != nil {
		signer, issuer = parent.PrivateKey, parent.Leaf
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func writePEM(t *testing.T, certs ...*tls.Certificate) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "certs.pem")
	var text []byte
	for _, c := range certs {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})...)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func fingerprint(c *tls.Certificate) string {
	sum := sha256.Sum256(c.Certificate[0])
	return hex.EncodeToString(sum[:])
}

// TestCertificate: the allow list decides, by fingerprint, file or authority.
func TestCertificate(t *testing.T) {
	later, client := time.Now().Add(time.Hour), x509.ExtKeyUsageClientAuth
	ca := issue(t, "authority", later, client, nil)
	listed, filed := issue(t, "listed", later, client, nil), issue(t, "filed", later, client, nil)
	signed, other := issue(t, "signed", later, client, ca), issue(t, "other", later, client, nil)
	server := issue(t, "server", later, x509.ExtKeyUsageServerAuth, ca)
	expired := issue(t, "expired", time.Now().Add(-time.Minute), client, ca)
	forged := issue(t, "authority", later, client, issue(t, "authority", later, client, nil))

	upper := strings.ToUpper(fingerprint(listed))
	colons := upper[:2] + ":" + upper[2:4] + ":" + upper[4:]
	g := newGate(t, grapnel.AuthMethod{Certificate: &grapnel.CertificateAuth{
		Fingerprints: []string{colons, fingerprint(expired)}, Files: []string{writePEM(t, filed)}, CA: writePEM(t, ca),
	}})
	with := func(certs ...*tls.Certificate) *grapnel.Exchange {
		x := g.exchange("/")
		x.Request.TLS = &tls.ConnectionState{}
		for _, c := range certs {
			x.Request.TLS.PeerCertificates = append(x.Request.TLS.PeerCertificates, c.Leaf)
		}
		return x
	}
	for _, c := range []*tls.Certificate{listed, filed, signed} {
		s := g.passes(t, with(c))
		if _, ok := s.AccessRights["orders"]; !ok || s.Alias != c.Leaf.Subject.CommonName || s.KeyID != org+fingerprint(c) || s.Certificate != org+fingerprint(c) {
			t.Errorf("session %+v", s)
		}
	}
	for _, c := range []*tls.Certificate{other, server, forged} {
		g.refuses(t, with(c, listed, ca), http.StatusForbidden, "Certificate with SHA256 "+fingerprint(c)+" not allowed", 1)
	}
	g.refuses(t, with(expired), http.StatusForbidden, "Client TLS certificate has expired or is not valid yet", 1)
	g.refuses(t, with(), http.StatusForbidden, "Client TLS certificate is required", 0)
	g.refuses(t, g.exchange("/"), http.StatusForbidden, "Client TLS certificate is required", 0)

	x := with(listed) // beside another method, it does not say who is calling
	x.Session = &grapnel.Session{Alias: "alice"}
	if s := g.passes(t, x); s.Alias != "alice" {
		t.Errorf("the certificate took the place of %q", s.Alias)
	}
}

// TestCertificateConfig: lists that cannot be read are errors at load.
func TestCertificateConfig(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []grapnel.CertificateAuth{
		{Fingerprints: []string{"abc"}}, {Fingerprints: []string{strings.Repeat("g", 64)}}, {Fingerprints: []string{""}},
		{Files: []string{"/nowhere.pem"}}, {Files: []string{empty}}, {CA: "/nowhere.pem"}, {CA: empty}, {CA: writePEM(t, issue(t, "a", time.Now().Add(time.Hour), x509.ExtKeyUsageClientAuth, nil)), CRL: []string{empty}},
	} {
		if _, err := New(&grapnel.API{}, grapnel.AuthMethod{Certificate: &c}, nil, nil, nil); err == nil {
			t.Errorf("accepted: %+v", c)
		}
	}
}
