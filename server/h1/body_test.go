package h1_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/server/h1"
)

// TestUnreadBodies: what a handler has not read of a body is not taken for the next
// request, which is answered if it comes soon behind it.
func TestUnreadBodies(t *testing.T) {
	standard, own := pair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/some":
			io.ReadFull(r.Body, make([]byte, 3))
		case "/close":
			r.Body.Close()
		}
		io.WriteString(w, r.RequestURI)
	}))
	const next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, path := range []string{"/none", "/some", "/close"} {
		for _, n := range []int{1, 100, 7_000, 7_489, 7_490, 9_000} { // around 256 KiB of them
			body := strings.Repeat(hidden, n)
			request := "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body + next
			want := []string{path, "/next"}
			if len(body) > 256<<10 { // the connection is closed instead
				want = want[:1]
			}
			for name, addr := range map[string]string{"standard": standard, "own": own} {
				if got := answered(stream(t, addr, request)); !slices.Equal(got, want) {
					t.Errorf("%s, %s, %d bytes: answered were %q, want %q", name, path, len(body), got, want)
				}
			}
		}
	}
}

// answered are the targets of requests to which there were replies that name them.
func answered(said string) (targets []string) {
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "/") {
			targets = append(targets, strings.Fields(line)[0])
		}
	}
	return targets
}

// stream sends a request while it reads the replies.
func stream(t *testing.T, addr, request string) string {
	t.Helper()
	c := dial(t, addr)
	defer c.Close()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		io.WriteString(c, request) // who does not want it may not read it to its end
		c.CloseWrite()
	}()
	said := readReplies(t, c, "GET")
	c.Close()
	<-sent
	return said
}

// TestReadNow: what has come of a body can be read without waiting for the rest.
func TestReadNow(t *testing.T) {
	begun, failed := make(chan struct{}), make(chan error, 1)
	addr := serve(t, h1.New(&http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		early := r.Body.(interface{ ReadNow([]byte) (int, error) })
		p := make([]byte, 8)
		if n, err := early.ReadNow(p); string(p[:n]) != "hel" || err != nil {
			t.Errorf("at first %q, %v", p[:n], err)
		}
		if n, err := early.ReadNow(p); n != 0 || err != nil {
			t.Errorf("while nothing comes %q, %v", p[:n], err)
		}
		begun <- struct{}{}
		n, err := io.ReadFull(r.Body, p[:2])
		if string(p[:n]) != "lo" {
			failed <- err
			_, err = early.ReadNow(p)
			failed <- err
			return
		}
		if n, err := early.ReadNow(p); n != 0 || err != io.EOF {
			t.Errorf("at the end %q, %v", p[:n], err)
		}
		r.Body.Close()
		if _, err := early.ReadNow(p); err != http.ErrBodyReadAfterClose {
			t.Errorf("once it was closed: %v", err)
		}
		io.WriteString(w, "/done")
	})}))
	const request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel"
	c := dial(t, addr)
	io.WriteString(c, request)
	<-begun
	io.WriteString(c, "lo")
	if got := replies(t, c, "GET"); !slices.Equal(answered(got), []string{"/done"}) {
		t.Errorf("the reply is %q", got)
	}
	gone := dial(t, addr)
	io.WriteString(gone, request)
	<-begun
	gone.Close()
	for range 2 {
		if err := <-failed; err != io.ErrUnexpectedEOF {
			t.Errorf("after the client has left: %v", err)
		}
	}
}

// TestDripping: a client that sends a byte now and then is given up like one that sends
// nothing, by both servers.
func TestDripping(t *testing.T) {
	const limit, pause = 100 * time.Millisecond, 5 * time.Millisecond
	timed := func() *http.Server {
		return &http.Server{ReadHeaderTimeout: limit, ReadTimeout: limit, IdleTimeout: time.Minute, Handler: http.HandlerFunc(tell)}
	}
	for name, addr := range map[string]string{"standard": serve(t, timed()), "own": serve(t, h1.New(timed()))} {
		for what, first := range map[string]string{
			"request line":   "GET /",
			"header":         "GET / HTTP/1.1\r\nHost: a\r\nX: ",
			"long header":    "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 9<<10),
			"second header":  "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nX: ",
			"behind a POST":  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n\r\n\r\n",
			"body":           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
			"chunk":          "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
			"size of chunks": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;",
			"expected body":  "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n\r\n",
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				t.Parallel()
				c := dial(t, addr)
				last := len(first) - 1
				io.WriteString(c, first[:last])
				drop := first[last:]
				given := make(chan error, 1)
				go func() {
					_, err := io.ReadAll(c)
					given <- err
				}()
				for {
					select {
					case err := <-given:
						if errors.Is(err, os.ErrDeadlineExceeded) {
							t.Error("it is still served")
						}
						return
					case <-time.After(pause):
						io.WriteString(c, drop) // fails once the server has gone
						drop = "a"
					}
				}
			})
		}
	}
}
