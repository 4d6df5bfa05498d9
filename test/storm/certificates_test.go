package storm

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An authority issues certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{}
	a.key, a.cert, a.pem = certify(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil)
	return a
}

// certify makes a key and a certificate for it, by itself where there is no
// authority.
func certify(t *testing.T, template *x509.Certificate, by *authority) (*ecdsa.PrivateKey, *x509.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if by == nil {
		by = &authority{cert: template, key: key}
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, &key.PublicKey, by.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// A secret is the folder with what gateway and plugin servers secure their
// connections by.
type secret string

func newSecret(t *testing.T, a *authority) secret {
	t.Helper()
	s := secret(t.TempDir())
	s.trust(t, "servers", a)
	s.trust(t, "clients", a)
	s.issue(t, "server", a)
	s.issue(t, "client", a)
	return s
}

func (s secret) file(name string) string { return filepath.Join(string(s), name+".pem") }

// trust writes the authorities that those who have the file believe.
func (s secret) trust(t *testing.T, name string, all ...*authority) {
	t.Helper()
	var text [][]byte
	for _, a := range all {
		text = append(text, a.pem)
	}
	replace(t, s.file(name), bytes.Join(text, nil))
}

// issue writes a new certificate, and its key.
func (s secret) issue(t *testing.T, name string, by *authority) {
	t.Helper()
	key, _, cert := certify(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, by)
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	replace(t, s.file(name), cert)
	replace(t, s.file(name+"-key"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

// flags are a plugin server's.
func (s secret) flags() []string {
	return []string{"-cert", s.file("server"), "-key", s.file("server-key"), "-clients", s.file("clients")}
}

// settings are the gateway's.
func (s secret) settings() object {
	return object{"ca": s.file("servers"), "cert": s.file("client"), "key": s.file("client-key")}
}

// replace writes a file, whole or not at all.
func replace(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}
