package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/pki"
)

// issued is a certificate for clients, signed by an authority, that ends then.
func issued(t *testing.T, by *tls.Certificate, until time.Time) *tls.Certificate {
	t.Helper()
	authority, err := x509.ParseCertificate(by.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, form, authority, key.Public(), by.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func fingerprint(t *testing.T, c *tls.Certificate) string {
	t.Helper()
	parsed, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return pki.Fingerprint(parsed)
}

func writePEM(t *testing.T, file string, certs ...*tls.Certificate) {
	t.Helper()
	var text []byte
	for _, c := range certs {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})...)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// showing is a client that shows this certificate, whatever authorities the server
// names; nil is none.
func showing(t *testing.T, cert *tls.Certificate, set func(*http.Protocols)) *http.Client {
	t.Helper()
	c := client(t, set)
	if cert == nil {
		cert = &tls.Certificate{}
	}
	c.Transport.(*http.Transport).TLSClientConfig = &tls.Config{
		InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1),
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil },
	}
	return c
}

// everyTLS runs a test with both versions of HTTP over TLS.
func everyTLS(t *testing.T, test func(t *testing.T, set func(*http.Protocols))) {
	for name, set := range map[string]func(*http.Protocols){"HTTP/1.1": http1, "HTTP/2": http2} {
		t.Run(name, func(t *testing.T) { test(t, set) })
	}
}

// TestClientsAllowed: the listener lets in the certificates of its list, of its
// authorities, or those that satisfy both.
func TestClientsAllowed(t *testing.T) {
	cert, key := certificate(t)
	authority := clientCertificate(t)
	alone, another := clientCertificate(t), clientCertificate(t) // signed by themselves
	member, stranger := issued(t, authority, time.Now().Add(time.Hour)), issued(t, authority, time.Now().Add(time.Hour))
	old := issued(t, authority, time.Now().Add(-time.Minute))
	ca, file := filepath.Join(t.TempDir(), "ca.pem"), filepath.Join(t.TempDir(), "list.pem")
	writePEM(t, ca, authority)
	writePEM(t, file, member, old)
	list := fmt.Sprintf("client_allowed: {fingerprints: [%q], files: [%q]}", fingerprint(t, alone), file)
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Header.Get("Client-Cert")) })
	const refused = 0 // the handshake fails
	for _, c := range []struct {
		settings                                    string
		none, alone, another, member, stranger, old int
	}{
		{"client_certificates: require, " + list, refused, 200, refused, 200, refused, refused},
		{"client_certificates: request, " + list, 200, 200, refused, 200, refused, refused},
		{"client_certificates: require, client_ca: " + ca + ", " + list, refused, refused, refused, 200, refused, refused},
		{"client_certificates: request, client_ca: " + ca + ", " + list, 200, refused, refused, 200, refused, refused},
	} {
		g := start(t, configuration(t, `
tls: {certificates: [{cert: %q, key: %q}], %s}
apis: [{id: a, listen_path: /, target: %q, client_cert_header: true}]
`, cert, key, c.settings, up.URL), t.Output())
		everyTLS(t, func(t *testing.T, set func(*http.Protocols)) {
			for name, who := range map[string]struct {
				cert *tls.Certificate
				want int
			}{"none": {nil, c.none}, "alone": {alone, c.alone}, "another": {another, c.another}, "member": {member, c.member}, "stranger": {stranger, c.stranger}, "old": {old, c.old}} {
				caller := showing(t, who.cert, set)
				for range 2 { // the second time with a session that is resumed
					status, told, err := get(caller, g.url+"/x")
					caller.CloseIdleConnections()
					if (err != nil) != (who.want == refused) || status != who.want || (told != "") != (who.want == 200 && who.cert != nil) {
						t.Errorf("%s, %s: status %d, upstream told %q, %v; want %d", c.settings, name, status, told, err, who.want)
					}
				}
			}
		})
	}
}

// TestClientTakenOffTheList: who is taken off it is refused on a connection that is
// open, and at the next handshake.
func TestClientTakenOffTheList(t *testing.T) {
	everyTLS(t, func(t *testing.T, set func(*http.Protocols)) {
		cert, key := certificate(t)
		first, second := clientCertificate(t), clientCertificate(t)
		file, log := filepath.Join(t.TempDir(), "list.pem"), &buffer{}
		writePEM(t, file, first, second)
		g := start(t, configuration(t, `
tls: {certificates: [{cert: %q, key: %q}], client_certificates: require, client_allowed: {files: [%q]}}
apis: [{id: a, listen_path: /, target: %q}]
`, cert, key, file, echo(t, "up").URL), log)
		taken, stays := showing(t, first, set), showing(t, second, set)
		if status, _, err := get(taken, g.url+"/x"); status != 200 {
			t.Fatalf("got %d, %v", status, err)
		}
		writePEM(t, file, second)
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			status, body, err := get(taken, g.url+"/x")
			if status == 403 && strings.Contains(body, "not accepted any more") {
				break
			}
			if status != 200 || time.Now().After(end) {
				t.Fatalf("got %d %q, %v", status, body, err)
			}
		}
		taken.CloseIdleConnections()
		if status, _, err := get(taken, g.url+"/x"); err == nil {
			t.Errorf("a new connection: %d", status)
		}
		if status, _, err := get(stays, g.url+"/x"); status != 200 {
			t.Errorf("who stays gets %d, %v", status, err)
		}
		if text := log.String(); !strings.Contains(text, "client certificate refused") || !strings.Contains(text, "the certificate is not on the list") {
			t.Errorf("the log: %s", text)
		}
	})
}
