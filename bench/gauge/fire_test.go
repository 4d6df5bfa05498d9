package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func serve(t *testing.T, h http.HandlerFunc) fire {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return fire{addr: s.Listener.Addr().String(), connections: 3, request: plain("/", nil)}
}

// TestFire: at a rate, so many requests are sent and no more; each is answered, and
// what is not a 200 has failed.
func TestFire(t *testing.T) {
	f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5000")
		if r.URL.Path == "/no" {
			w.WriteHeader(http.StatusTeapot)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != "body" && r.Method == http.MethodPost {
			w.WriteHeader(http.StatusBadRequest)
		}
		io.WriteString(w, strings.Repeat("hello", 1000))
	})
	f.count, f.rate, f.request = 50, 1000, plain("/", []byte("body"))
	if l, err := f.run(t.Context()); err != nil || l.requests != 50 || l.failed != 0 || l.p99 < l.p50 || l.perSecond > 1100 {
		t.Errorf("%+v, %v", l, err)
	}
	f.request = plain("/no", nil)
	if l, err := f.run(t.Context()); err != nil || l.failed != 50 {
		t.Errorf("%+v, %v", l, err)
	}
}

// TestFireLargeBody: a body that no buffer of the system takes arrives whole.
func TestFireLargeBody(t *testing.T) {
	var got atomic.Int64
	f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		got.Add(n)
	})
	f.count, f.request = 4, plain("/", make([]byte, 20<<20))
	if l, err := f.run(t.Context()); err != nil || l.requests != 4 || got.Load() != 4*20<<20 {
		t.Errorf("%d bytes arrived; %+v, %v", got.Load(), l, err)
	}
}

// TestFireCountsFromDue: what waits for a connection, while a server is slow, has
// waited since it was due; and nothing that was due is left out. The load itself was
// not late then.
func TestFireCountsFromDue(t *testing.T) {
	const slow = 20 * time.Millisecond
	f := serve(t, func(http.ResponseWriter, *http.Request) { time.Sleep(slow) })
	f.connections, f.rate, f.lasts = 1, 500, 100*time.Millisecond
	l, err := f.run(t.Context())
	if err != nil || l.requests != 50 {
		t.Fatalf("%+v, %v", l, err)
	}
	// The last is due after 98 ms and waits for 49 others.
	if least := 50*slow - f.lasts; l.p99 < least*9/10 {
		t.Errorf("p99 is %v, and cannot be less than %v", l.p99, least)
	}
	if l.late > slow {
		t.Errorf("waiting for a connection is counted as the load's own lateness: %v", l.late)
	}
}

// TestFireBroken: a connection that the server closes ends the load.
func TestFireBroken(t *testing.T) {
	f := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	f.count = 100
	if l, err := f.run(t.Context()); err == nil {
		t.Errorf("%+v", l)
	}
}

func TestReplyLength(t *testing.T) {
	for _, c := range []struct {
		reply  string
		length int
		ok     bool
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", 43, true},
		{"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nX: y\r\n\r\n", 44, true},
		{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 1\r\n\r\n", 56, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r", 0, false},
	} {
		if length, ok, err := replyLength([]byte(c.reply)); length != c.length || ok != c.ok || err != nil {
			t.Errorf("%q: %d, %v, %v", c.reply, length, ok, err)
		}
	}
	for _, bad := range []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"} {
		if _, _, err := replyLength([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// TestRequests: a header series has the size that it says, within one header, and
// spread callers are all asked for.
func TestRequests(t *testing.T) {
	for _, size := range []int{200, 8000} {
		if n := len(headed("/bench", size)(nil, 0)); n < size || n > size+60 {
			t.Errorf("%d bytes for %d", n, size)
		}
	}
	seen := map[string]bool{}
	request := spread("/bench", 1000)
	for n := range 1000 {
		seen[string(request(nil, n))] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d callers of 1000", len(seen))
	}
}
