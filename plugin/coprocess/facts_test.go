package coprocess

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// clientCertificate is what a client might show.
func clientCertificate(t *testing.T) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spiffe, _ := url.Parse("spiffe://acme/shop")
	form := &x509.Certificate{
		SerialNumber: big.NewInt(4711), Subject: pkix.Name{CommonName: "shop", Organization: []string{"Acme, Inc"}},
		NotBefore: time.Unix(1000, 0), NotAfter: time.Unix(2000, 0),
		DNSNames: []string{"a.test", "b.test"}, IPAddresses: []net.IP{net.ParseIP("2001:db8::1")}, EmailAddresses: []string{"a@b.test"}, URIs: []*url.URL{spiffe},
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rich is an exchange with something to tell of everything.
func rich(t *testing.T) *grapnel.Exchange {
	x := exchange(t, "POST /t/a", "a=1&b=%20&a=%zz&a=3", "Content-Type: application/x-www-form-urlencoded; charset=utf-8")
	c := clientCertificate(t)
	x.Request.RemoteAddr = "198.51.100.7:4444"
	x.Request.TLS = &tls.ConnectionState{
		Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256, ServerName: "shop.test", NegotiatedProtocol: "h2",
		PeerCertificates: []*x509.Certificate{c, c}, VerifiedChains: [][]*x509.Certificate{{c}},
	}
	target := &grapnel.URL{}
	if err := target.UnmarshalText([]byte("https://user:secret@up.test/base")); err != nil {
		t.Fatal(err)
	}
	x.API.Targets, x.Version = []*grapnel.URL{target}, &grapnel.Version{Name: "v2"}
	x.Start = time.Unix(3, 4)
	x.Claims = map[string]any{"sub": "ann", "exp": json.Number("12345678901234567890"), "roles": []any{"a"}}
	x.GraphQL = &grapnel.GraphQLFacts{
		Depth: 3, Complexity: 5, Aliases: 1,
		Operations: []grapnel.GraphQLOperation{{
			Kind: "mutation", Name: "Buy", Type: "Mutation", Depth: 3, Complexity: 5, Aliases: 1, Roots: []grapnel.GraphQLRoot{{Name: "buy"}, {Name: "pay"}},
		}},
	}
	return x
}

// L-1, L-29: each fact is told where it is asked for, whatever the mode, and
// nothing else is.
func TestFacts(t *testing.T) {
	x := rich(t)
	c := x.Request.TLS.PeerCertificates[0]
	want := &wire.Facts{
		Client: &wire.ClientFacts{Address: "192.0.2.1", Peer: "198.51.100.7:4444", Protocol: "HTTP/1.1"},
		Tls:    &wire.TLSFacts{Version: "TLS 1.3", CipherSuite: "TLS_AES_128_GCM_SHA256", ServerName: "shop.test", Protocol: "h2"},
		Certificate: &wire.ClientCertificate{
			Pem: pemOf(c), Chain: []string{pemOf(c)}, Subject: `CN=shop,O=Acme\, Inc`, Issuer: `CN=shop,O=Acme\, Inc`, Serial: "4711",
			DnsNames: []string{"a.test", "b.test"}, IpAddresses: []string{"2001:db8::1"}, EmailAddresses: []string{"a@b.test"}, Uris: []string{"spiffe://acme/shop"},
			NotBefore: 1000, NotAfter: 2000, Verified: true,
		},
		Route: &wire.RouteFacts{
			RequestId: "x-1", ApiName: "test", ListenPath: "/t/", MatchedPath: "/t/", Version: "v2", Targets: []string{"https://user:xxxxx@up.test/base"}, Received: 3e9 + 4,
		},
		Claims: `{"exp":12345678901234567890,"roles":["a"],"sub":"ann"}`,
		Graphql: &wire.GraphQLFacts{Depth: 3, Complexity: 5, Aliases: 1, Operations: []*wire.GraphQLOperation{{
			Kind: "mutation", Name: "Buy", Type: "Mutation", RootFields: []string{"buy", "pay"}, Depth: 3, Complexity: 5, Aliases: 1,
		}}},
		Form: []*wire.Param{param("a", "1", "3"), param("b", " ")},
	}
	p := start(t)
	for _, compat := range bothModes {
		client := p.client(t, compat)
		all := p.told(t, client, x, grapnel.Facts()...)
		if len(all.Certificate.Fingerprint) != 64 {
			t.Errorf("fingerprint %q", all.Certificate.Fingerprint)
		}
		all.Certificate.Fingerprint = ""
		if diff := cmp.Diff(want, all, protoEqual()); diff != "" {
			t.Error(diff)
		}
		for _, f := range grapnel.Facts() {
			told := p.told(t, client, x, f)
			parts := 0
			told.ProtoReflect().Range(func(protoreflect.FieldDescriptor, protoreflect.Value) bool { parts++; return true })
			if name := told.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(f)); parts != 1 || !told.ProtoReflect().Has(name) {
				t.Errorf("%s tells %v", f, told)
			}
		}
		if told := p.told(t, client, x); told != nil {
			t.Errorf("without being asked: %v", told)
		}
		if told := p.told(t, client, exchange(t, "GET /t/a", ""), grapnel.FactTLS, grapnel.FactCertificate, grapnel.FactClaims, grapnel.FactGraphQL, grapnel.FactForm); proto.Size(told) != 0 {
			t.Errorf("of nothing: %v", told)
		}
	}
}

// told are the facts that a hook gets which asks for these.
func (p *plugin) told(t *testing.T, c *Client, x *grapnel.Exchange, facts ...grapnel.Fact) *wire.Facts {
	t.Helper()
	b, err := c.Bind(x.API, grapnel.Hook{Stage: grapnel.Pre, Facts: facts})
	if err != nil {
		t.Fatal(err)
	}
	pass(t, b.(*binding), x)
	return p.object().Facts
}

// Forms in both encodings; what is broken ends the form, or is left out.
func TestForm(t *testing.T) {
	const urlencoded, multipart = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
	part := func(disposition, body string) string {
		return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + body + "\r\n"
	}
	tests := map[string]struct {
		kind, body string
		want       []*line
	}{
		"urlencoded": {urlencoded, "a=1&a&b=2&a=x+y&c=%zz&d;e=1", []*line{{"a", []string{"1", "", "x y"}}, {"b", []string{"2"}}}},
		"none":       {urlencoded, "", nil},
		"JSON":       {"application/json", `{"a":1}`, nil},
		"no type":    {"", "a=1", nil},
		"multipart": {
			multipart, part(`name="a"`, "1") + part(`name="f"; filename="x"`, "file") + part(`name="a"`, "\xff") + part(`name=""`, "?") + "--b--",
			[]*line{{"a", []string{"1", "\uFFFD"}}},
		},
		"multipart that breaks off":    {multipart, part(`name="a"`, "1") + "--b\r\nContent-Disp", []*line{{"a", []string{"1"}}}},
		"multipart without a boundary": {"multipart/form-data", part(`name="a"`, "1"), nil},
	}
	for name, test := range tests {
		if diff := cmp.Diff(test.want, form(test.kind, []byte(test.body)), cmp.AllowUnexported(line{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
