package h1

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

var errWhy = errors.New("the reason")

// silent is an upstream that says begin and then nothing; got tells that it has
// seen the request's header, and gone that the connection has ended.
func silent(t *testing.T, begin string) (u *upstream, got, gone chan struct{}) {
	got, gone = make(chan struct{}, 1), make(chan struct{}, 1)
	u = speaks(t, func(_ int, c net.Conn, br *bufio.Reader) {
		if _, err := http.ReadRequest(br); err != nil {
			return
		}
		io.WriteString(c, begin)
		got <- struct{}{}
		io.Copy(io.Discard, br)
		gone <- struct{}{}
	})
	return u, got, gone
}

// TestCancel: an exchange ends when its request's context does, whatever it is
// waiting for, and its connection with it.
func TestCancel(t *testing.T) {
	for _, c := range []struct {
		name, begin string
		body        func() io.Reader
		early       bool // before anything was sent
	}{
		{"before", "", nil, true},
		{"waiting for the reply", "", nil, false},
		{"waiting for the rest of the header", "HTTP/1.1 200 OK\r\n", nil, false},
		{"waiting after an interim reply", "HTTP/1.1 103 Early Hints\r\n\r\n", nil, false},
		{"sending a body that never ends", "", func() io.Reader { return endless{} }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, got, gone := silent(t, c.begin)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			var body io.Reader
			if c.body != nil {
				body = c.body()
			}
			r := request(t, http.MethodPut, u.url, body).WithContext(ctx)
			if c.early {
				cancel(errWhy)
			}
			go func() {
				<-got
				cancel(errWhy)
			}()
			if _, err := newTransport(t).RoundTrip(r); err != errWhy {
				t.Errorf("got %v", err)
			}
			if c.early {
				got <- struct{}{}
				return
			}
			<-gone
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestCancelWhileTheBodyIsRead(t *testing.T) {
	for name, begin := range map[string]string{
		"length": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
		"chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
		"end":    "HTTP/1.1 200 OK\r\n\r\nabc",
	} {
		t.Run(name, func(t *testing.T) {
			u, _, gone := silent(t, begin)
			ctx, cancel := context.WithCancelCause(t.Context())
			resp := do(t, newTransport(t), get(t, u.url).WithContext(ctx))
			if _, err := io.ReadFull(resp.Body, make([]byte, 3)); err != nil {
				t.Fatal(err)
			}
			cancel(errWhy)
			if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || err != errWhy {
				t.Errorf("got %d, %v", n, err)
			}
			<-gone
		})
	}
}

// TestCloseWhileTheBodyIsRead: Close ends a read of another goroutine.
func TestCloseWhileTheBodyIsRead(t *testing.T) {
	u, _, gone := silent(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
	resp := do(t, newTransport(t), get(t, u.url))
	read := make(chan error)
	go func() {
		_, err := resp.Body.Read(make([]byte, 1))
		read <- err
	}()
	b := resp.Body.(*body)
	eventually(t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.reading
	})
	resp.Body.Close()
	if err := <-read; err == nil || err == io.EOF {
		t.Errorf("got %v", err)
	}
	<-gone
}

func TestDeadline(t *testing.T) {
	u, _, _ := silent(t, "")
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := newTransport(t).RoundTrip(get(t, u.url).WithContext(ctx)); err != context.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}

// TestCancelAfterwards: what happens to a context when its exchange is over does
// nothing to the connection.
func TestCancelAfterwards(t *testing.T) {
	u := speaks(t, func(_ int, c net.Conn, br *bufio.Reader) {
		for {
			if _, err := http.ReadRequest(br); err != nil {
				return
			}
			time.Sleep(2 * patience) // so that the context is watched
			io.WriteString(c, ok)
		}
	})
	tr := newTransport(t)
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		if got := read(t, do(t, tr, request(t, http.MethodPost, u.url, strings.NewReader("x")).WithContext(ctx))); got != "ok" {
			t.Errorf("got %q", got)
		}
		cancel()
	}
	if n := u.conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}
