package fleet

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// notes has the hooks of a name note what they see.
func (p *plugin) notes(name string) (last func() *coprocess.Object) {
	var mu sync.Mutex
	var seen *coprocess.Object
	p.on(name, func(o *coprocess.Object) {
		mu.Lock()
		defer mu.Unlock()
		seen = proto.CloneOf(o)
	})
	return func() *coprocess.Object {
		mu.Lock()
		defer mu.Unlock()
		return seen
	}
}

const jwtSecret = "between the issuer and the gateway"

// jwt is a token with these claims.
func jwt(claims string) string {
	part := base64.RawURLEncoding.EncodeToString
	text := part([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + part([]byte(claims))
	mac := hmac.New(sha256.New, []byte(jwtSecret))
	io.WriteString(mac, text)
	return text + "." + part(mac.Sum(nil))
}

// TestFactsOverTLS: a hook is told what it asks for about a caller with a
// certificate and a token who posts a query, and later a form, through a proxy that
// the gateway trusts; and a hook that asks for nothing is told nothing [L-1, L-29].
func TestFactsOverTLS(t *testing.T) {
	own, ca := newIdentity(t, "gateway"), newAuthority(t, "friends")
	friend := ca.issue(t, 2, "friend", "friend.example")
	s := siteOfFacts(t)
	s.secure(own, object{"client_certificates": "request", "client_ca": ca.file})
	told, untold := s.plugin.notes("Look"), s.plugin.notes("Old")
	g := s.start(t)
	client := particular(clientOf(t, own, friend, false))
	post := func(path, kind, body string) *coprocess.Facts {
		t.Helper()
		r, err := http.NewRequest(http.MethodPost, "https://"+g.Addr+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", jwt(`{"sub":"ann","exp":4102444800,"groups":["a","b"],"n":9007199254740993}`))
		r.Header.Set("Content-Type", kind)
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		if got, err := send(client, r); err != nil || got.status != 200 {
			t.Fatalf("%s: %v %v", path, got, err)
		}
		if f := untold().GetFacts(); f != nil {
			t.Errorf("a hook that did not ask was told %v", f)
		}
		return told().GetFacts()
	}

	before := time.Now()
	f := post("/graph/", "application/json", `{"query":"query Who {me{friend:name name}}"}`)
	if f.GetClient().GetPeer() == "" || f.GetRoute().GetRequestId() == "" || before.UnixNano() > f.GetRoute().GetReceived() || f.GetRoute().GetReceived() > time.Now().UnixNano() {
		t.Errorf("client %v, route %v", f.GetClient(), f.GetRoute())
	}
	if c := f.GetCertificate(); !c.GetVerified() || c.GetFingerprint() != (identity{Certificate: *friend}).fingerprint() || c.GetDnsNames()[0] != "friend.example" {
		t.Errorf("the certificate is told as %v", c)
	}
	want := &coprocess.Facts{
		Client: &coprocess.ClientFacts{Address: "203.0.113.9", Protocol: "HTTP/2.0"},
		Tls:    &coprocess.TLSFacts{Version: "TLS 1.2", CipherSuite: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", ServerName: "gateway.example", Protocol: "h2"},
		Route:  &coprocess.RouteFacts{ApiName: "graph", ListenPath: "/graph/", MatchedPath: "/graph", Targets: []string{s.upstream.URL}},
		Claims: `{"exp":4102444800,"groups":["a","b"],"n":9007199254740993,"sub":"ann"}`,
		Graphql: &coprocess.GraphQLFacts{Depth: 2, Complexity: 3, Aliases: 1, Operations: []*coprocess.GraphQLOperation{
			{Kind: "query", Name: "Who", Type: "Query", RootFields: []string{"me"}, Depth: 2, Complexity: 3, Aliases: 1},
		}},
	}
	ignore := []cmp.Option{
		protocmp.Transform(), protocmp.IgnoreFields(&coprocess.Facts{}, "certificate"), protocmp.IgnoreFields(&coprocess.ClientFacts{}, "peer"),
		protocmp.IgnoreFields(&coprocess.RouteFacts{}, "request_id", "received"),
	}
	if diff := cmp.Diff(want, f, ignore...); diff != "" {
		t.Error(diff)
	}
	f = post("/form/", "application/x-www-form-urlencoded", "a=1&b=%20&a=2&%zz")
	form := []*coprocess.Param{{Name: "a", Values: []string{"1", "2"}}, {Name: "b", Values: []string{" "}}}
	if diff := cmp.Diff(form, f.GetForm(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

// particular has a client speak HTTP/2 over TLS 1.2, where it says which cipher suite
// it wants, to a server of some name.
func particular(client *http.Client) *http.Client {
	transport := client.Transport.(*http.Transport)
	transport.ForceAttemptHTTP2 = true
	config := transport.TLSClientConfig
	config.MaxVersion, config.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
	config.ServerName, config.InsecureSkipVerify = "gateway.example", true // the name is not in the certificate
	return client
}

// siteOfFacts has an API that speaks GraphQL, and one that does not. Their callers
// have tokens.
func siteOfFacts(t *testing.T) *site {
	t.Helper()
	form := api("form", object{"jwt": object{"algorithms": []string{"HS256"}, "secret": jwtSecret}})
	graph := graphAPI("graph", object{}, form["auth"].([]object)[0])
	for _, a := range []object{form, graph} {
		facts := []string{"client", "tls", "certificate", "route", "claims", "graphql", "form"}
		a["name"] = a["id"]
		a["hooks"] = object{"post": []object{{"plugin": "p", "hook": "Look", "facts": facts}, {"plugin": "p", "hook": "Old"}}}
	}
	s := newSite(t, "memory:", form, graph)
	s.config["trusted_proxies"] = []string{"127.0.0.0/8"}
	return s
}
