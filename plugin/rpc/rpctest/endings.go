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
	t.Run("going away, some calls are", open.someAnswered)
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

// someAnswered: a server that goes away answers the calls up to the last one that it
// names. It has executed nothing of the others, which go elsewhere.
func (open Opener) someAnswered(t *testing.T) {
	const calls, taken = 5, 3
	arrived := make(chan struct{})
	c := open.conn(t, rpc.Options{Target: Script(t, func(n int, p *Peer) {
		if n > 0 {
			p.Echo()
		}
		bodies := map[uint32][]byte{}
		for len(bodies) < calls {
			id, content := p.Request()
			bodies[id] = content
		}
		close(arrived)
		p.must(p.WriteGoAway(2*taken-1, http2.ErrCodeEnhanceYourCalm, []byte("too_many_pings")))
		for i := range uint32(taken) {
			p.Answer(2*i+1, append(bodies[2*i+1], "0"...))
		}
	})})
	var done []<-chan result
	for range calls {
		done = append(done, begin(bounded(t), c, MethodEcho, []byte("x")))
	}
	<-arrived
	answered := 0
	for _, d := range done {
		switch r := await(t, d); {
		case r.err != nil:
			wantFailure(t, r.err, codes.Unavailable, true)
		case r.answer == "x0":
			answered++
		case r.answer != "x":
			t.Errorf("answer %q", r.answer)
		}
	}
	if answered != taken {
		t.Errorf("%d calls were answered, of %d", answered, taken)
	}
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
