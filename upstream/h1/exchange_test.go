package h1

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rawRequest is what the upstream got: lines of the header in any order, and the
// rest.
func rawRequest(t *testing.T, r *http.Request) (first string, header http.Header, length int64, encoding []string, body string, trailer http.Header) {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	return r.Method + " " + r.RequestURI + " " + r.Host, r.Header, r.ContentLength, r.TransferEncoding, string(b), r.Trailer
}

func TestRequests(t *testing.T) { // RFC 9112, 3 and 6
	const large = inlineSize + 1
	for _, c := range []struct {
		name     string
		make     func(url string) *http.Request
		first    string
		header   http.Header
		length   int64
		encoding []string
		body     string
		trailer  http.Header
	}{
		{"GET", func(u string) *http.Request { return request(t, "GET", u+"/a%2Fb?x=%zz;y", nil) }, "GET /a%2Fb?x=%zz;y", nil, 0, nil, "", nil},
		{"no path", func(u string) *http.Request { return request(t, "", u, nil) }, "GET /", nil, 0, nil, "", nil},
		{"empty query", func(u string) *http.Request { return request(t, "GET", u+"/?", nil) }, "GET /?", nil, 0, nil, "", nil},
		{"POST of nothing", func(u string) *http.Request { return request(t, "POST", u, http.NoBody) }, "POST /", http.Header{"Content-Length": {"0"}}, 0, nil, "", nil},
		{"body in memory", func(u string) *http.Request { return request(t, "POST", u, strings.NewReader("abc")) }, "POST /",
			http.Header{"Content-Length": {"3"}}, 3, nil, "abc", nil},
		{"large body in memory", func(u string) *http.Request {
			return request(t, "PUT", u, strings.NewReader(strings.Repeat("a", large)))
		}, "PUT /",
			http.Header{"Content-Length": {"16385"}}, large, nil, strings.Repeat("a", large), nil},
		{"stream of a known length", func(u string) *http.Request {
			r := request(t, "POST", u, streaming("abc"))
			r.ContentLength = 3
			return r
		}, "POST /", http.Header{"Content-Length": {"3"}}, 3, nil, "abc", nil},
		{"stream", func(u string) *http.Request { return request(t, "POST", u, streaming(strings.Repeat("a", 100_000))) }, "POST /", nil, -1,
			[]string{"chunked"}, strings.Repeat("a", 100_000), nil},
		{"stream of a GET", func(u string) *http.Request { return request(t, "GET", u, streaming(strings.Repeat("a", 1000))) }, "GET /", nil, -1,
			[]string{"chunked"}, strings.Repeat("a", 1000), nil},
		{"stream of a GET that is empty", func(u string) *http.Request { return request(t, "GET", u, streaming("")) }, "GET /", nil, 0, nil, "", nil},
		{"trailers", func(u string) *http.Request {
			r := request(t, "POST", u, streaming("abc"))
			r.Trailer = http.Header{"X-B": {"2"}, "X-A": {"1"}}
			return r
		}, "POST /", nil, -1, []string{"chunked"}, "abc", http.Header{"X-A": {"1"}, "X-B": {"2"}}},
		{"header", func(u string) *http.Request {
			r := request(t, "GET", u, nil)
			r.Header = http.Header{"X-A": {" 1 ", ""}, "x-b": {"2"}, "Host": {"no"}, "content-length": {"9"}, "Transfer-Encoding": {"chunked"}, "TRAILER": {"X"}, "User-Agent": {""}}
			return r
		}, "GET /", http.Header{"X-A": {"1", ""}, "X-B": {"2"}}, 0, nil, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				first, header, length, encoding, body, trailer := rawRequest(t, r)
				if first != c.first+" "+r.Context().Value(http.LocalAddrContextKey).(net.Addr).String() || body != c.body || length != c.length {
					t.Errorf("got %s with %d bytes, length %d", first, len(body), length)
				}
				want := c.header
				if want == nil {
					want = http.Header{}
				}
				if diff := cmp.Diff(want, header) + cmp.Diff(c.encoding, encoding) + cmp.Diff(c.trailer, trailer); diff != "" {
					t.Error(diff)
				}
			}))
			defer up.Close()
			tr := newTransport(t)
			for range 2 { // the second over the same connection
				read(t, do(t, tr, c.make(up.URL)))
			}
		})
	}
}

// TestRefusedRequests: what would be read in two ways is not sent.
func TestRefusedRequests(t *testing.T) {
	u := replies(t, ok)
	for name, spoil := range map[string]func(*http.Request){
		"space in the query":  func(r *http.Request) { r.URL.RawQuery = "a b" },
		"line in the query":   func(r *http.Request) { r.URL.RawQuery = "a\r\nX: 1" },
		"method":              func(r *http.Request) { r.Method = "GET /x" },
		"CONNECT":             func(r *http.Request) { r.Method = http.MethodConnect },
		"host":                func(r *http.Request) { r.Host = "a b" },
		"name":                func(r *http.Request) { r.Header["X A"] = []string{"1"} },
		"value":               func(r *http.Request) { r.Header["X-A"] = []string{"1\r\nX-B: 2"} },
		"scheme":              func(r *http.Request) { r.URL.Scheme = "ftp" },
		"no host":             func(r *http.Request) { r.URL.Host = "" },
		"trailer":             func(r *http.Request) { r.Trailer = http.Header{"Content-Length": {"1"}} },
		"length of the body":  func(r *http.Request) { r.ContentLength = 2 },
		"length, and no more": func(r *http.Request) { r.ContentLength, r.GetBody = 4, nil },
	} {
		t.Run(name, func(t *testing.T) {
			body := newClosing(strings.NewReader("abc"))
			r := request(t, http.MethodPost, u.url, body)
			r.ContentLength = 3
			if name == "trailer" {
				r.ContentLength = -1
			}
			r.GetBody = func() (io.ReadCloser, error) { return body, nil }
			spoil(r)
			tr := newTransport(t)
			if resp, err := tr.RoundTrip(r); err == nil {
				resp.Body.Close()
				t.Error("it was sent")
			}
			<-body.closed
		})
	}
}

// closing is a body that tells that it was closed.
type closing struct {
	io.Reader
	once   sync.Once
	closed chan struct{}
}

func newClosing(r io.Reader) *closing { return &closing{Reader: r, closed: make(chan struct{})} }

func (c *closing) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}
