package fleet

import (
	"context"
	"testing"

	"google.golang.org/grpc/mem"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// A closing is a connection that counts how often it is closed.
type closing struct{ closed int }

func (*closing) Invoke(context.Context, *rpc.Call) (mem.Buffer, error) { return nil, nil }
func (*closing) State() rpc.State                                      { return rpc.Ready }
func (c *closing) Close() error                                        { c.closed++; return nil }

// A line that is retired ends with its last call, once.
func TestLineRetires(t *testing.T) {
	conn := &closing{}
	l := &line{conn: conn}
	if !l.hold() || !l.hold() {
		t.Fatal("a new line takes no calls")
	}
	l.retire()
	if l.hold() || conn.closed != 0 {
		t.Errorf("a retired line takes calls, or is closed %d times under them", conn.closed)
	}
	l.release()
	if l.hold() || conn.closed != 0 {
		t.Errorf("after the first: closed %d times", conn.closed)
	}
	l.release()
	if l.hold() || conn.closed != 1 {
		t.Errorf("after the last: closed %d times", conn.closed)
	}
}

// Lines are opened when all are full, and closed when they carry nothing, but for
// one.
func TestLines(t *testing.T) {
	var conns []*closing
	e := &endpoint{most: 3, stop: func() {}, dial: func() (rpc.Conn, error) {
		conns = append(conns, &closing{})
		return conns[len(conns)-1], nil
	}}
	e.lines.Store(&[]*line{})
	if err := e.grow(0); err != nil {
		t.Fatal(err)
	}
	var held []*line
	take := func(n int) {
		for range n {
			l, err := e.line()
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, l)
		}
	}
	for i, want := range []int{1, 2, 3, 3} {
		if take(perLine); len(conns) != want {
			t.Errorf("%d calls have %d lines, want %d", (i+1)*perLine, len(conns), want)
		}
	}
	if busiest := (*e.lines.Load())[0].load.Load(); busiest > 2*perLine {
		t.Errorf("%d calls are on one line", busiest)
	}
	e.shrink()
	e.shrink()
	if n := len(*e.lines.Load()); n != 3 {
		t.Errorf("%d lines are left under load", n)
	}
	for _, l := range held {
		l.served.Add(1)
		l.release()
	}
	e.shrink() // sees that something was carried
	if n := len(*e.lines.Load()); n != 3 {
		t.Errorf("%d lines are left right after", n)
	}
	e.shrink()
	if n := len(*e.lines.Load()); n != 1 || conns[0].closed != 0 || conns[1].closed != 1 || conns[2].closed != 1 {
		t.Errorf("%d lines are left when idle, closed: %d %d %d", n, conns[0].closed, conns[1].closed, conns[2].closed)
	}
	e.retire()
	e.close()
	if _, err := e.line(); err == nil || conns[0].closed != 1 {
		t.Errorf("a closed endpoint has a line (%v), closed %d times", err, conns[0].closed)
	}
}
