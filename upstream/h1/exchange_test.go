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

// sent is a request as the upstream got it.
type sent struct {
	First    string
	Header   http.Header
	Length   int64
	Encoding []string
	Body     string
	Trailer  http.Header
}

func TestRequests(t *testing.T) { // RFC 9112, 3 and 6
	large := strings.Repeat("a", inlineSize+1)
	length := func(r *http.Request, n int64) *http.Request { r.ContentLength = n; return r }
	header := func(r *http.Request, h http.Header) *http.Request { r.Header = h; return r }
	trailer := func(r *http.Request, h http.Header) *http.Request { r.Trailer = h; return r }
	none, chunked := http.Header{}, []string{"chunked"}
	for _, c := range []struct {
		name string
		make func(url string) *http.Request
		want sent
	}{
		{"GET", func(u string) *http.Request { return get(t, u+"/a%2Fb?x=%zz;y") }, sent{First: "GET /a%2Fb?x=%zz;y", Header: none}},
		{"no path", func(u string) *http.Request { return request(t, "", u, nil) }, sent{First: "GET /", Header: none}},
		{"empty query", func(u string) *http.Request { return get(t, u+"/?") }, sent{First: "GET /?", Header: none}},
		{"POST of nothing", func(u string) *http.Request { return request(t, "POST", u, http.NoBody) },
			sent{First: "POST /", Header: http.Header{"Content-Length": {"0"}}}},
		{"body in memory", func(u string) *http.Request { return request(t, "POST", u, strings.NewReader("abc")) },
			sent{"POST /", http.Header{"Content-Length": {"3"}}, 3, nil, "abc", nil}},
		{"large body in memory", func(u string) *http.Request { return request(t, "PUT", u, strings.NewReader(large)) },
			sent{"PUT /", http.Header{"Content-Length": {"16385"}}, inlineSize + 1, nil, large, nil}},
		{"stream of a known length", func(u string) *http.Request { return length(request(t, "POST", u, streaming("abc")), 3) },
			sent{"POST /", http.Header{"Content-Length": {"3"}}, 3, nil, "abc", nil}},
		{"stream", func(u string) *http.Request { return request(t, "POST", u, streaming(large+large+large)) },
			sent{"POST /", none, -1, chunked, large + large + large, nil}},
		{"stream of a GET", func(u string) *http.Request { return request(t, "GET", u, streaming(large)) }, sent{"GET /", none, -1, chunked, large, nil}},
		{"stream of a GET that is empty", func(u string) *http.Request { return request(t, "GET", u, streaming("")) }, sent{First: "GET /", Header: none}},
		{"trailers", func(u string) *http.Request {
			return trailer(request(t, "POST", u, streaming("abc")), http.Header{"X-B": {"2"}, "X-A": {"1"}})
		}, sent{"POST /", none, -1, chunked, "abc", http.Header{"X-A": {"1"}, "X-B": {"2"}}}},
		{"header", func(u string) *http.Request {
			return header(get(t, u), http.Header{
				"X-A": {" 1 ", ""}, "x-b": {"2"}, "Host": {"no"}, "content-length": {"9"},
				"Transfer-Encoding": {"chunked"}, "TRAILER": {"X"}, "User-Agent": {""},
			})
		}, sent{First: "GET /", Header: http.Header{"X-A": {"1", ""}, "X-B": {"2"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b, err := io.ReadAll(r.Body)
				got := sent{r.Method + " " + r.RequestURI, r.Header, r.ContentLength, r.TransferEncoding, string(b), r.Trailer}
				if diff := cmp.Diff(c.want, got); diff != "" || err != nil || r.Host != r.Context().Value(http.LocalAddrContextKey).(net.Addr).String() {
					t.Errorf("for %s, %v: %s", r.Host, err, diff)
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
