package rpctest

import (
	"net"
	"testing"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// endings: what a server says when it goes tells which calls it has executed.
func (open Opener) endings(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		c := open.conn(t, rpc.Options{Target: Script(t, func(_ int, p *Peer) {
			for {
				id, _ := p.Request()
				p.reset(id, http2.ErrCodeRefusedStream)
			}
		})})
		for range 2 {
			_, err := ask(bounded(t), c, MethodEcho, nil)
			wantFailure(t, err, codes.Unavailable, true)
		}
	})
	t.Run("going away, call is answered", func(t *testing.T) {
		c := open.conn(t, rpc.Options{Target: Script(t, func(n int, p *Peer) {
			id, content := p.Request()
			p.must(p.WriteGoAway(1<<31-1, http2.ErrCodeNo, nil))
			p.must(p.WriteGoAway(id, http2.ErrCodeNo, []byte("bye")))
			p.Answer(id, append(content, byte('0'+n)))
		})})
		for _, want := range []string{"x0", "x1", "x2"} {
			if got, err := ask(bounded(t), c, MethodEcho, []byte("x")); got != want || err != nil {
				t.Errorf("%q, %v; want %q", got, err, want)
			}
		}
	})
	t.Run("going away, call is not", open.unanswered)
	t.Run("connection breaks", func(t *testing.T) {
		c := open.conn(t, rpc.Options{Target: Script(t, func(n int, p *Peer) {
			if n == 0 {
				p.Request()
				p.end("")
			}
			p.Echo()
		})})
		_, err := ask(bounded(t), c, MethodEcho, nil)
		wantFailure(t, err, codes.Unavailable, false)
		if got, err := ask(bounded(t), c, MethodEcho, []byte("next")); got != "next" || err != nil {
			t.Errorf("the next call: %q, %v", got, err)
		}
	})
	t.Run("no server of HTTP/2", open.strangers)
}

// unanswered: calls that a server which goes away has not begun with find the next.
func (open Opener) unanswered(t *testing.T) {
	const away = 4
	c := open.conn(t, rpc.Options{Target: Script(t, func(n int, p *Peer) {
		if n < away {
			p.Request()
			p.must(p.WriteGoAway(0, http2.ErrCodeNo, nil))
			return
		}
		p.Echo()
	})})
	_, err := ask(bounded(t), c, MethodEcho, nil)
	wantFailure(t, err, codes.Unavailable, true)
	eventually(t, "a call reaches a server that stays", func() bool {
		_, err := ask(bounded(t), c, MethodEcho, nil)
		if err != nil {
			wantFailure(t, err, codes.Unavailable, true)
		}
		return err == nil
	})
}

// strangers: a server that speaks something else, or nothing, is none.
func (open Opener) strangers(t *testing.T) {
	for name, greeting := range map[string]string{"of another protocol": "HTTP/1.1 400 Bad Request\r\n\r\n", "without a word": ""} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			accept(t, l, func(c connection) { c.Write([]byte(greeting)) })
			c := open.conn(t, rpc.Options{Target: l.Addr().String()})
			_, err = ask(bounded(t), c, MethodEcho, nil)
			wantFailure(t, err, codes.Unavailable, true)
		})
	}
}
