package h1

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// An arriving body comes in pieces, of which some have come already.
type arriving struct {
	here, later []string
	end         error
	before      func() // is called before one waits for the rest
	closed      chan struct{}
}

func newArriving(here, later []string, end error) *arriving {
	return &arriving{here: here, later: later, end: end, before: func() {}, closed: make(chan struct{})}
}

func (a *arriving) ReadNow(p []byte) (n int, err error) {
	if len(a.here) > 0 {
		if n = copy(p, a.here[0]); n == len(a.here[0]) {
			a.here = a.here[1:]
		} else {
			a.here[0] = a.here[0][n:]
		}
	}
	if len(a.here)+len(a.later) == 0 {
		err = a.end
	}
	return n, err
}

func (a *arriving) Read(p []byte) (int, error) {
	a.before()
	if len(a.here) == 0 {
		a.here, a.later = a.later, nil
	}
	return a.ReadNow(p)
}

func (a *arriving) Close() error {
	close(a.closed)
	return nil
}

func posting(t *testing.T, url string, body *arriving, length int64) *http.Request {
	r := request(t, http.MethodPost, url, body)
	r.ContentLength = length
	return r
}

// TestSmallBodies: as much of a small body as is here goes with the header, and the
// rest behind it.
func TestSmallBodies(t *testing.T) {
	first := make(chan string, 1)
	u := speaks(t, func(_ int, c net.Conn, _ *bufio.Reader) {
		for p := make([]byte, 64<<10); ; {
			n, err := c.Read(p)
			if err != nil {
				return
			}
			_, body, _ := strings.Cut(string(p[:n]), "\r\n\r\n")
			first <- body
			for end := "."; !strings.HasSuffix(body, end); body += string(p[:n]) {
				if n, err = c.Read(p); err != nil {
					return
				}
			}
			io.WriteString(c, ok)
		}
	})
	tr := newTransport(t)
	large := strings.Repeat("x", inlineSize)
	for name, c := range map[string]struct {
		here, later []string
		atOnce      string
	}{
		"whole":        {[]string{"abc."}, nil, "abc."},
		"in pieces":    {[]string{"ab", "c."}, nil, "abc."},
		"half of it":   {[]string{"ab"}, []string{"c."}, "ab"},
		"most":         {[]string{large[3:]}, []string{"xx", "."}, large[3:]},
		"nothing yet":  {nil, []string{"abc."}, ""},
		"not so small": {[]string{large, "."}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			length := len(strings.Join(append(c.here, c.later...), ""))
			body := newArriving(c.here, c.later, io.EOF)
			atOnce := sync.OnceValue(func() string { return <-first })
			body.before = func() { atOnce() }
			if got := read(t, do(t, tr, posting(t, u.url, body, int64(length)))); got != "ok" {
				t.Errorf("got %q", got)
			}
			if got := atOnce(); got != c.atOnce {
				t.Errorf("%d bytes came with the header, want %d", len(got), len(c.atOnce))
			}
			<-body.closed
			eventually(t, func() bool { return idle(tr) == 1 })
		})
	}
	if n := u.conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestSmallBodiesThatFail: one that ends too early, goes on too long or cannot be read
// ends the exchange, however much of it went with the header.
func TestSmallBodiesThatFail(t *testing.T) {
	bad := errors.New("bad")
	u := speaks(t, func(_ int, c net.Conn, br *bufio.Reader) { io.Copy(io.Discard, br) })
	for name, c := range map[string]struct {
		here, later []string
		end, want   error
	}{
		"too short":        {[]string{"ab"}, nil, io.EOF, io.ErrUnexpectedEOF},
		"too short, later": {[]string{"a"}, []string{"b"}, io.EOF, io.ErrUnexpectedEOF},
		"too long":         {[]string{"abcd"}, nil, io.EOF, nil},
		"too long, later":  {[]string{"ab"}, []string{"cd"}, io.EOF, nil},
		"unreadable":       {[]string{"ab"}, nil, bad, bad},
		"unreadable later": {nil, []string{"ab"}, bad, bad},
	} {
		t.Run(name, func(t *testing.T) {
			body := newArriving(c.here, c.later, c.end)
			_, err := newTransport(t).RoundTrip(posting(t, u.url, body, 3))
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			<-body.closed
		})
	}
}

// TestLargeHeadsAreNotKept: what a long header took does not stay with its connection,
// which can serve another one.
func TestLargeHeadsAreNotKept(t *testing.T) {
	u, tr := replies(t, ok), newTransport(t)
	for range 3 {
		r := get(t, u.url)
		r.Header.Set("X-Long", strings.Repeat("x", 3*inlineSize))
		read(t, do(t, tr, r))
		read(t, do(t, tr, get(t, u.url)))
		for _, stack := range tr.idle.idle {
			if len(stack) != 1 || cap(stack[0].head) > inlineSize {
				t.Errorf("%d connections, the first has room for %d bytes", len(stack), cap(stack[0].head))
			}
		}
	}
}

// TestExpectedBodiesWait: what has come of a body does not go before it is wanted.
func TestExpectedBodiesWait(t *testing.T) {
	u := continuing(t)
	body := newArriving([]string{"abc"}, nil, io.EOF)
	r := posting(t, u.url+"/refuse", body, 3)
	r.Header.Set("Expect", "100-continue")
	if got := read(t, do(t, newTransport(t), r)); got != "no" {
		t.Errorf("got %q", got)
	}
	<-body.closed
	if len(body.here) == 0 {
		t.Error("it was read")
	}
}
