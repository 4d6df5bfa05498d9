package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// writeCertificate makes a certificate for the names and writes it with its key.
func writeCertificate(t *testing.T, certFile, keyFile string, serial int64, names ...string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// served is the serial number of the certificate that a new connection gets.
func served(t *testing.T, address, name string) int64 {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: name, InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// A buffer is a log that is written and read at once.
type buffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Certificates are chosen by name, read again when they change, and kept when
// what they change to is broken. HTTP/2 is agreed on.
func TestCertificates(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	writeCertificate(t, file("a.pem"), file("a.key"), 1, "a.example")
	writeCertificate(t, file("b.pem"), file("b.key"), 2, "b.example")
	log := &buffer{}
	g := start(t, configuration(t, `
tls: { certificates: [{ cert: %q, key: %q }, { cert: %q, key: %q }] }
apis: [{ id: x, listen_path: /x/, target: %q }]
`, file("a.pem"), file("a.key"), file("b.pem"), file("b.key"), echo(t, "up").URL), log)
	address := strings.TrimPrefix(g.url, "https://")
	if a, b, other := served(t, address, "a.example"), served(t, address, "b.example"), served(t, address, "c.example"); a != 1 || b != 2 || other != 1 {
		t.Errorf("certificates %d, %d and %d", a, b, other)
	}

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	resp, err := client.Get(g.url + "/x/y")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.ProtoMajor != 2 || resp.StatusCode != 200 {
		t.Errorf("%s %d", resp.Proto, resp.StatusCode)
	}

	if err := os.WriteFile(file("b.key"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(log.String(), "files not read again") {
		if got := served(t, address, "b.example"); got != 2 {
			t.Fatalf("with a broken key: certificate %d", got)
		}
		time.Sleep(20 * time.Millisecond)
	}
	writeCertificate(t, file("b.pem"), file("b.key"), 3, "b.example")
	for served(t, address, "b.example") != 3 {
		time.Sleep(20 * time.Millisecond)
	}
	client.CloseIdleConnections()
}
