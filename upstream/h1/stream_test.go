package h1

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestEarlyReply has an upstream that refuses a body of which it has seen
// nothing, and whose sender has nothing to send yet.
func TestEarlyReply(t *testing.T) {
	u := speaks(t, func(_ int, c net.Conn, br *bufio.Reader) {
		if _, err := http.ReadRequest(br); err == nil {
			io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
		}
	})
	everyClient(t, func(t *testing.T, rt http.RoundTripper) {
		body, input := io.Pipe()
		defer input.Close()
		resp := do(t, rt, request(t, http.MethodPost, u.url, body))
		if got := read(t, resp); resp.StatusCode != 413 || got != "no" {
			t.Errorf("got %d %q", resp.StatusCode, got)
		}
	})
}

// TestEarlyReplyToALargeBody has the upstream close the connection while a body
// in memory is written that is larger than all buffers on the way.
func TestEarlyReplyToALargeBody(t *testing.T) {
	u := speaks(t, func(_ int, c net.Conn, br *bufio.Reader) {
		if _, err := http.ReadRequest(br); err == nil {
			io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
			c.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, br)
		}
	})
	everyClient(t, func(t *testing.T, rt http.RoundTripper) {
		resp := do(t, rt, request(t, http.MethodPost, u.url, strings.NewReader(strings.Repeat("x", 32<<20))))
		if got := read(t, resp); resp.StatusCode != 413 || got != "no" {
			t.Errorf("got %d %q", resp.StatusCode, got)
		}
	})
}

// TestBothWays talks in turn over one request and its reply.
func TestBothWays(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		w.(http.Flusher).Flush()
		for lines := bufio.NewScanner(r.Body); lines.Scan(); {
			fmt.Fprintln(w, "re:", lines.Text())
			w.(http.Flusher).Flush()
		}
	}))
	defer up.Close()
	everyClient(t, func(t *testing.T, rt http.RoundTripper) {
		body, input := io.Pipe()
		resp := do(t, rt, request(t, http.MethodPost, up.URL, body))
		replies := bufio.NewReader(resp.Body)
		for _, word := range []string{"one", "two", "three"} {
			fmt.Fprintln(input, word)
			if line, err := replies.ReadString('\n'); line != "re: "+word+"\n" || err != nil {
				t.Fatalf("got %q, %v", line, err)
			}
		}
		input.Close()
		if rest, err := io.ReadAll(replies); len(rest) != 0 || err != nil {
			t.Errorf("the end: %q, %v", rest, err)
		}
	})
}

// continuing is an upstream that takes bodies of requests which expect 100
// Continue, or not, as the path says. Each connection serves one request.
func continuing(t *testing.T) *upstream {
	return speaks(t, func(_ int, c net.Conn, br *bufio.Reader) {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		switch r.URL.Path {
		case "/take":
			io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
		case "/refuse":
			io.WriteString(c, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno")
			io.Copy(io.Discard, br) // until the connection ends, as it has to
			return
		}
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(b), b)
	})
}

func TestExpectContinue(t *testing.T) { // RFC 9110, 10.1.1
	u := continuing(t)
	everyClient(t, func(t *testing.T, rt http.RoundTripper) {
		r := request(t, http.MethodPost, u.url+"/take", streaming("abc"))
		r.Header.Set("Expect", "100-continue")
		if got := read(t, do(t, rt, r)); got != "abc" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("refused", func(t *testing.T) {
		body := newClosing(&failing{errors.New("it was read")})
		r := request(t, http.MethodPost, u.url+"/refuse", body)
		r.Header.Set("Expect", "100-continue")
		resp := do(t, newTransport(t), r)
		if got := read(t, resp); resp.StatusCode != 417 || got != "no" {
			t.Errorf("got %d %q", resp.StatusCode, got)
		}
		<-body.closed
	})
	t.Run("ignored", func(t *testing.T) {
		tr := newTransport(t)
		tr.ContinueTimeout = time.Millisecond
		r := request(t, http.MethodPost, u.url+"/ignore", strings.NewReader("abc"))
		r.Header.Set("Expect", "100-continue")
		if got := read(t, do(t, tr, r)); got != "abc" {
			t.Errorf("got %q", got)
		}
	})
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// TestBodyThatCannotBeRead: the exchange ends at once, though the upstream would
// wait for the rest for ever.
func TestBodyThatCannotBeRead(t *testing.T) {
	gone := make(chan error, 2)
	u := speaks(t, func(_ int, c net.Conn, br *bufio.Reader) {
		r, err := http.ReadRequest(br)
		if err == nil {
			_, err = io.ReadAll(r.Body)
		}
		gone <- err
	})
	everyClient(t, func(t *testing.T, rt http.RoundTripper) {
		bad := errors.New("bad")
		r := request(t, http.MethodPost, u.url, io.MultiReader(strings.NewReader("abc"), &failing{bad}))
		if _, err := rt.RoundTrip(r); !errors.Is(err, bad) {
			t.Errorf("got %v", err)
		}
		if err := <-gone; err == nil {
			t.Error("the upstream takes the body for whole")
		}
	})
}

func TestBodyOfAnotherLength(t *testing.T) {
	u := replies(t, ok)
	for _, length := range []int64{2, 4} {
		everyClient(t, func(t *testing.T, rt http.RoundTripper) {
			r := request(t, http.MethodPost, u.url, streaming("abc"))
			r.ContentLength = length
			resp, err := rt.RoundTrip(r)
			if err == nil { // the upstream may have answered what it had
				resp.Body.Close()
			}
			if err == nil && length == 4 {
				t.Error("a body that is too short was sent")
			}
		})
	}
}

// TestReplyBeforeTheBody: a connection on which a body is still sent serves no
// other exchange, and does once the body has gone.
func TestReplyBeforeTheBody(t *testing.T) {
	u := speaks(t, func(_ int, c net.Conn, br *bufio.Reader) {
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			io.WriteString(c, ok)
			io.Copy(io.Discard, r.Body)
		}
	})
	tr := newTransport(t)
	body, input := io.Pipe()
	sent := newClosing(body)
	if got := read(t, do(t, tr, request(t, http.MethodPost, u.url, sent))); got != "ok" {
		t.Fatalf("got %q", got)
	}
	read(t, do(t, tr, get(t, u.url)))
	if n := u.conns.Load(); n != 2 {
		t.Fatalf("%d connections, want one for each exchange", n)
	}
	io.WriteString(input, "abc")
	input.Close()
	<-sent.closed
	eventually(t, func() bool { return idle(tr) == 2 })
	read(t, do(t, tr, get(t, u.url)))
	if n := u.conns.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

// idle counts the idle connections.
func idle(tr *Transport) (n int) {
	tr.idle.mu.Lock()
	defer tr.idle.mu.Unlock()
	for _, stack := range tr.idle.idle {
		n += len(stack)
	}
	return n
}

// eventually waits for something that another goroutine or the kernel does.
func eventually(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not happen within a minute")
		}
	}
}
