//go:build unix

package h1

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// upstreamVariable makes this test program an upstream in a process of its own,
// so that the CPU time of a benchmark is that of the client.
const upstreamVariable = "GRAPNEL_TEST_UPSTREAM"

func serveUpstream() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		os.Exit(1)
	}
	os.Stdout.WriteString(l.Addr().String() + "\n")
	go func() { // ends with the parent
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"hello":"world","from":"upstream"}`+"\n")
	}))
}

func upstreamProcess(b *testing.B) string {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), upstreamVariable+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return "http://" + strings.TrimSpace(address)
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func reportCPU(b *testing.B, before time.Duration) {
	b.ReportMetric(float64((cpuTime()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

func transports() map[string]http.RoundTripper {
	return map[string]http.RoundTripper{
		"direct":   &Transport{MaxIdlePerHost: 64, IdleTimeout: time.Minute},
		"standard": &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	}
}

// BenchmarkRoundTrip is one exchange, upstream's work not counted.
func BenchmarkRoundTrip(b *testing.B) {
	address := upstreamProcess(b)
	for _, c := range []struct {
		name, method, body string
		stream             bool
	}{
		{"GET", http.MethodGet, "", false},
		{"POST 1 KiB", http.MethodPost, strings.Repeat("x", 1<<10), false},
		{"POST 1 KiB stream", http.MethodPost, strings.Repeat("x", 1<<10), true},
	} {
		for name, client := range transports() {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				before := cpuTime()
				b.RunParallel(func(pb *testing.PB) {
					buf := make([]byte, 4096)
					for pb.Next() {
						req, err := http.NewRequestWithContext(b.Context(), c.method, address+"/path?q=1", strings.NewReader(c.body))
						if err != nil {
							b.Fatal(err)
						}
						if c.stream {
							req.Body, req.GetBody = io.NopCloser(streaming(c.body)), nil
						}
						req.Header["User-Agent"] = []string{"bench"}
						req.Header["X-Forwarded-For"] = []string{"127.0.0.1"}
						resp, err := client.RoundTrip(req)
						if err != nil {
							b.Error(err)
							return
						}
						for err == nil {
							_, err = resp.Body.Read(buf)
						}
						resp.Body.Close()
					}
				})
				reportCPU(b, before)
			})
		}
	}
}

// TestAllocations: the budget of a small exchange is five. They are the header
// of the reply as one string, its map, with one part, its values, and the reply.
func TestAllocations(t *testing.T) {
	u := speaks(t, func(_ int, c net.Conn, _ *bufio.Reader) {
		buf, reply := make([]byte, 4096), []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nok")
		for { // each request comes in one piece
			if _, err := c.Read(buf); err != nil {
				return
			}
			c.Write(reply)
		}
	})
	tr, req, buf := newTransport(t), get(t, u.url), make([]byte, 512)
	allocations := testing.AllocsPerRun(500, func() {
		resp, err := tr.RoundTrip(req)
		for err == nil {
			_, err = resp.Body.Read(buf)
		}
		if err != io.EOF {
			t.Fatal(err)
		}
	})
	if allocations > 5 {
		t.Errorf("%v allocations", allocations)
	}
}
