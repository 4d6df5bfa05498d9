package fleet

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestListenerAuthorities: clients are let in by the authority behind their
// certificate, which the listener demands or only asks for.
func TestListenerAuthorities(t *testing.T) {
	own := newIdentity(t, "gateway")
	const refused = 0
	for _, c := range []struct {
		ask                      string
		nobody, friend, stranger int
	}{
		{"request", 200, 200, refused},
		{"require", refused, 200, refused},
	} {
		t.Run(c.ask, func(t *testing.T) {
			friends, others := newAuthority(t, "friends"), newAuthority(t, "others")
			friend, stranger := friends.issue(t, 2, "friend"), others.issue(t, 2, "friend")
			s := newSite(t, "memory:", api("open"))
			s.secure(own, object{"client_certificates": c.ask, "client_ca": friends.file})
			g := s.start(t)
			url := "https://" + g.Addr + "/open/"
			for _, who := range []struct {
				as   *tls.Certificate
				want int
			}{{nil, c.nobody}, {friend, c.friend}, {stranger, c.stranger}} {
				if got, _ := status(clientOf(t, own, who.as, false), url); got != who.want {
					t.Errorf("status %d, want %d", got, who.want)
				}
			}

			// The other authority takes the place of the first one.
			text, err := os.ReadFile(others.file)
			if err != nil {
				t.Fatal(err)
			}
			replace(t, friends.file, text)
			await(t, "let in", func() bool { got, _ := status(clientOf(t, own, stranger, false), url); return got == 200 })
			if got, _ := status(clientOf(t, own, friend, false), url); got != refused {
				t.Errorf("status %d for a friend of the authority that is gone", got)
			}
		})
	}
}

// TestRevocation: who is on the list gets no further, neither by a new handshake
// nor with the ticket of an older session nor on a connection that is open; and
// nobody does on the word of a list that is out of date.
func TestRevocation(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			own, ca := newIdentity(t, "gateway"), newAuthority(t, "friends")
			friend, traitor := ca.issue(t, 2, "friend"), ca.issue(t, 3, "traitor")
			s := newSite(t, "memory:", api("open"))
			s.secure(own, object{"client_certificates": "require", "client_ca": ca.file, "client_crl": []string{ca.crl}})
			g := s.start(t)
			url := "https://" + g.Addr + "/open/"
			client := func(as *tls.Certificate, share bool) *http.Client {
				c := clientOf(t, own, as, share)
				c.Transport.(*http.Transport).TLSClientConfig.MaxVersion = version
				return c
			}
			loyal, resuming, staying := client(friend, false), client(traitor, false), client(traitor, true)
			for _, c := range []*http.Client{loyal, resuming, staying} {
				if got, _ := status(c, url); got != 200 {
					t.Fatalf("status %d before anything is revoked", got)
				}
			}
			for _, c := range []*http.Client{loyal, resuming} {
				if got, resumed := status(c, url); got != 200 || !resumed {
					t.Fatalf("status %d, resumed %v: the session should be resumed", got, resumed)
				}
			}

			ca.revoke(t, time.Now().Add(time.Hour), traitor)
			await(t, "refused where it is open", func() bool { got, _ := status(staying, url); return got == 403 })
			if got, _ := status(resuming, url); got != 0 {
				t.Errorf("status %d with the ticket of an older session", got)
			}
			if got, _ := status(client(traitor, false), url); got != 0 {
				t.Errorf("status %d with a certificate that is revoked", got)
			}
			if got, _ := status(loyal, url); got != 200 {
				t.Errorf("status %d with one that is not", got)
			}

			ca.revoke(t, time.Now().Add(-time.Minute))
			await(t, "refused because of the old list", func() bool { got, _ := status(loyal, url); return got == 0 })
			g.AwaitLog(t, "client certificate refused", "there is no revocation list of today")
			g.AwaitLog(t, "client certificate refused", "the certificate has been revoked")
		})
	}
}

// TestOversizedCertificates: what is more than plugins and upstreams could take is
// refused, and does the gateway no harm.
func TestOversizedCertificates(t *testing.T) {
	own, ca := newIdentity(t, "gateway"), newAuthority(t, "friends")
	s := newSite(t, "memory:", api("open"))
	s.secure(own, object{"client_certificates": "request"})
	g := s.start(t)
	url := "https://" + g.Addr + "/open/"
	names := func(n int) []string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprintf("name-%05d.friends.example", i))
		}
		return out
	}
	friend, large := ca.issue(t, 2, "friend"), ca.issue(t, 3, "large", names(1000)...)
	long := ca.issue(t, 4, "long")
	for range 60 {
		long.Certificate = append(long.Certificate, ca.cert.Raw)
	}
	huge := ca.issue(t, 5, "huge", names(12000)...) // more than crypto/tls reads
	for name, c := range map[string]struct {
		as   *tls.Certificate
		want int
	}{"friend": {friend, 200}, "large": {large, 0}, "long": {long, 0}, "huge": {huge, 0}} {
		if got, _ := status(clientOf(t, own, c.as, false), url); got != c.want {
			t.Errorf("%s: status %d, want %d", name, got, c.want)
		}
	}
	if got, _ := status(clientOf(t, own, friend, false), url); got != 200 {
		t.Errorf("status %d after all these", got)
	}
}

