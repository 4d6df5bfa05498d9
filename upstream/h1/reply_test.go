package h1

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestManyLines: all lines of a header arrive, however many there are.
func TestManyLines(t *testing.T) {
	lines, want := "", http.Header{"Content-Length": {"2"}}
	for i := range 2*manyFields + 50 {
		lines += fmt.Sprintf("X-%d: %d\r\n", i, i)
		want.Set(fmt.Sprintf("X-%d", i), fmt.Sprint(i))
	}
	u := replies(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"+lines+"\r\nok")
	r := do(t, newTransport(t), get(t, u.url))
	if diff := cmp.Diff(want, r.Header); diff != "" {
		t.Error(diff)
	}
	if got := read(t, r); got != "ok" {
		t.Errorf("the body is %q", got)
	}
}

func TestReplies(t *testing.T) { // RFC 9112, 6.3
	for _, c := range []struct {
		name, method, reply string
		body                string
		length              int64
		header, trailer     http.Header
		reused              bool
	}{
		{"length", "GET", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nX-a: 1\r\nX-A:  2 \r\n\r\nabc", "abc", 3,
			http.Header{"Content-Length": {"3"}, "X-A": {"1", "2"}}, nil, true},
		{"no body", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", 0, http.Header{"Content-Length": {"0"}}, nil, true},
		{"chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "abc", -1, http.Header{}, nil, true},
		{"trailers", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 6\r\nX-More: 1\r\n\r\n",
			"abc", -1, http.Header{}, http.Header{"X-Sum": {"6"}, "X-More": {"1"}}, true},
		{"until the end", "GET", "HTTP/1.1 200\r\n\r\nabc", "abc", -1, http.Header{}, nil, false},
		{"HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", "a", 1, http.Header{"Content-Length": {"1"}}, nil, false},
		{"HTTP/1.0 stays", "GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na", "a", 1,
			http.Header{"Connection": {"keep-alive"}, "Content-Length": {"1"}}, nil, true},
		{"says goodbye", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na", "a", 1, http.Header{"Content-Length": {"1"}}, nil, false},
		{"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", "", 7, http.Header{"Content-Length": {"7"}}, nil, true},
		{"HEAD of chunks", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", -1, http.Header{}, nil, true},
		{"204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", "", 0, http.Header{}, nil, true},
		{"304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", "", 0, http.Header{"Content-Length": {"7"}}, nil, true},
		{"folded line", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: a \r\n\t b\r\n\r\n", "", 0,
			http.Header{"Content-Length": {"0"}, "X-A": {"a b"}}, nil, true},
		{"LF alone", "GET", "HTTP/1.1 200 OK\nContent-Length: 1\n\na", "a", 1, http.Header{"Content-Length": {"1"}}, nil, true},
		{"lengths that agree", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", "a", 1,
			http.Header{"Content-Length": {"1"}}, nil, true},
		{"length and chunks", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "a", -1, http.Header{}, nil, false},
		{"large header", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: " + strings.Repeat("a", 9000) + "\r\n\r\n", "", 0,
			http.Header{"Content-Length": {"0"}, "X-A": {strings.Repeat("a", 9000)}}, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := speaks(t, func(_ int, conn net.Conn, br *bufio.Reader) {
				for {
					if _, err := http.ReadRequest(br); err != nil {
						return
					}
					io.WriteString(conn, c.reply)
					if c.length < 0 && !strings.Contains(c.reply, "Transfer-Encoding") {
						return
					}
				}
			})
			tr := newTransport(t)
			for range 2 {
				resp := do(t, tr, request(t, c.method, u.url, nil))
				if got := read(t, resp); got != c.body || resp.ContentLength != c.length {
					t.Errorf("got %q, length %d", got, resp.ContentLength)
				}
				if diff := cmp.Diff(c.header, resp.Header) + cmp.Diff(c.trailer, resp.Trailer); diff != "" {
					t.Error(diff)
				}
			}
			if want := map[bool]int32{true: 1, false: 2}[c.reused]; u.conns.Load() != want {
				t.Errorf("%d connections for two exchanges, want %d", u.conns.Load(), want)
			}
		})
	}
}

// TestMalformedReplies: what could be read in two ways is not read at all, and
// nothing of it is left for the next exchange.
func TestMalformedReplies(t *testing.T) { // RFC 9112, 11.2
	next := "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
	for name, reply := range map[string]string{
		"lengths that differ":             "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
		"a list of lengths":               "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na",
		"signed length":                   "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
		"empty length":                    "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
		"huge length":                     "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n",
		"another encoding":                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"two encodings":                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"an encoding hidden by a tab":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n",
		"chunks in HTTP/1.0":              "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"space before the colon":          "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\na",
		"space before the first name":     "HTTP/1.1 200 OK\r\n Content-Length: 1\r\n\r\na",
		"the same in a folded line":       "HTTP/1.1 200 OK\r\n Content-Length: 1\r\n 2\r\n\r\na",
		"encoding in a folded line":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked \r\n \r\n\r\n0\r\n\r\n",
		"no colon":                        "HTTP/1.1 200 OK\r\nX\r\n\r\n",
		"no name":                         "HTTP/1.1 200 OK\r\n: 1\r\n\r\n",
		"NUL":                             "HTTP/1.1 200 OK\r\nX-A: a\x00b\r\n\r\n",
		"CR alone":                        "HTTP/1.1 200 OK\r\nX-A: a\rContent-Length: 1\r\n\r\n",
		"CR alone at the end of a line":   "HTTP/1.1 200 OK\r\nX-A: a\r\r\n\r\n",
		"CR alone in a folded line":       "HTTP/1.1 200 OK\r\nX-A: a\r\n \rb\r\n\r\n",
		"control in a folded line":        "HTTP/1.1 200 OK\r\nX-A: a\r\n \x00\r\n\r\n",
		"another version":                 "HTTP/2.0 200 OK\r\n\r\n",
		"no version":                      "200 OK\r\n\r\n",
		"status of two digits":            "HTTP/1.1 20 OK\r\n\r\n",
		"signed status":                   "HTTP/1.1 +20 OK\r\n\r\n",
		"two spaces":                      "HTTP/1.1  200 OK\r\n\r\n",
		"control in the reason":           "HTTP/1.1 200 O\x01K\r\n\r\n",
		"empty line first":                "\r\nHTTP/1.1 200 OK\r\n\r\n",
		"a trailer that would be framing": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			u := speaks(t, func(n int, c net.Conn, br *bufio.Reader) {
				for {
					if _, err := http.ReadRequest(br); err != nil {
						return
					}
					if n > 0 {
						io.WriteString(c, ok)
						continue
					}
					io.WriteString(c, reply+next)
				}
			})
			tr := newTransport(t)
			if resp, err := tr.RoundTrip(get(t, u.url)); !errors.Is(err, errMalformed) {
				t.Fatalf("got %v, %v", resp, err)
			}
			if got := read(t, do(t, tr, get(t, u.url))); got != "ok" || u.conns.Load() != 2 {
				t.Errorf("the next exchange got %q, over connection %d", got, u.conns.Load())
			}
		})
	}
}

// TestBrokenBodies: a body that is not whole is never taken for one.
func TestBrokenBodies(t *testing.T) {
	for name, reply := range map[string]string{
		"short":                       "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
		"nothing":                     "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
		"chunk ends early":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
		"no last chunk":               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
		"no end of trailers":          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: 1\r\n",
		"no end of the last chunk":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
		"chunk with LF alone":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
		"chunk longer than it says":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
		"signed chunk":                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n",
		"trailers with LF alone":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: 1\n\n",
		"a trailer that is framing":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 1\r\n\r\n",
		"trailers that are too large": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: " + strings.Repeat("a", maxTrailer) + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			u := speaks(t, func(_ int, c net.Conn, br *bufio.Reader) {
				if _, err := http.ReadRequest(br); err == nil {
					io.WriteString(c, reply)
				}
			})
			tr := newTransport(t)
			resp := do(t, tr, get(t, u.url))
			if b, err := io.ReadAll(resp.Body); err == nil {
				t.Errorf("got %q and no error", b)
			}
			if again, err := resp.Body.Read(make([]byte, 1)); again != 0 || err == nil || err == io.EOF {
				t.Errorf("after the error: %d, %v", again, err)
			}
		})
	}
}

