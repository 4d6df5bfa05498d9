package server_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
	"github.com/grapnel-gateway/grapnel/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// An exchangeKind is a kind of exchange, and what it may allocate in the gateway:
// everything between the client's socket, the upstream's and the plugin server's.
type exchangeKind struct {
	name, api string
	request   string
	most      float64
}

const byHeader = "{ extract_from: header, extract_with: value, header: Authorization }"

var exchangeKinds = []exchangeKind{
	{"no hook", ``, question, 29},
	{"no hook, header of 8 KB", ``, large, 33},
	{"no hook, body", ``, posted, 32},
	{"Pre hook", `hooks: { pre: [{ plugin: p, hook: "set X-A=1" }] }`, question, 44},
	{"Pre hook, body that streams", `hooks: { pre: [{ plugin: p, hook: "set X-A=1", send: { body: none } }] }`, posted, 45},
	{"Pre hook, body", `hooks: { pre: [{ plugin: p, hook: "set X-A=1", raw_body_only: true }] }`, posted, 51},
	{"Response hook", `hooks: { response: [{ plugin: p, hook: "rset X-A=1" }] }`, question, 45},
	{"stored token", `auth: [{ token: {} }]`, question, 29},
	{"auth hook", `auth: [{ plugin: p, hook: "auth token;rate 1000000=1" }]`, question, 56},
	{"auth hook that is not asked", `auth: [{ plugin: p, hook: "auth token;deadline 600;rate 1000000=1", id_extractor: ` + byHeader + ` }]`, question, 38},
}

// gateway starts one for exchanges of the kind. The upstream is a socket that
// repeats itself, and the plugin server is another process: what is counted or
// measured is the gateway's, but for the client.
func (k exchangeKind) gateway(t testing.TB) (addr string) {
	up := repeater(t, k.request[len(k.request)-4:], "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nServer: x\r\n\r\nhello")
	hooks := plugintest.StartProcess(t, program.Path(t, "scripted"), "127.0.0.1:0", "-forget")
	return startWithKeys(t, configuration(t, `
plugins: { p: { target: %q, timeout: 5s } }
apis:
  - { id: a, listen_path: /, target: "http://%s", `+k.api+` }
`, hooks.Target, up))
}

const question = "GET /things HTTP/1.1\r\nHost: a\r\nUser-Agent: test\r\nAccept: */*\r\nAuthorization: token\r\n\r\n"

var (
	large  = strings.TrimSuffix(question, "\r\n") + many(160) + "\r\n"
	posted = "POST" + strings.TrimSuffix(question[3:], "\r\n") + "Content-Length: 1024\r\n\r\n" + strings.Repeat("0123456789abcde.", 64)
)

// many are so many header lines of 50 bytes.
func many(n int) (lines string) {
	for i := range n {
		lines += fmt.Sprintf("X-Header-%03d: 0123456789abcdefghijklmnopqrstuvwxyz\r\n", i)
	}
	return lines
}

// TestAllocations counts what the gateway allocates for an exchange.
func TestAllocations(t *testing.T) {
	for _, k := range exchangeKinds {
		t.Run(k.name, func(t *testing.T) {
			ask := asker(t, k.gateway(t), k.request)
			for range 200 { // connections and pools
				ask()
			}
			if got := testing.AllocsPerRun(500, ask); got > k.most {
				t.Errorf("%v allocations, the most is %v", got, k.most)
			} else {
				t.Logf("%v allocations", got)
			}
		})
	}
}

// BenchmarkExchange measures exchanges over 32 connections at once. cpu-ns/op is
// the CPU time of gateway, client and upstream together, without the plugin server.
func BenchmarkExchange(b *testing.B) {
	const connections = 32
	for _, k := range exchangeKinds {
		b.Run(k.name, func(b *testing.B) {
			addr := k.gateway(b)
			b.ReportAllocs()
			b.SetParallelism(connections / runtime.GOMAXPROCS(0))
			before := spent(b)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for ask := asker(b, addr, k.request); pb.Next(); {
					ask()
				}
			})
			b.ReportMetric(float64(spent(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// spent is the CPU time that this process has used, in nanoseconds.
func spent(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// repeater is an upstream that answers all that ends in this way with the same bytes.
func repeater(t testing.TB, end, reply string) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf, out := make([]byte, 4<<10), []byte(reply)
				for {
					n, err := c.Read(buf)
					if err != nil {
						return
					}
					if bytes.HasSuffix(buf[:n], []byte(end)) {
						c.Write(out)
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// asker returns a function that sends a request and reads its reply.
func asker(t testing.TB, addr, request string) func() {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	out, in := []byte(request), bufio.NewReader(c)
	return func() {
		if _, err := c.Write(out); err != nil {
			t.Fatal(err)
		}
		for first := true; ; first = false {
			line, err := in.ReadSlice('\n')
			if err != nil {
				t.Fatal(err)
			}
			if first && !strings.HasPrefix(string(line[:12]), "HTTP/1.1 200") {
				t.Fatalf("%s", line)
			}
			if len(line) == 2 {
				break
			}
		}
		if _, err := in.Discard(len("hello")); err != nil {
			t.Fatal(err)
		}
	}
}

// startWithKeys starts a gateway that knows the key "token", and returns its
// address.
func startWithKeys(t testing.TB, c *grapnel.Config) (addr string) {
	t.Helper()
	g := start(t, c, io.Discard)
	session := &grapnel.Session{AccessRights: map[string]grapnel.AccessDefinition{"a": {APIID: "a"}}}
	session.KeyID = g.keys.Token("", "token")
	if err := g.keys.Save(t.Context(), session, time.Hour); err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(g.url, "http://")
}
