package server_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/grapnel-gateway/grapnel"
)

// record is what one proxied request came to on both sides.
type record struct {
	Upstream string // the request as the upstream saw it
	Client   string // the reply as the client got it
}

// TestLikeReverseProxy sends the same requests through the gateway and through
// httputil.ReverseProxy. What the gateway does differently on purpose is left
// out: it names the exchange to the upstream (X-Request-Id), does not send on a
// forged X-Forwarded-Port and its like, sends trailers of requests on, and
// guesses no Content-Type.
func TestLikeReverseProxy(t *testing.T) {
	saw := make(chan string, 1)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		for _, ours := range []string{"X-Request-Id", "X-Forwarded-Port"} {
			delete(r.Header, ours)
		}
		saw <- fmt.Sprintln(r.Method, r.RequestURI, r.Host, r.ContentLength, r.TransferEncoding, r.Header, r.Trailer, string(body), err)
		reply(w, r)
	}))
	defer up.Close()
	theirs := httptest.NewServer(reverseProxy(t, up.URL+"/"))
	defer theirs.Close()
	addresses := [...]string{theirs.URL, proxyBy(t, grapnel.ClientDirect, up.URL).url, proxyBy(t, grapnel.ClientStandard, up.URL).url}

	rapid.Check(t, func(t *rapid.T) {
		raw := requests(t)
		var got [len(addresses)]record
		for i, address := range addresses {
			resp, err := exchangeBytes(strings.TrimPrefix(address, "http://"), raw)
			if err != nil {
				t.Fatalf("%s: %v", address, err)
			}
			got[i].Client = resp
			select {
			case got[i].Upstream = <-saw:
			default:
			}
		}
		for i, client := range []string{"the direct client", "the standard client"} {
			if diff := cmp.Diff(got[0], got[1+i]); diff != "" {
				t.Fatalf("the request\n%s\nReverseProxy (-), Grapnel with %s (+):\n%s", raw, client, diff)
			}
		}
	})
}

// reverseProxy is configured to do what the gateway does.
func reverseProxy(t testing.TB, target string) http.Handler {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Transport: &http.Transport{DisableCompression: true},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(u)
			r.SetXForwarded()
			r.Out.URL.RawQuery = r.In.URL.RawQuery // as it is, even where Go does not understand it
		},
	}
}

// reply answers in a way that the request chose by its X-Reply headers.
func reply(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Date", "Sat, 01 Jan 2000 00:00:00 GMT")
	h.Set("Content-Type", "text/x")
	for _, v := range r.Header["X-Reply"] {
		switch v {
		case "multi":
			h["Set-Cookie"] = []string{"a=1", "b=2"}
		case "hop":
			h.Set("Connection", "X-Hop")
			h.Set("X-Hop", "1")
			h.Set("Keep-Alive", "1")
		case "chunked":
			w.(http.Flusher).Flush()
		case "trailer":
			h.Set("Trailer", "X-Sum")
			defer h.Set("X-Sum", "1")
		default:
			status, _ := strconv.Atoi(v)
			w.WriteHeader(status)
		}
	}
	io.WriteString(w, strings.Repeat("<p>", len(r.URL.Path)))
}

// requests generates one request, as bytes.
func requests(t *rapid.T) []byte {
	method := rapid.SampledFrom([]string{"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "QUERY"}).Draw(t, "method")
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s /%s%s HTTP/1.1\r\nHost: client.example\r\nConnection: %s\r\n", method,
		rapid.SampledFrom([]string{"", "a/b", "a//b/", "%2F", "a%2fb%20c", "x;y=1", "~!$&'()*+,=:@", "..%2e..%2f", "a|b{c}", "%C3%A9/\xc3\xa9"}).Draw(t, "path"),
		rapid.SampledFrom([]string{"", "?", "?a=1&a=2", "?a;b", "?%zz", "?q=%20+%2B", "?=&&"}).Draw(t, "query"),
		rapid.SampledFrom([]string{"close", "close, X-Hop", "TE, close"}).Draw(t, "connection"))
	line := rapid.Custom(func(t *rapid.T) string {
		name := rapid.SampledFrom([]string{"X-A", "x-a", "X-Hop", "Cookie", "Accept-Encoding", "Te", "Keep-Alive", "Proxy-Authorization",
			"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "Forwarded", "User-Agent", "Content-Type", "Upgrade", "Referer"}).Draw(t, "name")
		value := rapid.SampledFrom([]string{"", "1", "2", "trailers", "a, b", "gzip", "\xe9"}).Draw(t, "value")
		return name + ": " + value
	})
	for _, l := range rapid.SliceOfN(line, 0, 6).Draw(t, "headers") {
		b.WriteString(l + "\r\n")
	}
	for _, v := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"multi", "hop", "trailer", "chunked"}), 0, 3, rapid.ID[string]).Draw(t, "reply") {
		b.WriteString("X-Reply: " + v + "\r\n")
	}
	if !bytes.Contains(b.Bytes(), []byte("chunked")) {
		b.WriteString("X-Reply: " + rapid.SampledFrom([]string{"200", "204", "304", "404", "500"}).Draw(t, "status") + "\r\n")
	}
	body := rapid.StringOfN(rapid.SampledFrom([]rune("abc\n\x00")), 0, 12, -1).Draw(t, "body")
	switch rapid.SampledFrom([]string{"none", "length", "chunked"}).Draw(t, "framing") {
	case "length":
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	case "chunked":
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
		if body != "" {
			fmt.Fprintf(&b, "%x\r\n%s\r\n", len(body), body)
		}
		b.WriteString("0\r\n\r\n")
	default:
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

// exchangeBytes sends a request and returns all that comes back, with the
// header lines in order.
func exchangeBytes(address string, raw []byte) (string, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := conn.Write(raw); err != nil {
		return "", err
	}
	method, _, _ := strings.Cut(string(raw), " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	var lines []string
	for name, values := range resp.Header {
		lines = append(lines, fmt.Sprintf("%s: %q", name, values))
	}
	slices.Sort(lines)
	return fmt.Sprintf("%d %d %q\n%s\n%s %v %v", resp.StatusCode, resp.ContentLength, resp.TransferEncoding, strings.Join(lines, "\n"), body, resp.Trailer, err), nil
}
