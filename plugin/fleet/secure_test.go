package fleet_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/fleet"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// An authority issues certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	cert, key := certify(t, template, nil, nil)
	return authority{cert, key}
}

func certify(t *testing.T, template, parent *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if by == nil {
		parent, by = template, key
	}
	template.SerialNumber, _ = rand.Int(rand.Reader, big.NewInt(1<<62))
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// issue writes a certificate for a name, or a SPIFFE id, and its key.
func (a authority) issue(t *testing.T, name, certFile, keyFile string) {
	t.Helper()
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if strings.HasPrefix(name, "spiffe:") {
		id, _ := url.Parse(name)
		template.URIs = []*url.URL{id}
	} else if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	cert, key := certify(t, template, a.cert, a.key)
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
	write(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
}

func (a authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// secured starts a replica with a certificate; with clients it wants one from
// whoever calls, and answers with its name.
func secured(t *testing.T, at, dir string, clients *x509.CertPool) *replica {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{pair}}
	if clients != nil {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, clients
	}
	return serveWith(t, "secured", listen(t, at), []grpc.ServerOption{grpc.Creds(credentials.NewTLS(c))})
}

// The server's certificate must come from the right authority and be for the right
// name or SPIFFE id.
func TestTLS(t *testing.T) {
	ours, others := newAuthority(t, "ours"), newAuthority(t, "others")
	dir := t.TempDir()
	ca, foreign := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "foreign.pem")
	write(t, ca, ours.pem())
	write(t, foreign, others.pem())
	const id = "spiffe://shop.example/plugins/billing"
	for name, c := range map[string]struct {
		subject string
		tls     grapnel.PluginTLS
		good    bool
	}{
		"address":              {"127.0.0.1", grapnel.PluginTLS{CA: ca}, true},
		"another address":      {"127.0.0.2", grapnel.PluginTLS{CA: ca}, false},
		"server name":          {"billing.shop", grapnel.PluginTLS{CA: ca, ServerName: "billing.shop"}, true},
		"another name":         {"orders.shop", grapnel.PluginTLS{CA: ca, ServerName: "billing.shop"}, false},
		"another authority":    {"127.0.0.1", grapnel.PluginTLS{CA: foreign}, false},
		"the system's":         {"127.0.0.1", grapnel.PluginTLS{}, false},
		"id":                   {id, grapnel.PluginTLS{CA: ca, SPIFFEID: id}, true},
		"id below":             {id, grapnel.PluginTLS{CA: ca, SPIFFEID: "spiffe://shop.example/plugins/*"}, true},
		"another id":           {id, grapnel.PluginTLS{CA: ca, SPIFFEID: "spiffe://shop.example/plugins/bill"}, false},
		"another trust domain": {id, grapnel.PluginTLS{CA: ca, SPIFFEID: "spiffe://other.example/*"}, false},
		"no id":                {"127.0.0.1", grapnel.PluginTLS{CA: ca, SPIFFEID: id}, false},
		"id, foreign":          {id, grapnel.PluginTLS{CA: foreign, SPIFFEID: id}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			ours.issue(t, c.subject, filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
			s := settings(secured(t, "127.0.0.1:0", dir, nil).address)
			s.TLS = &c.tls
			_, err := say(t.Context(), open(t, s))
			if c.good && err != nil || !c.good && (err == nil || !strings.Contains(err.Error(), "certificate")) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A target without a host has no certificate that could be right.
func TestTLSWithoutAName(t *testing.T) {
	dir := t.TempDir()
	ours := newAuthority(t, "ours")
	ours.issue(t, "localhost", filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	ca := filepath.Join(dir, "ca.pem")
	write(t, ca, ours.pem())
	r := secured(t, "127.0.0.1:0", dir, nil)
	_, port, _ := net.SplitHostPort(r.address)
	s := settings("passthrough:///:" + port)
	s.TLS = &grapnel.PluginTLS{CA: ca}
	if _, err := say(t.Context(), open(t, s)); err == nil || !strings.Contains(err.Error(), "set tls.server_name") {
		t.Errorf("got %v", err)
	}
}

// Files that change hold for new connections: the authority and the gateway's own
// certificate; those that are broken then change nothing.
func TestRotation(t *testing.T) { overBoth(t, rotation) }

func rotation(t *testing.T, open func(grapnel.PluginServer) *fleet.Fleet) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	old, renewed := newAuthority(t, "old"), newAuthority(t, "renewed")
	clients := x509.NewCertPool()
	clients.AddCert(old.cert)
	clients.AddCert(renewed.cert)
	old.issue(t, "127.0.0.1", file("server.pem"), file("server.key"))
	old.issue(t, "gateway 1", file("own.pem"), file("own.key"))
	write(t, file("ca.pem"), old.pem())
	r := secured(t, "127.0.0.1:0", dir, clients)
	s := settings(r.address)
	s.TLS = &grapnel.PluginTLS{CA: file("ca.pem"), Cert: file("own.pem"), Key: file("own.key")}
	f := open(s)
	var caller noted
	note := func(ctx context.Context) error {
		p, _ := peer.FromContext(ctx)
		caller.set(p.AuthInfo.(credentials.TLSInfo).State.PeerCertificates[0].Subject.CommonName)
		return nil
	}
	r.does(note)
	spread(t, f, 1)
	if got := caller.get(); got != "gateway 1" {
		t.Errorf("the caller is %q", got)
	}
	write(t, file("ca.pem"), []byte("broken"))
	write(t, file("own.pem"), []byte("broken"))
	r.server.GracefulStop()
	r = secured(t, r.address, dir, clients)
	r.does(note)
	spread(t, f, 3)

	renewed.issue(t, "127.0.0.1", file("server.pem"), file("server.key"))
	renewed.issue(t, "gateway 2", file("own.pem"), file("own.key"))
	r.server.GracefulStop()
	r = secured(t, r.address, dir, clients)
	r.does(note)
	if _, err := say(t.Context(), f); err == nil {
		t.Error("a server of the new authority is believed too early")
	}
	write(t, file("ca.pem"), renewed.pem())
	eventually(t, "it is believed", func() bool { _, err := say(t.Context(), f); return err == nil })
	if got := caller.get(); got != "gateway 2" {
		t.Errorf("the caller is %q", got)
	}
}

// Calls carry the token that is in the file at the moment, also when they are sent
// again.
func TestToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	write(t, path, []byte("first\n"))
	all, targets := many(t, 1)
	s := settings(targets...)
	s.TokenFile = path
	log := &journal{}
	f := openWith(t, s, dial, log.logger())
	var got noted
	all[0].does(func(ctx context.Context) error {
		got.set(header(ctx, "authorization") + header(ctx, "x-more"))
		return nil
	})
	more := func(c *rpc.Call) { c.Metadata = []string{"x-more", "!"} }
	if _, err := say(t.Context(), f, more); err != nil || got.get() != "Bearer first!" {
		t.Errorf("got %q (%v)", got.get(), err)
	}
	write(t, path, []byte("second"))
	eventually(t, "the new one is sent", func() bool { spread(t, f, 1); return got.get() == "Bearer second" })
	write(t, path, nil)
	eventually(t, "the empty file is noticed", func() bool { spread(t, f, 1); return log.has("does not hold a token") })
	if spread(t, f, 1); got.get() != "Bearer second" {
		t.Errorf("after the file was emptied: %q", got.get())
	}
}

// Files that are missing or broken at first are errors.
func TestFilesAtFirst(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken")
	write(t, broken, []byte("two words"))
	for _, path := range []string{broken, broken + "-not-there"} {
		for name, edit := range map[string]func(*grapnel.PluginServer){
			"ca":    func(s *grapnel.PluginServer) { s.TLS = &grapnel.PluginTLS{CA: path} },
			"cert":  func(s *grapnel.PluginServer) { s.TLS = &grapnel.PluginTLS{Cert: path, Key: path} },
			"token": func(s *grapnel.PluginServer) { s.TokenFile = path },
		} {
			s := settings("127.0.0.1:1")
			edit(&s)
			f, err := fleet.New(s, dial, slog.New(slog.DiscardHandler))
			if err == nil {
				f.Close()
				t.Errorf("%s %s was taken", name, path)
			} else if !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %v does not name the file", name, err)
			}
		}
	}
}

// Calls are addressed to what the configuration says, or to the target.
func TestAuthority(t *testing.T) {
	all, targets := many(t, 1)
	_, port, _ := net.SplitHostPort(targets[0])
	for target, want := range map[string]string{targets[0]: targets[0], "dns:///localhost:" + port: "localhost:" + port} {
		for _, configured := range []string{"", "me.test"} {
			s := settings(target)
			s.Authority = configured
			var got noted
			all[0].does(func(ctx context.Context) error { got.set(header(ctx, ":authority")); return nil })
			if spread(t, open(t, s), 1); configured != "" {
				want = configured
			}
			if got.get() != want {
				t.Errorf("%s, %q: :authority %q", target, configured, got.get())
			}
		}
	}
}
