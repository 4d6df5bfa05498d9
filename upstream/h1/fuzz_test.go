package h1

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fixed is a connection from which these bytes come.
type fixed struct {
	net.Conn
	in *strings.Reader
}

func (f fixed) Read(p []byte) (int, error)    { return f.in.Read(p) }
func (fixed) Close() error                    { return nil }
func (fixed) SetDeadline(time.Time) error     { return nil }
func (fixed) SetReadDeadline(time.Time) error { return nil }

// outcome is what a reply means.
type outcome struct {
	Status          int
	Length          int64
	Header, Trailer http.Header
	Encoding        []string
	Body            string
	Whole           bool
}

func outcomeOf(r *http.Response) outcome {
	b, err := io.ReadAll(r.Body)
	return outcome{r.StatusCode, r.ContentLength, spaced(r.Header), spaced(r.Trailer), r.TransferEncoding, string(b), err == nil}
}

// spaced is a header with single spaces, since around an empty continuation of a
// line net/http has more of them.
func spaced(h http.Header) http.Header {
	for _, values := range h {
		for i, v := range values {
			values[i] = strings.Join(strings.Fields(v), " ")
		}
	}
	return h
}

// FuzzResponse: what is accepted here is accepted by net/http, and means the
// same. The differences: net/http makes up a Cache-Control for Pragma: no-cache;
// here, more is refused (see TestMalformedReplies and TestBrokenBodies).
func FuzzResponse(f *testing.F) {
	for _, s := range []string{
		ok, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n1\r\na\r\n0\r\nX-A: 1\r\n\r\n",
		"HTTP/1.0 204 No\r\nConnection: keep-alive\r\n\r\n", "HTTP/1.1 304 \r\nContent-Length: 3\r\n\r\n", "HTTP/1.1 200\n\nabc",
		"HTTP/1.1 200 OK\r\nX-A: a\r\n\tb\r\n \r\nPragma: no-cache\r\nx-a:c\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n" + ok,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\nConnection: close, X\r\n\r\n0\r\nX: 1\r\n\r\n",
	} {
		f.Add(s, false)
		f.Add(s, true)
	}
	for _, c := range tricks() {
		f.Add(c.reply, c.method == http.MethodHead)
	}
	f.Fuzz(func(t *testing.T, in string, head bool) {
		req := get(t, "http://h/")
		if head {
			req.Method = http.MethodHead
		}
		c := &conn{t: &Transport{}, net: fixed{in: strings.NewReader(in)}}
		c.br = bufio.NewReader(c)
		c.begin(t.Context(), false)
		r, length, err := c.response(&outgoing{Request: req})
		if err != nil || r.StatusCode == http.StatusSwitchingProtocols {
			return
		}
		c.now.broken.Store(true)
		c.body(r, length)
		got := outcomeOf(&r.Response)

		br := bufio.NewReader(strings.NewReader(in))
		theirs, err := http.ReadResponse(br, req)
		for err == nil && theirs.StatusCode < 200 {
			theirs, err = http.ReadResponse(br, req)
		}
		if err != nil {
			t.Fatalf("net/http refuses it: %v", err)
		}
		want := outcomeOf(theirs)
		if slices.Equal(want.Header["Cache-Control"], []string{"no-cache"}) && got.Header["Cache-Control"] == nil {
			delete(want.Header, "Cache-Control")
		}
		if !got.Whole { // as far as it came
			if !strings.HasPrefix(want.Body, got.Body) {
				t.Fatalf("body %q, net/http has %q", got.Body, want.Body)
			}
			return
		}
		if theirs.Close && !r.Close {
			t.Error("net/http would close the connection")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("net/http (-), here (+): %s", diff)
		}
	})
}
