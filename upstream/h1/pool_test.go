package h1

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// next is the connection that would be taken next.
func next(tr *Transport) *conn {
	for _, stack := range tr.idle.idle {
		if n := len(stack); n > 0 {
			return stack[n-1]
		}
	}
	return nil
}

// TestUnaskedBytes: what an upstream sends without being asked is not taken for
// the reply to the next request.
func TestUnaskedBytes(t *testing.T) { // RFC 9112, 11.2
	for _, c := range []struct {
		name, more string
		with       string // goes with the reply
	}{
		{"with the reply", "", forged},
		{"later", forged, ""},
		{"a byte", "\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			done := make(chan struct{})
			u := speaks(t, func(n int, conn net.Conn, br *bufio.Reader) {
				http.ReadRequest(br)
				if n > 0 {
					io.WriteString(conn, ok)
					return
				}
				io.WriteString(conn, ok+c.with)
				<-done
				io.WriteString(conn, c.more)
				http.ReadRequest(br)
			})
			tr := newTransport(t)
			read(t, do(t, tr, get(t, u.url)))
			close(done)
			if one := next(tr); one != nil {
				eventually(t, func() bool { return !one.alive() })
			} else if c.with == "" {
				t.Fatal("the connection was not kept")
			}
			if got := read(t, do(t, tr, get(t, u.url))); got != "ok" || u.conns.Load() != 2 {
				t.Errorf("got %q over connection %d", got, u.conns.Load())
			}
		})
	}
}

// TestUnaskedBytesWithTLS is the same where they come encrypted, together with
// the reply and after it.
func TestUnaskedBytesWithTLS(t *testing.T) {
	for _, later := range []bool{false, true} {
		wait := make(chan struct{})
		up := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/second" {
				io.WriteString(w, "ok")
				return
			}
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer c.Close()
			io.WriteString(c, ok)
			if later {
				<-wait
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
			io.Copy(io.Discard, c)
		}))
		tr := newTransport(t)
		tr.TLS = trusting(up)
		read(t, do(t, tr, get(t, up.URL)))
		close(wait)
		if one := next(tr); one != nil {
			eventually(t, func() bool { return !one.alive() })
		}
		if got := read(t, do(t, tr, get(t, up.URL+"/second"))); got != "ok" {
			t.Errorf("later %v: got %q", later, got)
		}
		tr.CloseIdleConnections()
		up.Close()
	}
}

func trusting(up *httptest.Server) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(up.Certificate())
	return &tls.Config{RootCAs: pool}
}

// TestClosedWhileIdle: not even a POST notices.
func TestClosedWhileIdle(t *testing.T) {
	u := speaks(t, func(_ int, c net.Conn, br *bufio.Reader) {
		if _, err := http.ReadRequest(br); err == nil {
			io.WriteString(c, ok)
		}
	})
	tr := newTransport(t)
	read(t, do(t, tr, get(t, u.url)))
	one := next(tr)
	eventually(t, func() bool { return !one.alive() })
	if got := read(t, do(t, tr, request(t, http.MethodPost, u.url, strings.NewReader("x")))); got != "ok" {
		t.Errorf("got %q", got)
	}
}

// TestClosedWhenUsed: the upstream closes a connection when it is used for the
// second time, as one does whose keep-alive time ran out just then. Requests go
// out again once, if they may [RFC 9110, 9.2.2].
func TestClosedWhenUsed(t *testing.T) {
	for _, c := range []struct {
		name   string
		make   func(url string) *http.Request
		answer string // what comes before the end
		conns  int32  // that the second exchange made
		works  bool
	}{
		{"GET", func(u string) *http.Request { return get(t, u) }, "", 1, true},
		{"POST", func(u string) *http.Request { return request(t, "POST", u, strings.NewReader("x")) }, "", 0, false},
		{"POST that may be repeated", func(u string) *http.Request {
			r := request(t, "POST", u, strings.NewReader("x"))
			r.Header.Set("Idempotency-Key", "1")
			return r
		}, "", 1, true},
		{"body that is gone", func(u string) *http.Request { return request(t, "GET", u, streaming("x")) }, "", 0, false},
		{"a reply had begun", func(u string) *http.Request { return get(t, u) }, "HTTP/1.1 ", 0, false},
		{"an interim reply had come", func(u string) *http.Request { return get(t, u) }, "HTTP/1.1 103 Early Hints\r\n\r\n", 0, false},
		{"again and again", func(u string) *http.Request { return get(t, u+"/never") }, "", 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := speaks(t, func(_ int, conn net.Conn, br *bufio.Reader) {
				for first := true; ; first = false {
					r, err := http.ReadRequest(br)
					if err != nil {
						return
					}
					io.Copy(io.Discard, r.Body)
					if !first || r.URL.Path == "/never" {
						io.WriteString(conn, c.answer)
						return
					}
					io.WriteString(conn, ok)
				}
			})
			tr := newTransport(t)
			read(t, do(t, tr, get(t, u.url)))
			resp, err := tr.RoundTrip(c.make(u.url))
			if (err == nil) != c.works || u.conns.Load() != 1+c.conns {
				t.Errorf("%v, over %d connections", err, u.conns.Load())
			}
			if err == nil {
				read(t, resp)
			}
		})
	}
}

