package h1_test

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"log"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel/server/h1"
)

// limited are the servers under test with a limit of headers; 0 is the usual one.
func limited(t testing.TB, limit int, h http.Handler) (standard, own string) {
	of := func() *http.Server {
		return &http.Server{Handler: h, MaxHeaderBytes: limit, ErrorLog: log.New(io.Discard, "", 0)}
	}
	return serve(t, of()), serve(t, h1.New(of()))
}

// ofSize is a request of which the header has so many bytes.
func ofSize(size int, body string) string {
	begin := fmt.Sprintf("POST /long HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nX: ", len(body))
	return begin + strings.Repeat("x", size-len(begin)-4) + "\r\n\r\n" + body
}

// TestLongHeaders: around what a connection has room for, and around the limit, what a
// request means and whether it is refused is the same as with the standard server. What
// is 4 to 8 KiB over the limit is left out: that server takes it behind another request,
// of which it has read too much, and on a new connection not.
func TestLongHeaders(t *testing.T) {
	for _, limit := range []int{0, 1 << 10, 5000, 16 << 10, 64 << 10} {
		standard, own := limited(t, limit, http.HandlerFunc(tell))
		all := map[int]bool{}
		for _, edge := range []int{4 << 10, 8 << 10, 16 << 10, 32 << 10, limit} {
			for _, beside := range []int{-1, 0, 1, 3 << 10, 9 << 10} {
				all[max(edge+beside, 100)] = true
			}
		}
		for size := range all {
			if over := size - cmp.Or(limit, http.DefaultMaxHeaderBytes); 4<<10 < over && over <= 8<<10 {
				continue
			}
			for _, body := range []string{"", "hello", strings.Repeat("hello", 3000)} {
				same(t, standard, own, ofSize(size, body)+hidden)
			}
		}
	}
}

// TestManyLines: however many lines a header has, it is the same request as with the
// standard server.
func TestManyLines(t *testing.T) {
	standard, own := limited(t, 64<<10, http.HandlerFunc(tell))
	for _, n := range []int{1, 997, 998, 999, 1000, 1001, 2500} {
		lines := "GET /many HTTP/1.1\r\nHost: a\r\n"
		for i := range n {
			lines += fmt.Sprintf("X-%d: %d\r\n", i, i)
		}
		same(t, standard, own, lines+"\r\n")
	}
}

// TestHeadersAreRefused: what is too long for the standard server is not served here.
func TestHeadersAreRefused(t *testing.T) {
	for _, limit := range []int{5000, 64 << 10} {
		_, own := limited(t, limit, http.HandlerFunc(tell))
		for _, size := range []int{limit + 4097, 2 * limit, 4 * limit} {
			if got := statuses(talk(t, own, ofSize(size, ""))); got != "431" {
				t.Errorf("a header of %d bytes, with a limit of %d: %q", size, limit, got)
			}
		}
	}
}

// TestWhoServesLongHeaders: up to the limit, it is not the standard server.
func TestWhoServesLongHeaders(t *testing.T) {
	const limit = 64 << 10
	kind := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "by a %T.", w) })
	_, own := limited(t, limit, kind)
	for size, want := range map[int]string{1 << 10: "*h1.reply", 8 << 10: "*h1.reply", limit: "*h1.reply", limit + 1: "*http.response"} {
		if got := talk(t, own, ofSize(size, "hello")); !strings.Contains(got, "by a "+want+".") {
			t.Errorf("a header of %d bytes, by a %s wanted:\n%s", size, want, got)
		}
	}
}

// TestSlowLongHeaders: a long header that comes byte by byte, and one that comes in two
// parts, wherever it is cut near an edge, are the same request.
func TestSlowLongHeaders(t *testing.T) {
	standard, own := pair(t, http.HandlerFunc(tell))
	request := ofSize(9<<10, "hello") + hidden
	want := talk(t, standard, request)
	bytewise := strings.Split(request, "")
	if got := talk(t, own, bytewise...); got != want {
		t.Errorf("byte by byte:\n%s", got)
	}
	for _, edge := range []int{4 << 10, 8 << 10, 9 << 10} {
		for cut := edge - 5; cut <= edge+1; cut++ {
			if got := talk(t, own, request[:cut], request[cut:]); got != want {
				t.Errorf("cut at %d:\n%s", cut, got)
			}
		}
	}
}

// TestIdleConnectionsAreSmall: what a long header took does not stay with its connection.
func TestIdleConnectionsAreSmall(t *testing.T) {
	const connections, most = 200, 24 << 10 // each, both ends of it
	_, own := limited(t, 64<<10, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "0")
	}))
	before := inUse()
	for range connections {
		c := dial(t, own)
		io.WriteString(c, ofSize(60<<10, ""))
		if _, err := http.ReadResponse(bufio.NewReaderSize(c, 16), nil); err != nil {
			t.Fatal(err)
		}
	}
	if each := (inUse() - before) / connections; each > most {
		t.Errorf("%d bytes for each connection, the most is %d", each, most)
	}
}

// inUse is the memory in use, without what pools keep for later.
func inUse() int {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}
