package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"
)

// writeAuthority writes the certificate of a fresh authority, and what it has
// revoked: nothing.
func writeAuthority(t *testing.T, cert, crl string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "partners"}, SubjectKeyId: []byte{1}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), NextUpdate: time.Now().Add(time.Hour)}, form, key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, crl: {Type: "X509 CRL", Bytes: list}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// What would let in the wrong clients, or tell an upstream of certificates that
// nobody has checked, is refused.
func TestCertificateChecks(t *testing.T) {
	t.Chdir(t.TempDir())
	writeAuthority(t, "ca.pem", "ca.crl")
	writeAuthority(t, "other.pem", "other.crl")
	writeCertificate(t, ".", "a.pem", "a.key")
	const own = "certificates: [{cert: a.pem, key: a.key}], client_certificates: request"
	for text, want := range map[string]string{
		"tls: {" + own + ", client_allowed: {files: [a.pem]}}":                               "",
		"tls: {" + own + ", client_allowed: {}}":                                             "tls.client_allowed: lets nobody in; give fingerprints or files",
		"tls: {" + own + ", client_allowed: {files: [gone.pem]}}":                            "tls.client_allowed.files[0]: open gone.pem",
		"tls: {" + own + ", client_allowed: {files: [a.pem, a.key]}}":                        "tls.client_allowed.files[1]: a.key: there is no certificate in it",
		"tls: {" + own + ", client_allowed: {fingerprints: [\"00:11\"]}}":                    "tls.client_allowed.fingerprints[0]: \"00:11\" is not a SHA-256 fingerprint",
		"tls: {certificates: [{cert: a.pem, key: a.key}], client_allowed: {files: [a.pem]}}": "tls.client_allowed: has no effect while tls.client_certificates is none",
		"tls: {" + own + ", client_ca: ca.pem, client_crl: [ca.crl]}":                        "",
		"tls: {" + own + ", client_crl: [ca.crl]}":                                           "tls.client_crl: needs tls.client_ca",
		"tls: {" + own + ", client_ca: ca.pem, client_crl: [other.crl]}":                     "tls.client_crl: other.crl: no authority has signed",
		"tls: {" + own + ", client_ca: ca.pem, client_crl: [gone.crl]}":                      "tls.client_crl: stat gone.crl",
		"tls: {" + own + "}": "apis[0].client_cert_header: would tell certificates that nobody has checked",
	} {
		header := strings.HasSuffix(want, "nobody has checked") || want == ""
		api := smallest
		if header {
			api = strings.Replace(smallest, "}]", ", client_cert_header: true}]", 1)
		}
		wants(t, text+"\n"+api, want)
	}
	for text, want := range map[string]string{
		"upstream_tls: {ca: ca.pem, cert: a.pem, key: a.key, server_name: x}":          "",
		"upstream_tls: {cert: a.pem}":                                                  "upstream_tls.key: missing",
		"upstream_tls: {key: a.key}":                                                   "upstream_tls.cert: missing",
		"upstream_tls: {cert: a.pem, key: gone.key}":                                   "upstream_tls.cert: open gone.key",
		"upstream_tls: {ca: gone.pem}":                                                 "upstream_tls.ca: open gone.pem",
		"upstream_tls: {ca: ca.pem}, insecure_skip_verify: true":                       "upstream_tls.ca: has no effect beside insecure_skip_verify",
		"auth: [{certificate: {crl: [ca.crl], files: [a.pem]}}]":                       "auth[0].certificate.crl: needs apis[0].auth[0].certificate.ca",
		"client_cert_header: true, auth: [{certificate: {ca: ca.pem, crl: [ca.crl]}}]": "",
	} {
		wants(t, "tls: {"+own+"}\n"+strings.Replace(smallest, "}]", ", "+text+"}]", 1), want)
	}
}

// wants checks that a configuration has the fault, or none if that is empty.
func wants(t *testing.T, text, fault string) {
	t.Helper()
	_, err := Parse("grapnel.yaml", []byte(text), none)
	if fault == "" && err != nil || fault != "" && (err == nil || !strings.Contains(err.Error(), fault)) {
		t.Errorf("%s: %v, want %q", text, err, fault)
	}
}
