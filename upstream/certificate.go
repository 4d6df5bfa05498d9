package upstream

import (
	"crypto/x509"
	"encoding/base64"
	"io"
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// The headers that tell an upstream the client's certificate [RFC 9440].
const (
	clientCert      = "Client-Cert"
	clientCertChain = "Client-Cert-Chain"
)

// StripClientCert removes what a client says itself about its certificate, from
// the header and from the trailers: plugins and upstreams would take it for the
// gateway's word [RFC 9440, 4].
func StripClientCert(r *http.Request) {
	strip(r.Header)
	if r.Trailer != nil { // the values come behind the body, and names that were not announced
		strip(r.Trailer)
		r.Body = &stripped{r.Body, r.Trailer}
	}
}

// strip removes the headers by all names that an upstream could read as theirs:
// CGI and its heirs make one character of all that is neither letter nor digit.
func strip(h http.Header) {
	for name := range h {
		if means(name, clientCert) || means(name, clientCertChain) {
			delete(h, name)
		}
	}
}

// means reports whether a name is the wanted one, but for case and separators.
func means(name, want string) bool {
	if len(name) != len(want) {
		return false
	}
	for i := range len(name) {
		c, w := lower(name[i]), lower(want[i])
		if c != w && (w != '-' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9') {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// A stripped body removes from the trailers, which come at its end, what says
// something about a certificate.
type stripped struct {
	io.ReadCloser
	trailer http.Header
}

func (s *stripped) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if err == io.EOF {
		strip(s.trailer)
	}
	return n, err
}

// tellClientCert puts the client's certificate into a header that goes upstream,
// if it has one that counts: the listener's authorities stand behind it, or the
// API has looked it up in its lists. The chain is the one that the listener has
// verified, without the certificate itself and the authority [RFC 9440, 2].
func (s *stage) tellClientCert(x *grapnel.Exchange, h http.Header) {
	strip(h)
	state := x.Request.TLS
	if state == nil || len(state.PeerCertificates) == 0 || len(state.VerifiedChains) == 0 && !s.checked && (!s.listed || x.Open) {
		return
	}
	h[clientCert] = []string{byteSequence(state.PeerCertificates[0])}
	if len(state.VerifiedChains) == 0 {
		return
	}
	var chain []string
	verified := state.VerifiedChains[0]
	for _, c := range verified[1:max(1, len(verified)-1)] {
		chain = append(chain, byteSequence(c))
	}
	if chain != nil {
		h[clientCertChain] = chain
	}
}

// byteSequence is a certificate as structured fields have binary data [RFC 9651,
// 3.3.5].
func byteSequence(c *x509.Certificate) string {
	return ":" + base64.StdEncoding.EncodeToString(c.Raw) + ":"
}