// TestBodyNotRead: what of a reply is here already is passed over; for more,
// nobody waits.
func TestBodyNotRead(t *testing.T) {
	for _, c := range []struct {
		name, body string
		reused     bool
	}{
		{"all is here", "Content-Length: 5\r\n\r\nabcde", true},
		{"all chunks are here", "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n", true},
		{"more is to come", "Content-Length: 6\r\n\r\nabcde", false},
		{"more chunks are to come", "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := replies(t, "HTTP/1.1 200 OK\r\n"+c.body)
			tr := newTransport(t)
			for range 2 {
				resp := do(t, tr, get(t, u.url))
				resp.Body.Read(make([]byte, 1))
				resp.Body.Close()
				if _, err := resp.Body.Read(make([]byte, 1)); err != http.ErrBodyReadAfterClose {
					t.Errorf("after Close: %v", err)
				}
			}
			if want := map[bool]int32{true: 1, false: 2}[c.reused]; u.conns.Load() != want {
				t.Errorf("%d connections, want %d", u.conns.Load(), want)
			}
		})
	}
}

func TestIdleLimits(t *testing.T) {
	gone := make(chan struct{}, 3)
	u := speaks(t, func(_ int, c net.Conn, br *bufio.Reader) {
		http.ReadRequest(br)
		io.WriteString(c, ok)
		br.ReadByte()
		gone <- struct{}{}
	})
	tr := newTransport(t)
	tr.MaxIdlePerHost, tr.IdleTimeout = 2, time.Millisecond
	var open []*http.Response
	for range 3 {
		open = append(open, do(t, tr, get(t, u.url)))
	}
	for _, resp := range open {
		read(t, resp)
	}
	if n := idle(tr); n > 2 {
		t.Errorf("%d idle connections", n)
	}
	for range 3 {
		<-gone
	}
	eventually(t, func() bool { return idle(tr) == 0 })
	tr.idle.mu.Lock()
	defer tr.idle.mu.Unlock()
	if tr.idle.timer != nil || len(tr.idle.idle) != 0 {
		t.Error("something is left of an empty pool")
	}
}

func TestCloseIdleConnections(t *testing.T) {
	u := replies(t, ok)
	tr := newTransport(t)
	first, second := do(t, tr, get(t, u.url)), do(t, tr, get(t, u.url))
	read(t, first)
	tr.CloseIdleConnections()
	read(t, second)
	if n := idle(tr); n != 0 {
		t.Errorf("%d idle connections", n)
	}
}

func TestTLS(t *testing.T) {
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Proto)
	}))
	up.TLS = &tls.Config{NextProtos: []string{"h2", "http/1.1"}}
	up.StartTLS()
	defer up.Close()
	tr := newTransport(t)
	if _, err := tr.RoundTrip(get(t, up.URL)); !errors.As(err, new(*tls.CertificateVerificationError)) {
		t.Errorf("a certificate of nobody's: %v", err)
	}
	tr = newTransport(t)
	tr.TLS = trusting(up)
	for range 2 {
		resp := do(t, tr, request(t, http.MethodPost, up.URL, streaming("abc")))
		if got := read(t, resp); got != "HTTP/1.1" || resp.TLS == nil || resp.TLS.NegotiatedProtocol != "http/1.1" {
			t.Errorf("got %q, TLS %v", got, resp.TLS)
		}
	}
}

func TestHandshakeTimeout(t *testing.T) {
	u := speaks(t, func(_ int, c net.Conn, br *bufio.Reader) { io.Copy(io.Discard, br) })
	tr := newTransport(t)
	tr.HandshakeTimeout = time.Millisecond
	_, err := tr.RoundTrip(get(t, strings.Replace(u.url, "http", "https", 1)))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestDialAddress(t *testing.T) {
	for in, want := range map[place]string{
		{host: "h"}: "h:80", {host: "h:"}: "h:80", {host: "h:8"}: "h:8", {secure: true, host: "h"}: "h:443", {host: "[::1]"}: "[::1]:80", {host: "[::1]:8"}: "[::1]:8",
		{host: "bücher.example"}: "xn--bcher-kva.example:80",
	} {
		if got, err := dialAddress(in); got != want || err != nil {
			t.Errorf("%v: %q, %v", in, got, err)
		}
	}
}