// TestClientCertHeader: upstreams that ask for it are told the certificate of the
// client, and nobody is told what a client says of itself, however it spells that
// [L-1; RFC 9440].
func TestClientCertHeader(t *testing.T) {
	own, ca := newIdentity(t, "gateway"), newAuthority(t, "friends")
	s := newSite(t, "memory:", api("told"), api("open"))
	s.config["apis"].([]object)[0]["client_cert_header"] = true
	for _, a := range s.config["apis"].([]object) { // one that reads trailers, and one that does not
		a["hooks"] = object{"pre": []object{{"plugin": "p", "hook": "Look", "when": `request.query[?"look"].hasValue()`}}}
	}
	s.secure(own, object{"client_certificates": "request", "client_ca": ca.file})
	g := s.start(t)

	between := &authority{}
	between.become(ca.sign(t, authorityForm("between")))
	friend := between.issue(t, 7, "friend")
	friend.Certificate = append(friend.Certificate, between.cert.Raw, ca.cert.Raw)
	sequence := func(der []byte) string { return ":" + base64.StdEncoding.EncodeToString(der) + ":" }

	for name, want := range map[string]struct {
		as          *tls.Certificate
		cert, chain string
	}{
		"told":          {friend, sequence(friend.Certificate[0]), sequence(between.cert.Raw)},
		"told nothing":  {nil, "", ""},
		"open, friend":  {friend, "", ""},
		"open, nothing": {nil, "", ""},
	} {
		path, _, _ := strings.Cut(name, ",")
		path, _, _ = strings.Cut(path, " ")
		for _, more := range []string{"", "?look"} {
			smuggle(t, g.Addr, "/"+path+"/"+more, "", own, want.as)
			if seen, _ := s.upstream.seen(); forged(seen.Trailer) {
				t.Errorf("%s: the upstream got the trailers %v, which nobody announced", name, seen.Trailer)
			}
			smuggle(t, g.Addr, "/"+path+"/"+more, "Trailer: Client-Cert, X-Sum\r\n", own, want.as)
		}
		seen, _ := s.upstream.seen()
		for name, values := range seen.Header {
			if plain := separators.Replace(strings.ToLower(name)); plain == "client-cert" || plain == "client-cert-chain" {
				if name != "Client-Cert" && name != "Client-Cert-Chain" {
					t.Errorf("the upstream got %s: %q", name, values)
				}
			}
		}
		if got := strings.Join(seen.Header["Client-Cert"], "|"); got != want.cert {
			t.Errorf("%s: Client-Cert %q, want %q", name, got, want.cert)
		}
		if got := strings.Join(seen.Header["Client-Cert-Chain"], "|"); got != want.chain {
			t.Errorf("%s: Client-Cert-Chain %q, want %q", name, got, want.chain)
		}
		if len(seen.Trailer) != 1 || seen.Trailer.Get("X-Sum") != "1" {
			t.Errorf("%s: the upstream got the trailers %v", name, seen.Trailer)
		}
	}
}

// forgery is what a client says of its certificate.
const forgery = ":Zm9yZ2Vk:"

// forged reports whether what a client says of its certificate is in a header.
func forged(h http.Header) bool {
	for _, values := range h {
		if slices.Contains(values, forgery) {
			return true
		}
	}
	return false
}

var separators = strings.NewReplacer("_", "-", ".", "-", "'", "-")

// smuggle sends what a client should not say of its certificate.
func smuggle(t *testing.T, addr, path, announced string, server identity, as *tls.Certificate) {
	t.Helper()
	config := clientOf(t, server, as, false).Transport.(*http.Transport).TLSClientConfig
	conn, err := tls.Dial("tcp", addr, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nConnection: close, Client-Cert\r\n", path)
	for _, name := range []string{"Client-Cert", "client-cert", "CLIENT-CERT-CHAIN", "Client_Cert", "client_cert_chain", "Client-Cert_Chain", "Client.Cert", "client'cert"} {
		fmt.Fprintf(conn, "%s: %s\r\n", name, forgery)
	}
	fmt.Fprintf(conn, "%[2]sTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"+
		"X-Sum: 1\r\nClient-Cert: %[1]s\r\nclient_cert_chain: %[1]s\r\nClient-Cert-Chain: %[1]s\r\n\r\n", forgery, announced)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 {
		t.Fatalf("%s: %d %s", path, resp.StatusCode, text)
	}
}
