package h1

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// An upstream is a server that speaks bytes: serve has one connection, n is how
// many came before.
type upstream struct {
	url   string
	conns atomic.Int32
}

func speaks(t *testing.T, serve func(n int, c net.Conn, br *bufio.Reader)) *upstream {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &upstream{url: "http://" + l.Addr().String()}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			n := int(u.conns.Add(1)) - 1
			wg.Go(func() {
				defer c.Close()
				serve(n, c, bufio.NewReader(c))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return u
}

// replies answers every request with these bytes.
func replies(t *testing.T, reply string) *upstream {
	t.Helper()
	return speaks(t, func(_ int, c net.Conn, br *bufio.Reader) {
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			io.Copy(io.Discard, r.Body)
			io.WriteString(c, reply)
		}
	})
}

func newTransport(t testing.TB) *Transport {
	tr := &Transport{MaxIdlePerHost: 8, IdleTimeout: time.Minute, ContinueTimeout: time.Minute, DialTimeout: time.Minute}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// everyClient runs a test with this client, and with net/http's: what holds for
// both is what the one promises.
func everyClient(t *testing.T, test func(t *testing.T, rt http.RoundTripper)) {
	t.Helper()
	t.Run("direct", func(t *testing.T) { test(t, newTransport(t)) })
	t.Run("standard", func(t *testing.T) {
		tr := &http.Transport{DisableCompression: true, ExpectContinueTimeout: time.Minute, MaxResponseHeaderBytes: 1 << 20}
		t.Cleanup(tr.CloseIdleConnections)
		test(t, tr)
	})
}

func get(t *testing.T, url string) *http.Request { return request(t, http.MethodGet, url, nil) }

func request(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// streaming hides what kind of reader a body is.
func streaming(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) }

func do(t *testing.T, rt http.RoundTripper, r *http.Request) *http.Response {
	t.Helper()
	resp, err := rt.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// read reads the whole body and closes it.
func read(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("reading the body: %v", err)
	}
	resp.Body.Close()
	return string(b)
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
