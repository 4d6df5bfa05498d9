package fleet

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
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/store/storetest"
)

// An identity is a certificate that vouches for itself, and its key.
type identity struct {
	tls.Certificate
	certFile, keyFile string
}

func newIdentity(t *testing.T, name string) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	id := identity{certFile: filepath.Join(dir, "cert.pem"), keyFile: filepath.Join(dir, "key.pem")}
	for file, block := range map[string]*pem.Block{
		id.certFile: {Type: "CERTIFICATE", Bytes: der}, id.keyFile: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if id.Certificate, err = tls.LoadX509KeyPair(id.certFile, id.keyFile); err != nil {
		t.Fatal(err)
	}
	return id
}

// fingerprint is the SHA-256 of the certificate.
func (id identity) fingerprint() string {
	sum := sha256.Sum256(id.Leaf.Raw)
	return hex.EncodeToString(sum[:])
}

// TestClientCertificates: who has a listed certificate is let in, natively and in
// a Tyk set-up.
func TestClientCertificates(t *testing.T) {
	server, friend, stranger := newIdentity(t, "gateway"), newIdentity(t, "friend"), newIdentity(t, "stranger")

	native := newSite(t, "memory:", api("mutual", object{"certificate": object{"fingerprints": []string{friend.fingerprint()}}}), api("open"))
	native.config["tls"] = object{
		"certificates":        []object{{"cert": server.certFile, "key": server.keyFile}},
		"client_certificates": "request",
	}
	tyk := newTykSite(t, storetest.Redis(t), object{"http_server_options": object{
		"use_ssl": true, "certificates": []object{{"domain_name": "*", "cert_file": server.certFile, "key_file": server.keyFile}},
	}}, definition("mutual", object{"use_keyless": true, "use_mutual_tls_auth": true, "client_certificates": []string{org + friend.fingerprint()}}),
		definition("open", object{"use_keyless": true}))

	for name, start := range map[string]func(*testing.T) *gateway{"native": native.start, "tyk": tyk.start} {
		t.Run(name, func(t *testing.T) {
			g := start(t)
			for _, c := range []struct {
				name, api string
				as        *identity
				status    int
				refusal   string
			}{
				{"friend", "mutual", &friend, 200, ""},
				{"stranger", "mutual", &stranger, 403, "Certificate with SHA256 " + stranger.fingerprint() + " not allowed"},
				{"nobody", "mutual", nil, 403, "Client TLS certificate is required"},
				{"nobody elsewhere", "open", nil, 200, ""},
			} {
				r := getTLS(t, "https://"+g.Addr+"/"+c.api+"/", server, c.as)
				if r.status != c.status || c.refusal != "" && r.refusal() != c.refusal {
					t.Errorf("%s: %d %q, want %d %q", c.name, r.status, r.refusal(), c.status, c.refusal)
				}
			}
		})
	}
}

// getTLS asks for a URL, with a certificate of the client's own or without one.
func getTLS(t *testing.T, url string, server identity, as *identity) reply {
	t.Helper()
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AddCert(server.Leaf)
	if as != nil {
		config.Certificates = []tls.Certificate{as.Certificate}
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := send(client, r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
