package server_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/keys"
	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
	"github.com/grapnel-gateway/grapnel/server"
	"github.com/grapnel-gateway/grapnel/store"
	"github.com/grapnel-gateway/grapnel/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// What an exchange of each kind may allocate in the gateway, everything between
// the client's socket, the upstream's and the plugin server's included.
const (
	mostPlain    = 29
	mostPre      = 44
	mostResponse = 45
	mostToken    = 29
	mostAuth     = 56
	mostID       = 38
)

// TestAllocations counts what the gateway allocates for an exchange. The client and
// the upstream are sockets that repeat themselves, and the plugin server is another
// process: what is counted is the gateway's.
func TestAllocations(t *testing.T) {
	up := repeater(t, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nServer: x\r\n\r\nhello")
	hooks := plugintest.StartProcess(t, program.Path(t, "scripted"), "127.0.0.1:0", "-forget")
	const id = "{ extract_from: header, extract_with: value, header: Authorization }"
	for _, c := range []struct {
		name, api string
		most      float64
	}{
		{"no hook", ``, mostPlain},
		{"Pre hook", `hooks: { pre: [{ plugin: p, hook: "set X-A=1" }] }`, mostPre},
		{"Response hook", `hooks: { response: [{ plugin: p, hook: "rset X-A=1" }] }`, mostResponse},
		{"stored token", `auth: [{ token: {} }]`, mostToken},
		{"auth hook", `auth: [{ plugin: p, hook: "auth token;rate 1000000=1" }]`, mostAuth},
		{"auth hook that is not asked", `auth: [{ plugin: p, hook: "auth token;deadline 600;rate 1000000=1", id_extractor: ` + id + ` }]`, mostID},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := startWithKeys(t, configuration(t, `
plugins: { p: { target: %q, timeout: 5s } }
apis:
  - { id: a, listen_path: /, target: "http://%s", `+c.api+` }
`, hooks.Target, up))
			ask := asker(t, g, "GET /things HTTP/1.1\r\nHost: a\r\nUser-Agent: test\r\nAccept: */*\r\nAuthorization: token\r\n\r\n")
			for range 200 { // connections and pools
				ask()
			}
			if got := testing.AllocsPerRun(500, ask); got > c.most {
				t.Errorf("%v allocations, the most is %v", got, c.most)
			} else {
				t.Logf("%v allocations", got)
			}
		})
	}
}

// repeater is an upstream that answers every read with the same bytes.
func repeater(t testing.TB, reply string) (addr string) {
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
					if _, err := c.Read(buf); err != nil {
						return
					}
					c.Write(out)
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
func startWithKeys(t *testing.T, c *grapnel.Config) (addr string) {
	t.Helper()
	s, err := store.Open("memory:", store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	cached, err := store.Cache(s, s, time.Minute, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cached.Close)
	ring, err := keys.New(cached, c.Keys, keys.NewPolicies())
	if err != nil {
		t.Fatal(err)
	}
	session := &grapnel.Session{AccessRights: map[string]grapnel.AccessDefinition{"a": {APIID: "a"}}}
	session.KeyID = ring.Token("", "token")
	if err := ring.Save(t.Context(), session, time.Hour); err != nil {
		t.Fatal(err)
	}
	g, err := server.New(c, server.Options{Open: openPlugin, Keys: ring, Counters: s, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- g.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		<-served
		g.Close()
	})
	return l.Addr().String()
}
