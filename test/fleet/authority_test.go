package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An authority issues certificates to clients and revokes them. Its own and its
// list are in files.
type authority struct {
	cert      *x509.Certificate
	key       *ecdsa.PrivateKey
	file, crl string
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	dir := t.TempDir()
	a := &authority{file: filepath.Join(dir, "ca.pem"), crl: filepath.Join(dir, "ca.crl")}
	a.become(a.sign(t, authorityForm(name)))
	replace(t, a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
	a.revoke(t, time.Now().Add(time.Hour))
	return a
}

func authorityForm(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, SubjectKeyId: []byte(name),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

// become gives the authority its certificate.
func (a *authority) become(c *tls.Certificate) {
	a.cert, a.key = c.Leaf, c.PrivateKey.(*ecdsa.PrivateKey)
}

// sign makes a certificate from its form; an authority without one of its own
// signs with the new key.
func (a *authority) sign(t *testing.T, form *x509.Certificate) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form.NotBefore, form.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	issuer, signer := form, key
	if a.cert != nil {
		issuer, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, form, issuer, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// issue makes a certificate for a client, with names in it.
func (a *authority) issue(t *testing.T, serial int64, name string, names ...string) *tls.Certificate {
	t.Helper()
	return a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, DNSNames: names,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// revoke publishes a list with these certificates, the next one of which is due
// then.
func (a *authority) revoke(t *testing.T, due time.Time, certs ...*tls.Certificate) {
	t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(time.Now().UnixNano()), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: due}
	for _, c := range certs {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.Leaf.SerialNumber, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	replace(t, a.crl, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
}

// replace replaces a file whole, as an operator should.
func replace(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// secure has the site listen with TLS, as the options say.
func (s *site) secure(own identity, options object) {
	options["certificates"] = []object{{"cert": own.certFile, "key": own.keyFile}}
	s.config["tls"] = options
}

// clientOf makes a client that shows a certificate, whichever the server asks for,
// or none, and resumes its sessions. Requests share connections if they may.
func clientOf(t *testing.T, server identity, as *tls.Certificate, share bool) *http.Client {
	t.Helper()
	if as == nil {
		as = &tls.Certificate{}
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	config.RootCAs.AddCert(server.Leaf)
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return as, nil }
	c := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: !share}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// status is the status of a GET, or 0 when there is no connection.
func status(c *http.Client, url string) (code int, resumed bool) {
	resp, err := c.Get(url)
	if err != nil {
		return 0, false
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.TLS.DidResume
}
