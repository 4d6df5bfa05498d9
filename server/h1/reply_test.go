package h1_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel/server/h1"
)

// handlers write replies in all the ways there are.
func handlers() map[string]http.HandlerFunc {
	big := strings.Repeat("0123456789abcdef", 4<<10)
	status := func(n int) http.HandlerFunc { return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(n) } }
	header := func(body string, pairs ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(pairs); i += 2 {
				w.Header().Add(pairs[i], pairs[i+1])
			}
			io.WriteString(w, body)
		}
	}
	return map[string]http.HandlerFunc{
		"nothing":        func(http.ResponseWriter, *http.Request) {},
		"small":          header("hello"),
		"html":           header("<!DOCTYPE html><p>"),
		"big":            header(big),
		"big, announced": header(big, "Content-Length", "65536", "Content-Type", "a/b"),
		"untyped":        header(big, "Content-Length", "65536"),
		"encoded":        header("hello", "Content-Encoding", "gzip"),
		"no type": func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = nil
			io.WriteString(w, "hello")
		},
		"too long":  header("hello", "Content-Length", "3", "Content-Type", "a/b"),
		"too short": header("hello", "Content-Length", "9"),
		"close":     header("hello", "Connection", "close"),
		"lines":     header("hello", "X-A", "1\r\nX-B: 2", "X-A", " 3 ", "X y", "4"),
		"own date":  header("hello", "Date", "today"),
		"204":       status(204),
		"304":       status(304),
		"404":       status(404),
		"799":       status(799),
		"204 and type": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "a/b")
			w.WriteHeader(204)
		},
		"304 and all": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "a/b")
			w.Header().Set("Content-Length", "5")
			w.WriteHeader(304)
			if _, err := io.WriteString(w, "hello"); !errors.Is(err, http.ErrBodyNotAllowed) {
				w.Header().Set("Connection", "close")
			}
		},
	}
}

// courses are handlers that do more than write a reply at once.
func courses() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"flushed": func(w http.ResponseWriter, r *http.Request) {
			http.NewResponseController(w).Flush()
			io.WriteString(w, "hel")
			http.NewResponseController(w).Flush()
			io.WriteString(w, "lo")
		},
		"trailers": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-A")
			io.WriteString(w, "hello")
			w.Header().Set("X-A", "1")
			w.Header().Set(http.TrailerPrefix+"X-B", "2")
		},
		"late trailer": func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "hello")
			http.NewResponseController(w).Flush()
			w.Header().Set(http.TrailerPrefix+"X-B", "2")
		},
		"interim": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</a>")
			w.WriteHeader(103)
			w.Header().Del("Link")
			io.WriteString(w, "hello")
		},
		"twice": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(201); w.WriteHeader(202) },
		"panic": func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
		"panic on the way": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10")
			w.Header().Set("Content-Type", "a/b")
			io.WriteString(w, "hello")
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
	}
}

// TestSameReplies: what a handler writes comes to the client as from the standard
// server, and the connection is open afterwards, or not, as it would be there.
func TestSameReplies(t *testing.T) {
	all := handlers()
	maps.Copy(all, courses())
	for name, h := range all {
		standard, own := pair(t, h)
		for _, method := range []string{"GET", "HEAD"} {
			var said [2]string
			for i, addr := range []string{standard, own} {
				c := dial(t, addr)
				io.WriteString(c, strings.Repeat(method+" / HTTP/1.1\r\nHost: a\r\n\r\n", 2))
				said[i] = replies(t, c, method)
			}
			if said[0] != said[1] {
				t.Errorf("%s, %s:\n%s", name, method, cmp.Diff(said[0], said[1]))
			}
		}
	}
}

// TestClientLeaves: the request's context ends when the client goes, be it while
// the handler waits without a body or after it has read one.
func TestClientLeaves(t *testing.T) {
	for name, request := range map[string]string{
		"no body": "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"body":    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
	} {
		waiting, left := make(chan struct{}), make(chan error, 1)
		addr := serve(t, h1.New(&http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			derived, cancel := context.WithCancel(r.Context())
			defer cancel()
			close(waiting)
			if name == "body" {
				time.Sleep(20 * time.Millisecond) // the watch is due before the body has been read
				io.ReadAll(r.Body)
			}
			<-derived.Done()
			left <- r.Context().Err()
		})}))
		c := dial(t, addr)
		io.WriteString(c, request)
		<-waiting
		c.Close()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWatchedClientStays: looking for the client's end takes nothing of what it
// sends next, and ends no context but the one it was for.
func TestWatchedClientStays(t *testing.T) {
	addr := serve(t, h1.New(&http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		select {
		case <-r.Context().Done():
			err = r.Context().Err()
		case <-time.After(20 * time.Millisecond):
		}
		if err != nil {
			w.WriteHeader(500)
		}
		w.Write(append([]byte(r.URL.Path), body...))
	})}))
	c := dial(t, addr)
	in := bufio.NewReader(c)
	request := "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
	for range 5 { // while each is answered the beginning of the next one comes
		io.WriteString(c, request)
		time.Sleep(10 * time.Millisecond)
		io.WriteString(c, request)
		for range 2 {
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(resp.Body); string(body) != "/xhello" || resp.StatusCode != 200 || err != nil {
				t.Fatalf("%d %q %v", resp.StatusCode, body, err)
			}
		}
	}
}

// TestShutdown: a request under way gets its reply, an idle connection is closed,
// and a new one is not served.
func TestShutdown(t *testing.T) {
	entered, leave := make(chan struct{}, 1), make(chan struct{})
	s := h1.New(&http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			entered <- struct{}{}
			<-leave
		}
		io.WriteString(w, "done")
	})})
	addr := serve(t, s)
	idle, busy := dial(t, addr), dial(t, addr)
	in := bufio.NewReader(idle)
	io.WriteString(idle, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if resp, err := http.ReadResponse(in, nil); err != nil {
		t.Fatal(err)
	} else {
		io.ReadAll(resp.Body)
	}
	io.WriteString(busy, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
	<-entered
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(t.Context()) }()
	if b, err := in.ReadByte(); err != io.EOF {
		t.Errorf("the idle connection: %q, %v", b, err)
	}
	close(leave)
	if got := replies(t, busy, "GET"); !strings.Contains(got, "done") || !strings.Contains(got, "true") {
		t.Errorf("the request under way got %q, not a last reply", got)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("it still listens")
	}
}

// TestTimeouts: a header that does not come to its end, a body that does not, and a
// connection without requests are given up.
func TestTimeouts(t *testing.T) {
	const soon = 50 * time.Millisecond
	addr := serve(t, h1.New(&http.Server{ReadHeaderTimeout: soon, ReadTimeout: soon, IdleTimeout: soon, Handler: http.HandlerFunc(tell)}))
	for name, sent := range map[string]string{
		"nothing": "",
		"header":  "GET / HTTP/1.1\r\nHost",
		"idle":    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"body":    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe",
	} {
		c := dial(t, addr)
		io.WriteString(c, sent)
		if _, err := io.ReadAll(c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
