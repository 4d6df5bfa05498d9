package h1_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel/server/h1"
)

// The two servers under test.
type serving interface {
	Serve(net.Listener) error
	Close() error
}

// pair serves a handler with the standard server and with the one of this package.
func pair(t testing.TB, h http.Handler) (standard, own string) {
	quiet := log.New(io.Discard, "", 0)
	return serve(t, &http.Server{Handler: h, ErrorLog: quiet}), serve(t, h1.New(&http.Server{Handler: h, ErrorLog: quiet}))
}

func serve(t testing.TB, s serving) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-ended; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// tell replies with all that the server understood of a request.
func tell(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	names := slices.Sorted(maps.Keys(r.Header))
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s %q %s %s %d %v %v\n", r.Method, r.RequestURI, r.URL, r.Proto, r.Host, r.ContentLength, r.TransferEncoding, r.Close)
	for _, n := range names {
		fmt.Fprintf(&b, "%s: %q\n", n, r.Header[n])
	}
	fmt.Fprintf(&b, "%q %v %v", body, err, r.Trailer)
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.Write(b.Bytes())
}

// requests are sent whole, on a connection of their own each. What one of them
// smuggles would show as a second reply.
func requests() []string {
	long := strings.Repeat("x", 8<<10)
	return append([]string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /a%2Fb/../c?x=y%20z HTTP/1.1\r\nHost: a:80\r\nx-lower: 1\r\nX_Odd: 2\r\n\r\n",
		"GET //a/b HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET http://b/c HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.0\r\n\r\n",
		"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n",
		"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
		"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
		"GET /\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost:\r\n\r\n",
		"GET / HTTP/1.1\nHost: a\n\n",
		"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\n\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n X: y\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xa9\t1 \r\nX: 2\r\nx: 3\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: " + long + "\r\n\r\n",
		"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
		"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: X-A\r\nX-A: b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nPragma: no-cache\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nTrailer: X\r\n\r\n",
	}, bodies(long)...)
}

// bodies are requests with a body, and such as only look like it.
func bodies(long string) []string {
	return []string{
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\n\r\nGET /2 HTTP/1.1\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\n\r\n",
		"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n" + long + long[:808],
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	}
}

// TestSameRequests: what a request means, and whether it is refused, is the same as
// with the standard server, whichever of the two had it.
func TestSameRequests(t *testing.T) {
	standard, own := pair(t, http.HandlerFunc(tell))
	for _, request := range requests() {
		same(t, standard, own, request)
	}
}

// same compares what two servers say to a request, and to the same behind a plain one
// on a connection. It returns what they say to the request alone.
func same(t testing.TB, standard, own, request string) (said string) {
	t.Helper()
	const plain = "GET /first HTTP/1.1\r\nHost: a\r\n\r\n"
	if got, want := talk(t, own, plain+request), talk(t, standard, plain+request); got != want {
		t.Errorf("behind a plain one, %.80q:\n%s", request, cmp.Diff(want, got))
	}
	said = talk(t, standard, request)
	if got := talk(t, own, request); got != said {
		t.Errorf("%.80q:\n%s", request, cmp.Diff(said, got))
	}
	return said
}

// TestSlowRequests: a request that comes byte by byte is the same request.
func TestSlowRequests(t *testing.T) {
	standard, own := pair(t, http.HandlerFunc(tell))
	request := "POST /a?b HTTP/1.1\r\nHost: a\r\nX: y\r\nContent-Length: 5\r\n\r\nhello"
	want := talk(t, standard, request)
	c := dial(t, own)
	for i := range len(request) {
		if _, err := io.WriteString(c, request[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if got := replies(t, c, "GET"); got != want {
		t.Error(cmp.Diff(want, got))
	}
}

// FuzzSame compares what the servers understand of a request that comes in two pieces.
func FuzzSame(f *testing.F) {
	for _, r := range requests() {
		f.Add([]byte(r), uint16(len(r)/2))
	}
	for _, a := range attempts() {
		if len(a.sent) <= 16<<10 { // the rest is not about what is in it
			f.Add([]byte(a.sent), uint16(0))
		}
	}
	standard, own := pair(f, http.HandlerFunc(tell))
	f.Fuzz(func(t *testing.T, request []byte, cut uint16) {
		if bytes.Contains(request, []byte("HEAD")) { // [replies] knows GET
			return
		}
		n := min(int(cut), len(request))
		pieces := []string{string(request[:n]), string(request[n:])}
		if got, want := talk(t, own, pieces...), talk(t, standard, pieces...); got != want {
			t.Errorf("%q:\n%s", request, cmp.Diff(want, got))
		}
	})
}

func dial(t testing.TB, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(3 * time.Second))
	return c.(*net.TCPConn)
}

// talk sends bytes, in these pieces, and returns all replies to them.
func talk(t testing.TB, addr string, pieces ...string) string {
	t.Helper()
	c := dial(t, addr)
	defer c.Close()
	for _, p := range pieces {
		io.WriteString(c, p) // who refuses it early may not read it to its end
	}
	return replies(t, c, "GET")
}

// replies reads replies until the server closes the connection, or until it waits
// for another request, and returns them with their headers in order and without
// their dates. They are to requests with this method.
func replies(t testing.TB, c *net.TCPConn, method string) string {
	t.Helper()
	c.CloseWrite()
	return readReplies(t, c, method)
}

// readReplies is the same with a client that goes on sending.
func readReplies(t testing.TB, c *net.TCPConn, method string) string {
	t.Helper()
	var b strings.Builder
	for in := bufio.NewReader(c); ; {
		head, err := http.ReadResponse(in, &http.Request{Method: method})
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the server neither answers nor closes the connection; so far:\n%s", &b)
		}
		if err != nil {
			return b.String()
		}
		body, err := io.ReadAll(head.Body)
		if errors.Is(err, syscall.ECONNRESET) {
			err = nil // who refuses a request early may not read it to its end
		}
		head.Header.Del("Date")
		fmt.Fprintf(&b, "%s%s %v %d %v\n", statusMark, head.Status, head.TransferEncoding, head.ContentLength, head.Close)
		for _, n := range slices.Sorted(maps.Keys(head.Header)) {
			fmt.Fprintf(&b, "%s: %q\n", n, head.Header[n])
		}
		fmt.Fprintf(&b, "%s %v\n\n", body, err)
	}
}

// statusMark is where [replies] begins to tell of one.
const statusMark = "HTTP "

// statuses are those of replies, in their order.
func statuses(said string) string {
	var all []string
	for line := range strings.Lines(said) {
		if status, ok := strings.CutPrefix(line, statusMark); ok {
			all = append(all, status[:3])
		}
	}
	return strings.Join(all, " ")
}