func TestHeaderLimit(t *testing.T) {
	tr := newTransport(t)
	tr.MaxHeaderBytes = 1000
	u := replies(t, "HTTP/1.1 200 OK\r\nX-A: "+strings.Repeat("a", 1000)+"\r\nContent-Length: 0\r\n\r\n")
	if _, err := tr.RoundTrip(get(t, u.url)); !errors.Is(err, errHeadTooLarge) {
		t.Errorf("one large line: %v", err)
	}
	u = replies(t, strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n", 100)+ok)
	if _, err := tr.RoundTrip(get(t, u.url)); !errors.Is(err, errHeadTooLarge) {
		t.Errorf("interim replies that nobody takes: %v", err)
	}
	r := get(t, u.url)
	taken := 0
	r = r.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(int, textproto.MIMEHeader) error { taken++; return nil },
	}))
	if got := read(t, do(t, tr, r)); got != "ok" || taken != 100 {
		t.Errorf("got %q after %d interim replies", got, taken)
	}
}

func TestInterimReplies(t *testing.T) { // RFC 9110, 15.2
	u := replies(t, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"+ok)
	everyClient(t, func(t *testing.T, rt http.RoundTripper) {
		var got []string
		r := get(t, u.url)
		r = r.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
				got = append(got, fmt.Sprint(status, h.Get("Link")))
				return nil
			},
		}))
		if body := read(t, do(t, rt, r)); body != "ok" {
			t.Errorf("got %q", body)
		}
		if diff := cmp.Diff([]string{"100", "103<x>"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestSwitch talks over a connection that was switched to another protocol.
func TestSwitch(t *testing.T) { // RFC 9110, 7.8
	u := speaks(t, func(_ int, c net.Conn, br *bufio.Reader) {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\nhello\n", r.Header.Get("Upgrade"))
		all, _ := io.ReadAll(br)
		c.Write(all)
	})
	everyClient(t, func(t *testing.T, rt http.RoundTripper) {
		r := get(t, u.url)
		r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"echo"}}
		resp := do(t, rt, r)
		up, ok := resp.Body.(io.ReadWriteCloser)
		if !ok || resp.StatusCode != 101 {
			t.Fatalf("%d with a %T", resp.StatusCode, resp.Body)
		}
		io.WriteString(up, "from here")
		if err := up.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(up); string(got) != "hello\nfrom here" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	})
}
