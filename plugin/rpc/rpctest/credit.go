package rpctest

import (
	"bytes"
	"context"
	"testing"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// credit is what one side allows the other: whatever a server sends, the client gives
// it the room back in full; and the client's frames are no larger than the server takes
// at the time.
type credit struct{ Opener }

func (open credit) test(t *testing.T) {
	t.Run("padding", open.padding)
	t.Run("answers that nobody waits for", open.forgotten)
	t.Run("size of frames", open.frameSizes)
}

// padding: it takes room as data does. There is more of it here than the window of
// the connection takes, and in one answer more than its own.
func (open credit) padding(t *testing.T) {
	const calls, batch = 9, 64
	content := pattern(8 << 10) // takes 257 times the room
	c := open.conn(t, rpc.Options{Target: Script(t, func(_ int, p *Peer) {
		for {
			id, _ := p.Request()
			p.Begin(id)
			for data := frame(content); len(data) > 0; {
				n := min(len(data), batch)
				p.padded(id, data[:n])
				data = data[n:]
			}
			p.End(id)
		}
	})})
	for range calls {
		if got, err := ask(bounded(t), c, MethodEcho, nil); err != nil || got != string(content) {
			t.Fatalf("%d came back, %v", len(got), err)
		}
	}
}

// padded sends each byte in a frame with as much padding as there can be, as the
// client's windows allow.
func (p *Peer) padded(id uint32, data []byte) {
	const each = 1 + 1 + 255 // the length of the padding, the byte, the padding
	if _, known := p.window[id]; !known {
		p.window[id] = p.initial
	}
	for room := each * len(data); p.window[id] < room || p.window[0] < room; {
		p.Next()
	}
	var frames bytes.Buffer
	f := http2.NewFramer(&frames, nil)
	for i := range data {
		p.window[id] -= each
		p.window[0] -= each
		p.must(f.WriteDataPadded(id, false, data[i:i+1], make([]byte, 255)))
	}
	_, err := p.conn.Write(frames.Bytes())
	p.must(err)
}

// forgotten: of calls that are given up, the answers are on their way still. They
// take more room here than the connection has.
func (open credit) forgotten(t *testing.T) {
	const calls, each = 40, 500_000
	begun := make(chan struct{}, calls)
	c := open.conn(t, rpc.Options{Target: Script(t, func(_ int, p *Peer) {
		for range calls {
			id, _ := p.Request()
			p.Begin(id)
			begun <- struct{}{}
			for given := false; !given; {
				f, ok := p.Next().(*http2.RSTStreamFrame)
				given = ok && f.StreamID == id
			}
			p.Message(id, make([]byte, each))
		}
		p.Echo()
	})})
	for range calls {
		ctx, cancel := context.WithCancel(t.Context())
		done := begin(ctx, c, MethodEcho, nil)
		select {
		case <-begun:
		case <-bounded(t).Done():
			t.Fatal("the call does not arrive")
		}
		cancel()
		wantFailure(t, await(t, done).err, codes.Canceled, false)
	}
	if got, err := ask(bounded(t), c, MethodEcho, []byte("x")); got != "x" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// frameSizes: SETTINGS_MAX_FRAME_SIZE may grow, and shrink in the middle of a call.
func (open credit) frameSizes(t *testing.T) {
	const large, small, window, size = 1 << 20, 16 << 10, 300_000, 900_000
	c := open.conn(t, rpc.Options{Target: Script(t, func(_ int, p *Peer) {
		p.SetMaxReadFrameSize(large)
		p.must(p.WriteWindowUpdate(0, 2*size))
		for len(p.bodies[1]) < window {
			p.Next()
		}
		p.must(p.WriteSettings(setting(http2.SettingMaxFrameSize, small)))
		for acknowledged := false; !acknowledged; {
			f, ok := p.Next().(*http2.SettingsFrame)
			acknowledged = ok && f.IsAck()
		}
		p.SetMaxReadFrameSize(small) // from now on a larger one ends the script
		p.must(p.WriteWindowUpdate(1, size))
		id, content := p.Request()
		p.Answer(id, content)
	}, setting(http2.SettingMaxFrameSize, large), setting(http2.SettingInitialWindowSize, window))})
	if got, err := ask(bounded(t), c, MethodEcho, pattern(size)); err != nil || got != string(pattern(size)) {
		t.Errorf("%d came back, %v", len(got), err)
	}
}
