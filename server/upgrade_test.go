package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

func TestWebSocket(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, message, err := c.Read(r.Context())
			if err != nil {
				return
			}
			if err := c.Write(r.Context(), kind, message); err != nil {
				return
			}
		}
	})
	for _, scheme := range []string{"http", "ws", "h2c"} {
		t.Run(scheme, func(t *testing.T) {
			g := proxy(t, scheme+"://"+up.Listener.Addr().String())
			c, _, err := websocket.Dial(t.Context(), strings.Replace(g.url, "http", "ws", 1)+"/chat", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			for _, message := range []string{"hello", strings.Repeat("long", 5000)} {
				if err := c.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
					t.Fatal(err)
				}
				if _, got, err := c.Read(t.Context()); err != nil || string(got) != message {
					t.Fatalf("got %.20q, %v", got, err)
				}
			}
			if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

// shout is an upstream that switches to a protocol of its own: every line comes
// back in capitals, and the end of the lines is answered with "BYE".
func shout(ended chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer close(ended)
		defer conn.Close()
		fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\nX-Up: 1\r\nKeep-Alive: 1\r\n\r\nHI\n", r.Header.Get("Upgrade"))
		rw.Flush()
		for {
			line, err := rw.ReadString('\n')
			if err != nil {
				break
			}
			rw.WriteString(strings.ToUpper(line))
			rw.Flush()
		}
		rw.WriteString("BYE\n")
		rw.Flush()
	}
}

// speak opens a tunnel to shout and sends a first line with the request, ahead
// of the 101.
func speak(t *testing.T, g *running) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	io.WriteString(conn, "GET /x HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: shout\r\n\r\nearly\n")
	br := bufio.NewReader(conn)
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := resp.Header
	if resp.StatusCode != 101 || h.Get("Upgrade") != "shout" || h.Get("Connection") != "Upgrade" || h.Get("X-Up") != "1" || h.Get("Keep-Alive") != "" {
		t.Fatalf("got %d %v", resp.StatusCode, h)
	}
	expect(t, br, "HI\n")
	expect(t, br, "EARLY\n")
	return conn, br
}

func expect(t *testing.T, br *bufio.Reader, want string) {
	t.Helper()
	if line, err := br.ReadString('\n'); line != want || err != nil {
		t.Fatalf("got %q, %v; want %q", line, err, want)
	}
}

func expectEnd(t *testing.T, br *bufio.Reader) {
	t.Helper()
	if rest, _ := io.ReadAll(br); len(rest) != 0 { // a reset is an end too
		t.Fatalf("got %q after the end", rest)
	}
}

func TestTunnel(t *testing.T) { // RFC 9110, 7.8
	for name, end := range map[string]func(conn net.Conn, br *bufio.Reader, g *running){
		"half closed by the client": func(conn net.Conn, br *bufio.Reader, _ *running) {
			conn.(*net.TCPConn).CloseWrite()
			expect(t, br, "BYE\n")
			expectEnd(t, br)
		},
		"closed by the client": func(conn net.Conn, _ *bufio.Reader, _ *running) { conn.Close() },
		"closed at shutdown": func(_ net.Conn, br *bufio.Reader, g *running) {
			if err := g.stop(); err != nil {
				t.Error(err)
			}
			expectEnd(t, br)
		},
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan struct{})
			g := proxy(t, upstream(t, shout(ended)).URL)
			conn, br := speak(t, g)
			io.WriteString(conn, "later\n")
			expect(t, br, "LATER\n")
			end(conn, br, g)
			<-ended
		})
	}
}

func TestTunnelClosedByUpstream(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shout\r\nX-Up: 1\r\n\r\nHI\n")
		rw.Flush()
		rw.ReadString('\n')
		rw.WriteString("EARLY\n")
		rw.Flush()
		conn.Close()
	})
	_, br := speak(t, proxy(t, up.URL))
	expectEnd(t, br)
}

// TestUpgradeFromHTTP2 is none: HTTP/2 has no Upgrade, and the upstream is not
// asked for one.
func TestUpgradeFromHTTP2(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "shout")
		w.WriteHeader(http.StatusSwitchingProtocols)
	})
	resp := do(t, client(t, h2c), request(t, context.Background(), http.MethodGet, proxy(t, up.URL).url, nil))
	if resp.StatusCode != http.StatusBadGateway {
		t.Errorf("got %d", resp.StatusCode)
	}
}
