package upstream

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// ownPair writes a certificate of the gateway's own and its key.
func ownPair(t *testing.T, cert, key string) *x509.Certificate {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, form, form, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, cert, "CERTIFICATE", der)
	writePEM(t, key, "PRIVATE KEY", secret)
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestUpstreamTLS(t *testing.T) { everyClient(t, testUpstreamTLS) }

// testUpstreamTLS: the gateway proves itself to an upstream that wants it, and
// takes none for it that its own authority does not stand behind.
func testUpstreamTLS(t *testing.T, client grapnel.UpstreamClient) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	own := ownPair(t, file("own.pem"), file("own.key"))
	ownPair(t, file("foreign.pem"), file("foreign.key"))
	up := echo(t, func(s *httptest.Server) {
		s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()}
		s.TLS.ClientCAs.AddCert(own)
		s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
		s.StartTLS()
	})
	writePEM(t, file("ca.pem"), "CERTIFICATE", up.Certificate().Raw)
	proof := grapnel.UpstreamTLS{CA: file("ca.pem"), Cert: file("own.pem"), Key: file("own.key")}
	for name, c := range map[string]struct {
		change func(*grapnel.UpstreamTLS)
		served bool
	}{
		"proof":              {func(*grapnel.UpstreamTLS) {}, true},
		"another name of it": {func(u *grapnel.UpstreamTLS) { u.ServerName = "example.com" }, true},
		"no name of it":      {func(u *grapnel.UpstreamTLS) { u.ServerName = "other.example" }, false},
		"another authority":  {func(u *grapnel.UpstreamTLS) { u.CA = file("foreign.pem") }, false},
		"the system's":       {func(u *grapnel.UpstreamTLS) { u.CA = "" }, false},
		"no proof":           {func(u *grapnel.UpstreamTLS) { u.Cert, u.Key = "", "" }, false},
		"another's proof":    {func(u *grapnel.UpstreamTLS) { u.Cert, u.Key = file("foreign.pem"), file("foreign.key") }, false},
	} {
		api := apiOf(t, up.URL)
		api.Client, api.TLS = client, proof
		c.change(&api.TLS)
		resp, err := handler(t, api, grapnel.Server{})(exchange(t, api, http.MethodGet, "/t/x"))
		if (err == nil) != c.served {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			resp.Body.Close()
		}
	}

	api := apiOf(t, up.URL)
	for _, bad := range []grapnel.UpstreamTLS{{CA: file("own.key")}, {CA: file("gone")}, {Cert: file("own.pem"), Key: file("foreign.key")}} {
		api.TLS = bad
		if _, err := Handler(api, grapnel.Server{}, NewTransports(slog.New(slog.DiscardHandler))); err == nil {
			t.Errorf("accepted: %+v", bad)
		}
	}
}

// A certificate that nobody stands behind is not told, and neither is what a hook
// put in its place.
func TestUncheckedCertificate(t *testing.T) {
	cert := ownPair(t, filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b"))
	up := echo(t, (*httptest.Server).Start)
	listed := []grapnel.AuthMethod{{Certificate: &grapnel.CertificateAuth{}}}
	for name, c := range map[string]struct {
		auth []grapnel.AuthMethod
		open bool
		told bool
	}{"unchecked": {}, "listed": {auth: listed, told: true}, "not looked up": {auth: listed, open: true}} {
		api := apiOf(t, up.URL)
		api.ClientCertHeader, api.Auth = true, c.auth
		x := exchange(t, api, http.MethodGet, "/t/x")
		x.Open = c.open
		x.Request.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
		x.Request.Header["Client_cert"] = []string{"forged"}
		got := send(t, handler(t, api, grapnel.Server{}), x).Header
		if (got.Get("Client-Cert") != "") != c.told || got.Get("Client-Cert-Chain") != "" || got["Client_cert"] != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Every spelling that an upstream could take for a certificate's is removed, and
// nothing else.
func TestStripClientCert(t *testing.T) {
	kept := []string{"Client-Certs", "Client-Cart", "Clientacert", "Client0cert", "X-Client-Cert", "Traceparent"}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("body"))
	r.Header = http.Header{}
	for _, name := range append([]string{"Client-Cert", "client-cert", "CLIENT_CERT", "Client_Cert-chain", "client.cert.chain", "client~cert"}, kept...) {
		r.Header[name] = []string{"x"}
	}
	r.Trailer = http.Header{"Client-Cert": nil, "X-Sum": nil}
	StripClientCert(r)
	for name := range r.Header {
		if !slices.Contains(kept, name) {
			t.Errorf("%s is still there", name)
		}
	}
	if len(r.Header) != len(kept) || len(r.Trailer) != 1 {
		t.Errorf("left: %v and %v", r.Header, r.Trailer)
	}
	r.Trailer["Client_cert_chain"], r.Trailer["X-Sum"] = []string{"x"}, []string{"1"}
	if _, err := io.ReadAll(r.Body); err != nil || len(r.Trailer) != 1 {
		t.Errorf("%v, trailers left: %v", err, r.Trailer)
	}
}

func BenchmarkStripClientCert(b *testing.B) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, name := range []string{"Accept", "Accept-Encoding", "Authorization", "Cookie", "User-Agent", "Traceparent"} {
		r.Header.Set(name, "x")
	}
	b.ReportAllocs()
	for b.Loop() {
		StripClientCert(r)
	}
}
