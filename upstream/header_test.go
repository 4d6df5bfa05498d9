package upstream

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRemoveHopByHop(t *testing.T) { // RFC 9110, 7.6.1; A-50
	for _, c := range []struct {
		name     string
		in, want http.Header
	}{
		{"nothing", http.Header{"X-A": {"1", "2"}}, http.Header{"X-A": {"1", "2"}}},
		{"the known ones", http.Header{
			"Connection": {"close"}, "Keep-Alive": {"5"}, "Te": {"gzip"}, "Trailer": {"X"}, "Transfer-Encoding": {"chunked"},
			"Upgrade": {"foo"}, "Proxy-Connection": {"close"}, "Proxy-Authenticate": {"x"}, "Proxy-Authorization": {"y"},
			"Proxy-Authentication-Info": {"z"}, "Content-Type": {"text/plain"},
		}, http.Header{"Content-Type": {"text/plain"}}},
		{"what Connection names", http.Header{"Connection": {"x-a, X-B", "close ,X-C"}, "X-A": {"1"}, "X-B": {"2"}, "X-C": {"3"}, "X-D": {"4"}},
			http.Header{"X-D": {"4"}}},
		{"names that a plugin wrote its own way", http.Header{"connection": {"close"}, "x-a": {"1"}}, http.Header{"x-a": {"1"}}},
		{"empty Connection", http.Header{"Connection": {"", " , "}, "X-A": {"1"}}, http.Header{"X-A": {"1"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			RemoveHopByHop(c.in)
			if diff := cmp.Diff(c.want, c.in); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCleanRequest(t *testing.T) {
	for _, c := range []struct {
		name, protocol string
		in, want       http.Header
	}{
		{"trailers are welcome", "", http.Header{"Te": {"gzip, Trailers"}, "Connection": {"TE"}}, http.Header{"Te": {"trailers"}}},
		{"upgrade", "websocket", http.Header{"Connection": {"keep-alive, Upgrade, X-A"}, "Upgrade": {"websocket"}, "X-A": {"1"}},
			http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cleanRequest(c.in, c.protocol)
			if diff := cmp.Diff(c.want, c.in); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUpgradeOf(t *testing.T) { // RFC 9110, 7.8
	for _, c := range []struct {
		name, connection, upgrade string
		major, minor              int
		want                      string
	}{
		{"websocket", "Upgrade", "websocket", 1, 1, "websocket"},
		{"in any case, among others", "keep-alive, UPGRADE", "WebSocket", 1, 1, "WebSocket"},
		{"not asked for", "keep-alive", "websocket", 1, 1, ""},
		{"HTTP/1.0", "Upgrade", "websocket", 1, 0, ""},
		{"HTTP/2", "Upgrade", "websocket", 2, 0, ""},
		{"h2c would hide requests", "Upgrade, HTTP2-Settings", "h2c", 1, 1, ""},
		{"h2c among others", "Upgrade", "foo, H2C", 1, 1, ""},
		{"h2c in a line of its own", "Upgrade", "websocket|h2c", 1, 1, ""},
		{"several lines", "Upgrade", "websocket|foo", 1, 1, "websocket, foo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			upgrade := strings.Split(c.upgrade, "|") // lines
			r := &http.Request{ProtoMajor: c.major, ProtoMinor: c.minor, Header: http.Header{"Connection": {c.connection}, "Upgrade": upgrade}}
			if got := upgradeOf(r); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestForwardedHeaders(t *testing.T) { // P-11
	const peer = "10.0.0.9"
	forged := http.Header{
		"X-Forwarded-For": {"1.1.1.1", "2.2.2.2"}, "X-Forwarded-Host": {"shop.example"}, "X-Forwarded-Proto": {"https"},
		"X-Forwarded-Port": {"1"}, "Forwarded": {"for=1.1.1.1"}, "X-A": {"1"}, "User-Agent": {"curl"},
	}
	for _, c := range []struct {
		name    string
		trusted string
		tls     bool
		in      http.Header
		want    http.Header
	}{
		{"first proxy", "", false, http.Header{}, http.Header{
			"X-Forwarded-For": {peer}, "X-Forwarded-Host": {"api.example"}, "X-Forwarded-Proto": {"http"}, "User-Agent": {""},
		}},
		{"TLS", "", true, http.Header{"User-Agent": {"curl"}}, http.Header{
			"X-Forwarded-For": {peer}, "X-Forwarded-Host": {"api.example"}, "X-Forwarded-Proto": {"https"}, "User-Agent": {"curl"},
		}},
		{"anyone's word counts for nothing", "10.0.0.0/29", false, forged, http.Header{
			"X-Forwarded-For": {peer}, "X-Forwarded-Host": {"api.example"}, "X-Forwarded-Proto": {"http"}, "X-A": {"1"}, "User-Agent": {"curl"},
		}},
		{"a trusted proxy's does", "10.0.0.0/8", false, forged, http.Header{
			"X-Forwarded-For": {"1.1.1.1, 2.2.2.2, " + peer}, "X-Forwarded-Host": {"shop.example"}, "X-Forwarded-Proto": {"https"},
			"X-Forwarded-Port": {"1"}, "Forwarded": {"for=1.1.1.1"}, "X-A": {"1"}, "User-Agent": {"curl"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := exchange(t, apiOf(t, "http://h"), http.MethodGet, "/t/x")
			x.Request.RemoteAddr, x.Request.Host, x.Request.Header = peer+":1234", "api.example", c.in.Clone()
			if c.tls {
				x.Request.TLS = &tls.ConnectionState{}
			}
			s := stageOf(x.API)
			if c.trusted != "" {
				s.trusted = networks{netip.MustParsePrefix(c.trusted)}
			}
			c.want["X-Request-Id"] = []string{"id-1"}
			if diff := cmp.Diff(c.want, s.header(x)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.in, x.Request.Header); diff != "" {
				t.Errorf("the exchange's own header changed, which response hooks see [B-29]: %s", diff)
			}
		})
	}
}

func TestClientAddr(t *testing.T) {
	lan, all := "10.0.0.0/8", "0.0.0.0/0"
	for _, c := range []struct {
		name, peer string
		trusted    []string
		lines      []string
		want       string
	}{
		{"no proxy", "9.9.9.9:1", nil, nil, "9.9.9.9"},
		{"nobody is trusted", "9.9.9.9:1", nil, []string{"1.1.1.1"}, "9.9.9.9"},
		{"peer is not trusted", "9.9.9.9:1", []string{lan}, []string{"1.1.1.1"}, "9.9.9.9"},
		{"one proxy", "10.0.0.1:1", []string{lan}, []string{"1.1.1.1"}, "1.1.1.1"},
		{"what the client forged", "10.0.0.1:1", []string{lan}, []string{"6.6.6.6, 1.1.1.1"}, "1.1.1.1"},
		{"two proxies", "10.0.0.1:1", []string{lan}, []string{"6.6.6.6, 1.1.1.1,10.0.0.2"}, "1.1.1.1"},
		{"several lines", "10.0.0.1:1", []string{lan}, []string{"6.6.6.6", "1.1.1.1", "10.0.0.2"}, "1.1.1.1"},
		{"all are trusted", "10.0.0.1:1", []string{all}, []string{"6.6.6.6, 1.1.1.1", "10.0.0.2"}, "6.6.6.6"},
		{"garbage ends the chain", "10.0.0.1:1", []string{lan}, []string{"1.1.1.1, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"ports and brackets", "10.0.0.1:1", []string{lan}, []string{"[2001:db8::1]:80"}, "2001:db8::1"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:1", []string{lan}, []string{"::ffff:1.1.1.1"}, "1.1.1.1"},
		{"IPv6 zone", "[fe80::1%eth0]:1", []string{"fe80::/10"}, []string{"1.1.1.1:99"}, "1.1.1.1"},
		{"no address", "@", []string{lan}, []string{"1.1.1.1"}, "invalid IP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var trusted []netip.Prefix
			for _, s := range c.trusted {
				trusted = append(trusted, netip.MustParsePrefix(s))
			}
			r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.lines}}
			if got := ClientAddr(r, trusted).String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
