package h1_test

import (
	"bytes"
	"net"
	"net/http"
	"testing"

	"github.com/grapnel-gateway/grapnel/server/h1"
)

// mostAllocations bounds what a small exchange allocates: the request with its body and
// context, its URL, the map of its header, with one part, the values, and the header as
// one string.
const mostAllocations = 8

// asker returns a function that sends a small request to a server and reads the reply.
// Neither it nor the handler allocates.
func asker(t testing.TB, s func(http.Handler) serving) func() {
	kind, length, body := []string{"text/plain"}, []string{"5"}, []byte("hello")
	addr := serve(t, s(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Content-Type"], h["Content-Length"] = kind, length
		w.Write(body)
	})))
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	request := []byte("GET /path?q=1 HTTP/1.1\r\nHost: a\r\nUser-Agent: bench\r\nAccept: */*\r\nAuthorization: Bearer 0123456789abcdef\r\n\r\n")
	reply := make([]byte, 4<<10)
	return func() {
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		for n := 0; !bytes.HasSuffix(reply[:n], body); {
			m, err := c.Read(reply[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += m
		}
	}
}

func own(h http.Handler) serving { return h1.New(&http.Server{Handler: h}) }

func TestAllocations(t *testing.T) {
	ask := asker(t, own)
	for range 100 { // buffers
		ask()
	}
	if n := testing.AllocsPerRun(500, ask); n > mostAllocations {
		t.Errorf("%v allocations, the most is %v", n, mostAllocations)
	} else {
		t.Logf("%v allocations", n)
	}
}

// BenchmarkServe reads a request and writes its reply, the client's share included.
func BenchmarkServe(b *testing.B) {
	for name, s := range map[string]func(http.Handler) serving{
		"own":      own,
		"standard": func(h http.Handler) serving { return &http.Server{Handler: h} },
	} {
		b.Run(name, func(b *testing.B) {
			ask := asker(b, s)
			b.ReportAllocs()
			for b.Loop() {
				ask()
			}
		})
	}
}
