package rpctest

import (
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// frames: all that a server may send is understood, or passed over.
func (open Opener) frames(t *testing.T) {
	for name, answer := range map[string]func(p *Peer, id uint32, content []byte){
		"plain":  func(p *Peer, id uint32, content []byte) { p.Answer(id, content) },
		"padded": padded,
		"continued": func(p *Peer, id uint32, content []byte) {
			p.continued(id, false, ":status", "200", "content-type", "application/grpc", "x-long", strings.Repeat("y", 20_000))
			p.Message(id, content)
			p.continued(id, true, "grpc-status", "0", "x-long", strings.Repeat("z", 20_000))
		},
		"byte by byte": func(p *Peer, id uint32, content []byte) {
			p.Begin(id)
			for _, b := range frame(content) {
				p.must(p.WriteData(id, false, []byte{b}))
				p.must(p.WriteData(id, false, nil))
			}
			p.End(id)
		},
		"informational": func(p *Peer, id uint32, content []byte) {
			p.Fields(id, false, ":status", "103", "link", "x")
			p.Answer(id, content)
		},
		"in between": func(p *Peer, id uint32, content []byte) {
			p.must(p.WriteRawFrame(0xfe, 0xff, id, []byte("unknown")))
			p.must(p.WritePriority(id, http2.PriorityParam{StreamDep: 0, Weight: 7}))
			p.Begin(id)
			p.must(p.WritePing(false, [8]byte{1, 2, 3}))
			p.must(p.WriteSettings(http2.Setting{ID: 0xff, Val: 1}))
			p.must(p.WriteWindowUpdate(id, 10))
			for answered := false; !answered; { // whatever the call waits for
				f, ok := p.Next().(*http2.PingFrame)
				answered = ok && f.IsAck() && f.Data == [8]byte{1, 2, 3}
			}
			p.Message(id, content)
			p.End(id)
		},
		"frames of a call that is over": func(p *Peer, id uint32, content []byte) {
			p.Answer(id, content)
			p.must(p.WriteWindowUpdate(id, 10))
			p.reset(id, http2.ErrCodeNo)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := open.conn(t, rpc.Options{Target: Script(t, func(n int, p *Peer) {
				for n == 0 {
					id, content := p.Request()
					answer(p, id, content)
				}
				p.end("another connection")
			})})
			for _, n := range []int{0, 1, 1000, 40_000} {
				content := pattern(n)
				if got, err := ask(bounded(t), c, MethodEcho, content); err != nil || got != string(content) {
					t.Errorf("%d bytes: %d came back, %v", n, len(got), err)
				}
			}
		})
	}
	t.Run("header table", open.headerTable)
}

func padded(p *Peer, id uint32, content []byte) {
	p.must(p.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, EndHeaders: true, PadLength: 255, Priority: http2.PriorityParam{StreamDep: 3, Weight: 1, Exclusive: true},
		BlockFragment: p.fields(":status", "200", "content-type", "application/grpc"),
	}))
	for data := frame(content); len(data) > 0; {
		n := min(len(data), 100)
		p.must(p.WriteDataPadded(id, false, data[:n], make([]byte, n)))
		data = data[n:]
	}
	p.must(p.WriteDataPadded(id, false, nil, make([]byte, 255)))
	p.must(p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, EndHeaders: true, EndStream: true, PadLength: 1, BlockFragment: p.fields("grpc-status", "0")}))
}

// continued sends fields in many frames, one of them empty.
func (p *Peer) continued(id uint32, end bool, pairs ...string) {
	block := p.fields(pairs...)
	p.must(p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block[:1], EndStream: end}))
	p.must(p.WriteContinuation(id, false, nil))
	for block = block[1:]; len(block) > 1000; block = block[1000:] {
		p.must(p.WriteContinuation(id, false, block[:1000]))
	}
	p.must(p.WriteContinuation(id, true, block))
}

// headerTable: the client's headers fit the table that the server has, and the
// changes of its size.
func (open Opener) headerTable(t *testing.T) {
	const sizes = 6
	size := func(i int) uint32 { return []uint32{0, 4096, 100, 0, 1 << 20, 300}[i] }
	c := open.conn(t, rpc.Options{Target: Script(t, func(_ int, p *Peer) {
		for i := 0; ; i++ {
			id, content := p.Request()
			f := p.headers[id]
			if f.PseudoValue("path") != MethodEcho || f.PseudoValue("method") != "POST" || f.PseudoValue("scheme") != "http" {
				p.end("headers %v", f.Fields)
			}
			if i%3 == 2 {
				p.resizeTable(size(i / 3 % sizes))
			}
			p.Answer(id, content)
		}
	}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 4096})})
	for range 9 * sizes {
		if got, err := ask(bounded(t), c, MethodEcho, []byte("x"), "x-a", "1"); err != nil || got != "x" {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

// resizeTable changes the table for the client's headers, and waits until the
// client knows.
func (p *Peer) resizeTable(size uint32) {
	p.must(p.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: size}))
	for {
		if f, ok := p.Next().(*http2.SettingsFrame); ok && f.IsAck() {
			p.ReadMetaHeaders.SetAllowedMaxDynamicTableSize(size)
			p.ReadMetaHeaders.SetMaxDynamicTableSize(min(size, 4096))
			return
		}
	}
}
