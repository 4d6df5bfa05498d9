package upstream

import (
	"fmt"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// RemoveHopByHop removes the headers that are about one connection and not
// about the message: Connection and what it names, and the ones that are known
// to be [RFC 9110, 7.6.1; A-50].
func RemoveHopByHop(h http.Header) {
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			h.Del(textproto.TrimString(name))
		}
	}
	for name := range h {
		switch textproto.CanonicalMIMEHeaderKey(name) {
		case "Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
			"Proxy-Connection", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization":
			delete(h, name)
		}
	}
}

// cleanRequest removes the hop-by-hop headers of a request, but for those that
// the gateway has a use for itself: it passes trailers, and the upgrade to
// protocol, unless that is empty.
func cleanRequest(h http.Header, protocol string) {
	trailers := hasToken(h["Te"], "trailers")
	RemoveHopByHop(h)
	if trailers {
		h["Te"] = []string{"trailers"}
	}
	if protocol != "" {
		h["Connection"] = []string{"Upgrade"}
		h["Upgrade"] = []string{protocol}
	}
}

// header is the header that goes upstream: the request's, the exchange's id, and
// who called. It shares the values of the request's header, but not the map.
func (s *stage) header(x *grapnel.Exchange) http.Header {
	r := x.Request
	peer := peerOf(r)
	trusted := s.trusted.contain(peer)
	h := make(http.Header, len(r.Header)+5)
	for name, values := range r.Header {
		if trusted || !forwarding(name) {
			h[name] = values
		}
	}
	values := new([5]string) // one allocation for what is set here
	set := func(i int, name, value string) {
		values[i] = value
		h[name] = values[i : i+1 : i+1]
	}
	if _, ok := h["User-Agent"]; !ok {
		set(0, "User-Agent", "") // an empty one keeps net/http from inventing its own
	}
	if x.ID != "" {
		set(1, "X-Request-Id", x.ID)
	}
	if peer.IsValid() {
		prior := h["X-Forwarded-For"]
		set(2, "X-Forwarded-For", peer.String())
		if len(prior) > 0 {
			values[2] = strings.Join(prior, ", ") + ", " + values[2]
		}
	}
	if h["X-Forwarded-Host"] == nil {
		set(3, "X-Forwarded-Host", r.Host)
	}
	if h["X-Forwarded-Proto"] == nil {
		set(4, "X-Forwarded-Proto", scheme(r))
	}
	if s.api.ClientCertHeader {
		s.tellClientCert(x, h)
	}
	return h
}

// forwarding reports whether a header tells what earlier proxies saw.
func forwarding(name string) bool {
	name = textproto.CanonicalMIMEHeaderKey(name)
	return strings.HasPrefix(name, "X-Forwarded-") || name == "Forwarded"
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// upgradeOf is the protocol that the client wants to switch to, or empty. h2c
// is none: behind such a switch, requests would pass the gateway unseen. It and the
// checks of single protocols (graphql) have to mean the same by a list in several
// lines.
func upgradeOf(r *http.Request) string {
	if r.ProtoMajor != 1 || r.ProtoMinor < 1 || !hasToken(r.Header["Connection"], "upgrade") {
		return ""
	}
	if hasToken(r.Header["Upgrade"], "h2c") {
		return ""
	}
	return strings.Join(r.Header["Upgrade"], ", ")
}

// checkUpgrade refuses a switch to what the client did not ask for [RFC 9110,
// 7.8].
func checkUpgrade(resp *http.Response, asked string) error {
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil
	}
	got := resp.Header.Get("Upgrade")
	if asked != "" && got != "" && hasToken([]string{asked}, got) {
		return nil
	}
	return &grapnel.Error{
		Status: http.StatusBadGateway, Code: grapnel.CodeUpstreamFailed, Message: messageFailed,
		Err: fmt.Errorf("the upstream switched to protocol %q, the client asked for %q", got, asked),
	}
}

// hasToken reports whether a list in header lines has the token, in any case.
func hasToken(lines []string, token string) bool {
	for _, line := range lines {
		for v := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(textproto.TrimString(v), token) {
				return true
			}
		}
	}
	return false
}
