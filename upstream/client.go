package upstream

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// networks are address ranges.
type networks []netip.Prefix

func (n networks) contain(a netip.Addr) bool {
	for _, p := range n {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// ClientAddr is the address of the client that began the request: the last one
// in the chain of X-Forwarded-For and peer that is not a trusted proxy's, or the
// first one where all are. It is the zero address when the peer has none.
func ClientAddr(r *http.Request, trusted []netip.Prefix) netip.Addr {
	client := peerOf(r)
	lines := r.Header["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		for rest := lines[i]; rest != ""; {
			if !networks(trusted).contain(client) {
				return client
			}
			comma := strings.LastIndexByte(rest, ',')
			hop := addrOf(strings.TrimSpace(rest[comma+1:]))
			if !hop.IsValid() {
				return client // what stands before it may be anyone's
			}
			client, rest = hop, rest[:max(comma, 0)]
		}
	}
	return client
}

// peerOf is the address at the other end of the client's connection.
func peerOf(r *http.Request) netip.Addr { return addrOf(r.RemoteAddr) }

// addrOf reads an address with or without a port; the zero address means that
// s is neither.
func addrOf(s string) netip.Addr {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}
