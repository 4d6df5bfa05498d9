package direct

import (
	"context"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/rpctest"
)

// until waits for what a connection comes to by itself.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

func reads(c *conn) role {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.role
}

// A call that is alone reads its own answer, unless it takes long; the goroutine
// reads when there are several, and when nothing has happened for a while.
func TestRoles(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	c := client(t, rpctest.Script(t, func(_ int, p *rpctest.Peer) {
		for {
			id, content := p.Request()
			if string(content) == "slow" {
				asked <- struct{}{}
				<-answer
			}
			p.Answer(id, content)
		}
	}))
	ask := func(text string) chan error {
		done := make(chan error, 1)
		go func() { _, err := echo(c, text); done <- err }()
		return done
	}
	led := 0
	until(t, "a call reads its own answer", func() bool {
		if err := <-ask("quick"); err != nil {
			t.Fatal(err)
		}
		slow := ask("slow")
		<-asked
		if reads(c.current.Load()) == caller {
			led++
		}
		until(t, "a call that takes long is relieved", func() bool { return reads(c.current.Load()) == keeper })
		quick := ask("quick")
		answer <- struct{}{}
		for _, done := range []chan error{slow, quick} {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		return led > 2
	})
	until(t, "the goroutine reads when there are no calls", func() bool { return reads(c.current.Load()) == keeper })
}

// What becomes of a connection between two calls is seen soon, without a call, and the
// next one gets another connection.
func TestEndsBetweenCalls(t *testing.T) {
	for name, end := range map[string]func(*rpctest.Peer) error{
		"closed": (*rpctest.Peer).Close,
		"GOAWAY": func(p *rpctest.Peer) error { return p.WriteGoAway(1<<31-1, http2.ErrCodeNo, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			next, ended := make(chan struct{}), make(chan struct{})
			c := client(t, rpctest.Script(t, func(_ int, p *rpctest.Peer) {
				p.Answer(p.Request())
				<-next
				if err := end(p); err != nil {
					t.Error(err)
				}
				ended <- struct{}{}
			}))
			for range 20 {
				if _, err := echo(c, "x"); err != nil {
					t.Fatal(err)
				}
				next <- struct{}{}
				<-ended
				until(t, "the client has noticed", func() bool { return c.State() != rpc.Ready })
			}
		})
	}
}

// A call that reads is not kept by the server beyond its own deadline, nor when its
// caller has gone, and leaves a connection that serves others.
func TestLeaderGivesUp(t *testing.T) {
	c := client(t, rpctest.Script(t, func(_ int, p *rpctest.Peer) {
		for {
			if id, content := p.Request(); string(content) != "never" {
				p.Answer(id, content)
			}
		}
	}))
	for _, wait := range []time.Duration{patience / 2, 3 * patience / 2, 4 * patience} {
		for _, cancelled := range []bool{false, true} {
			if _, err := echo(c, "x"); err != nil {
				t.Fatal(err)
			}
			current := c.current.Load()
			ctx, cancel := context.WithTimeout(context.Background(), wait)
			want := codes.DeadlineExceeded
			if cancelled {
				cancel()
				ctx, cancel = context.WithCancel(context.Background())
				time.AfterFunc(wait, cancel)
				want = codes.Canceled
			}
			_, err := c.Invoke(ctx, &rpc.Call{Method: rpctest.MethodEcho, Message: mem.BufferSlice{mem.SliceBuffer("never")}})
			if cancel(); status.Code(err) != want {
				t.Errorf("after %v: %v", wait, err)
			}
			if got, err := echo(c, "next"); got != "next" || err != nil || c.current.Load() != current {
				t.Errorf("the next call: %q, %v, on the same connection: %t", got, err, c.current.Load() == current)
			}
		}
	}
}

// Answers to pings are not written at once, but soon, also where no call comes to take
// them along; and a great number of them is no reason to cut a server off that reads
// them.
func TestPings(t *testing.T) {
	answered := make(chan struct{})
	c := client(t, rpctest.Script(t, func(_ int, p *rpctest.Peer) {
		for _, n := range []int{1, 10 * fullPongs / pingLength} {
			p.Answer(p.Request())
			for range n {
				if err := p.WritePing(false, [8]byte{1}); err != nil {
					t.Error(err)
				}
			}
			for n > 0 {
				if f, ok := p.Next().(*http2.PingFrame); ok && f.IsAck() {
					n--
				}
			}
			answered <- struct{}{}
		}
		p.Echo()
	}))
	for range 2 {
		if _, err := echo(c, "x"); err != nil {
			t.Fatal(err)
		}
		<-answered
	}
	if got, err := echo(c, "next"); got != "next" || err != nil {
		t.Errorf("the next call: %q, %v", got, err)
	}
}
