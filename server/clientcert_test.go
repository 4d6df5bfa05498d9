package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// clientCertificate makes a certificate that signs itself.
func clientCertificate(t *testing.T) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestClientCertificates: the listener asks for certificates as configured, and
// an API lets in those that it lists.
func TestClientCertificates(t *testing.T) {
	cert, key := certificate(t)
	listed, another := clientCertificate(t), clientCertificate(t)
	sum := sha256.Sum256(listed.Certificate[0])
	ca := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: listed.Certificate[0]})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	up := echo(t, "up")
	begin := func(ask string) string {
		return start(t, configuration(t, `
tls: {certificates: [{cert: %q, key: %q}], %s}
apis: [{id: a, listen_path: /, target: %q, auth: [{certificate: {fingerprints: [%s]}}]}]
`, cert, key, ask, up.URL, hex.EncodeToString(sum[:])), io.Discard).url
	}
	const refused = 0 // the handshake fails
	for _, c := range []struct {
		ask                   string
		none, listed, another int
	}{
		{"client_certificates: request", 403, 200, 403},
		{"client_certificates: require", refused, 200, 403},
		{"client_certificates: request, client_ca: " + ca, 403, 200, refused},
		{"client_certificates: require, client_ca: " + ca, refused, 200, refused},
	} {
		url := begin(c.ask)
		for _, client := range []struct {
			cert *tls.Certificate
			want int
		}{{&tls.Certificate{}, c.none}, {listed, c.listed}, {another, c.another}} {
			transport := &http.Transport{TLSClientConfig: &tls.Config{
				InsecureSkipVerify: true,
				// whatever authorities the server names
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return client.cert, nil },
			}}
			status, _, err := get(&http.Client{Transport: transport}, url+"/x")
			transport.CloseIdleConnections()
			if (err != nil) != (client.want == refused) || status != client.want {
				t.Errorf("%s: status %d, %v, want %d", c.ask, status, err, client.want)
			}
		}
	}
}
