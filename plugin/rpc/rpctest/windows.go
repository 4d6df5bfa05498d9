package rpctest

import (
	"context"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

func setting(id http2.SettingID, value uint32) http2.Setting {
	return http2.Setting{ID: id, Val: value}
}

// windows: nobody sends more than the other side takes, and nobody stops while it
// takes more.
func (open Opener) windows(t *testing.T) {
	t.Run("small steps", open.smallSteps)
	t.Run("window of all streams grows and shrinks", open.windowChanges)
	t.Run("connection's window", open.connectionWindow)
	t.Run("large answers", open.largeAnswers)
	t.Run("streams", open.maxStreams)
	t.Run("answer before the message is whole", open.early)
	t.Run("server that does not read", open.deaf)
}

// smallSteps: the server takes a few bytes at a time.
func (open Opener) smallSteps(t *testing.T) {
	const step = 7
	c := open.conn(t, rpc.Options{Target: Script(t, func(_ int, p *Peer) {
		allowed := map[uint32]int{}
		for {
			f, ok := p.Next().(*http2.DataFrame)
			if !ok {
				continue
			}
			id := f.StreamID
			if _, known := allowed[id]; !known {
				allowed[id] = step
			}
			if allowed[id] -= int(f.Length); allowed[id] < 0 {
				p.end("more data than allowed")
			}
			switch {
			case f.StreamEnded():
				p.Answer(id, p.bodies[id][5:])
			case allowed[id] == 0:
				allowed[id] = step
				p.must(p.WriteWindowUpdate(id, step))
			}
			p.must(p.WriteWindowUpdate(0, uint32(max(1, f.Length))))
		}
	}, setting(http2.SettingInitialWindowSize, step))})
	for _, n := range []int{0, 1, 2, 3, 9, 1000} {
		if got, err := ask(bounded(t), c, MethodEcho, pattern(n)); err != nil || got != string(pattern(n)) {
			t.Errorf("%d bytes: %d came back, %v", n, len(got), err)
		}
	}
}

// windowChanges: SETTINGS_INITIAL_WINDOW_SIZE holds for streams that are open, and
// may make their windows negative.
func (open Opener) windowChanges(t *testing.T) {
	const size = 40_000
	c := open.conn(t, rpc.Options{Target: Script(t, func(_ int, p *Peer) {
		read := func(id uint32, until int) {
			for len(p.bodies[id]) < until {
				p.Next()
			}
			if len(p.bodies[id]) > until {
				p.end("%d bytes, allowed were %d", len(p.bodies[id]), until)
			}
		}
		read(1, 10_000)
		p.must(p.WriteSettings(setting(http2.SettingInitialWindowSize, 1000))) // the window is -9000
		p.must(p.WriteWindowUpdate(1, 9_500))                                  // and now 500
		read(1, 10_500)
		p.must(p.WriteSettings(setting(http2.SettingInitialWindowSize, 20_000)))
		read(1, 29_500)
		p.must(p.WriteSettings(setting(http2.SettingInitialWindowSize, size)))
		read(1, size+5)
		p.Answer(1, p.bodies[1][5:])
	}, setting(http2.SettingInitialWindowSize, 10_000))})
	if got, err := ask(bounded(t), c, MethodEcho, pattern(size)); err != nil || got != string(pattern(size)) {
		t.Errorf("%d came back, %v", len(got), err)
	}
}

// connectionWindow: calls share the connection's window; one that is given up does
// not keep it from others.
func (open Opener) connectionWindow(t *testing.T) {
	const first = 65535
	full, gone := make(chan struct{}), make(chan struct{})
	c := open.conn(t, rpc.Options{Target: Script(t, func(_ int, p *Peer) {
		for len(p.bodies[1]) < first {
			p.Next()
		}
		close(full)
		for p.headers[3] == nil {
			p.Next()
		}
		if len(p.bodies[1]) > first || len(p.bodies[3]) > 0 {
			p.end("more data than the connection has room for")
		}
		close(gone)
		for {
			if f, ok := p.Next().(*http2.RSTStreamFrame); ok && f.StreamID == 1 {
				break
			}
		}
		p.must(p.WriteWindowUpdate(0, first))
		id, content := p.Request()
		p.Answer(id, content)
	}, setting(http2.SettingInitialWindowSize, 1<<20))})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	one := begin(ctx, c, MethodEcho, pattern(100_000))
	<-full
	two := begin(bounded(t), c, MethodEcho, pattern(50_000))
	<-gone
	cancel()
	wantFailure(t, await(t, one).err, codes.Canceled, false)
	if r := await(t, two); r.err != nil || r.answer != string(pattern(50_000)) {
		t.Errorf("%d came back, %v", len(r.answer), r.err)
	}
}

// largeAnswers: the client takes more as it reads, of one answer and of all.
func (open Opener) largeAnswers(t *testing.T) {
	content := pattern(9 << 20)
	c := open.conn(t, rpc.Options{MaxReceive: 16 << 20, Target: Script(t, func(_ int, p *Peer) {
		for {
			id, _ := p.Request()
			p.Answer(id, content)
		}
	})})
	want := string(content)
	for range 4 {
		if got, err := ask(bounded(t), c, MethodEcho, nil); err != nil || got != want {
			t.Fatalf("%d came back, %v", len(got), err)
		}
	}
}

// maxStreams: calls wait until the server takes one more.
func (open Opener) maxStreams(t *testing.T) {
	const calls = 20
	c := open.conn(t, rpc.Options{Target: Script(t, func(_ int, p *Peer) {
		p.must(p.WriteSettings(setting(http2.SettingMaxConcurrentStreams, 2)))
		for range calls / 2 {
			one, first := p.Request()
			two, second := p.Request()
			p.must(p.WritePing(false, [8]byte{}))
			for { // whoever wants to be third has time for it
				if _, ok := p.Next().(*http2.PingFrame); ok {
					break
				}
			}
			if len(p.headers) > int(two+1)/2 && len(p.headers) > int(one+1)/2 {
				p.end("a third call")
			}
			p.Answer(two, second)
			p.Answer(one, first)
		}
	}, setting(http2.SettingMaxConcurrentStreams, 0))})
	var done []<-chan result
	for range calls {
		done = append(done, begin(bounded(t), c, MethodEcho, pattern(10)))
	}
	for _, d := range done {
		if r := await(t, d); r.err != nil || r.answer != string(pattern(10)) {
			t.Errorf("%q, %v", r.answer, r.err)
		}
	}
	none := open.conn(t, rpc.Options{Target: Script(t, func(_ int, p *Peer) { p.Echo() }, setting(http2.SettingMaxConcurrentStreams, 0))})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := ask(ctx, none, MethodEcho, nil)
	wantFailure(t, err, codes.DeadlineExceeded, true)
}

// early: a server may answer what it has not heard to the end.
func (open Opener) early(t *testing.T) {
	c := open.conn(t, rpc.Options{Target: Script(t, func(_ int, p *Peer) {
		for {
			if f, ok := p.Next().(*http2.DataFrame); ok && f.StreamID == 1 {
				break
			}
		}
		trailersOnly(p, 1, "7")
		p.must(p.WriteWindowUpdate(0, 1<<20))
		p.Echo()
	}, setting(http2.SettingInitialWindowSize, 1000))})
	_, err := ask(bounded(t), c, MethodEcho, pattern(5000))
	wantFailure(t, err, codes.PermissionDenied, false)
	if got, err := ask(bounded(t), c, MethodEcho, []byte("next")); got != "next" || err != nil {
		t.Errorf("the next call: %q, %v", got, err)
	}
}

// deaf: a server that takes everything and reads nothing keeps nobody beyond his
// deadline, and does nothing to calls of other servers.
func (open Opener) deaf(t *testing.T) {
	end := make(chan struct{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accept(t, l, func(c connection) {
		p := newPeer(t, c)
		p.WriteSettings(setting(http2.SettingInitialWindowSize, 1<<31-1))
		p.WriteWindowUpdate(0, 1<<30)
		<-end
	})
	defer close(end)
	c := open.conn(t, rpc.Options{Target: l.Addr().String()})
	content := pattern(16 << 20)
	hasty, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	patient, leave := context.WithCancel(t.Context())
	defer leave()
	var late, left []<-chan result
	for range 2 {
		late = append(late, begin(hasty, c, MethodEcho, content))
		left = append(left, begin(patient, c, MethodEcho, content))
	}
	other := open.conn(t, rpc.Options{Target: Serve(t, "tcp", "127.0.0.1:0", nil).Target})
	for range 10 {
		if got, err := ask(bounded(t), other, MethodEcho, []byte("x")); got != "x" || err != nil {
			t.Errorf("a call of another server: %q, %v", got, err)
		}
	}
	for _, d := range late {
		if err := await(t, d).err; status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("beyond its deadline: %v", err)
		}
	}
	leave()
	for _, d := range left {
		if err := await(t, d).err; status.Code(err) != codes.Canceled {
			t.Errorf("without one: %v", err)
		}
	}
}
