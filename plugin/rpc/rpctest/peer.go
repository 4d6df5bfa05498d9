package rpctest

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

type connection = net.Conn

// accept serves each connection of a listener until the test ends.
func accept(t testing.TB, l net.Listener, serve func(connection)) {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			all.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
}

// A Peer is the server's end of one connection of HTTP/2, in the hands of a
// script. The script ends with the connection, or by a failure of the test.
type Peer struct {
	*http2.Framer
	t       testing.TB
	conn    net.Conn
	encoder *hpack.Encoder
	block   bytes.Buffer
	window  map[uint32]int // what the client takes, by stream; 0 is the connection
	initial int            // of a new stream
	headers map[uint32]*http2.MetaHeadersFrame
	bodies  map[uint32][]byte
}

// Script starts a server whose connections are in the hands of the script, each
// after settings were exchanged. n counts the connections from 0.
func Script(t testing.TB, script func(n int, p *Peer), settings ...http2.Setting) (target string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	count := 0
	accept(t, l, func(c connection) {
		mu.Lock()
		n := count
		count++
		mu.Unlock()
		done := make(chan struct{})
		go func() { // so that the script may end itself
			defer close(done)
			p := newPeer(t, c)
			p.greet(settings)
			script(n, p)
			p.rest()
		}()
		<-done
	})
	return l.Addr().String()
}

func newPeer(t testing.TB, c net.Conn) *Peer {
	p := &Peer{
		Framer: http2.NewFramer(c, c), t: t, conn: c, initial: 65535, window: map[uint32]int{0: 65535},
		headers: map[uint32]*http2.MetaHeadersFrame{}, bodies: map[uint32][]byte{},
	}
	p.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.SetMaxReadFrameSize(16 << 10)
	p.AllowIllegalWrites = true
	p.encoder = hpack.NewEncoder(&p.block)
	return p
}

func (p *Peer) greet(settings []http2.Setting) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(p.conn, preface); err != nil || string(preface) != http2.ClientPreface {
		p.end("preface %q, %v", preface, err)
	}
	p.must(p.WriteSettings(settings...))
	for acknowledged := false; !acknowledged; {
		if f, ok := p.Next().(*http2.SettingsFrame); ok && f.IsAck() {
			acknowledged = true
		}
	}
}

// end ends the script, as the test's failure if there is a text.
func (p *Peer) end(format string, args ...any) {
	if format != "" {
		p.t.Errorf("the server: "+format, args...)
	}
	p.conn.Close()
	runtime.Goexit()
}

func (p *Peer) must(err error) {
	if err != nil {
		p.end("")
	}
}

// Close ends the connection. The script may go on to its end.
func (p *Peer) Close() error { return p.conn.Close() }

// Next reads a frame, and does what all servers do about it: settings are
// acknowledged, windows kept, headers and data collected.
func (p *Peer) Next() http2.Frame {
	f, err := p.ReadFrame()
	if err != nil {
		if strings.Contains(err.Error(), "http2") || strings.Contains(err.Error(), "PROTOCOL") || strings.Contains(err.Error(), "COMPRESSION") {
			p.end("the client's frame: %v", err)
		}
		p.end("")
	}
	switch f := f.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			if v, ok := f.Value(http2.SettingInitialWindowSize); ok {
				p.initial = int(v)
			}
			p.must(p.WriteSettingsAck())
		}
	case *http2.WindowUpdateFrame:
		if _, known := p.window[f.StreamID]; !known {
			p.window[f.StreamID] = p.initial
		}
		p.window[f.StreamID] += int(f.Increment)
	case *http2.MetaHeadersFrame:
		if p.headers[f.StreamID] != nil || f.StreamEnded() {
			p.end("headers of stream %d, which has some or ends with them", f.StreamID)
		}
		p.headers[f.StreamID] = f
	case *http2.DataFrame:
		p.bodies[f.StreamID] = append(p.bodies[f.StreamID], f.Data()...)
	case *http2.GoAwayFrame:
		if f.ErrCode != http2.ErrCodeNo {
			p.t.Logf("the client goes away: %v", f.ErrCode)
		}
	}
	return f
}

// rest reads until the client has gone.
func (p *Peer) rest() {
	for {
		p.Next()
	}
}

// Request waits for the next whole call, and returns its stream and its message.
func (p *Peer) Request() (uint32, []byte) {
	for {
		f, ok := p.Next().(*http2.DataFrame)
		if !ok || !f.StreamEnded() {
			continue
		}
		body := p.bodies[f.StreamID]
		if len(body) < 5 || body[0] != 0 || int(binary.BigEndian.Uint32(body[1:])) != len(body)-5 {
			p.end("%d bytes are not one message", len(body))
		}
		return f.StreamID, body[5:]
	}
}

// fields encodes a block of header fields.
func (p *Peer) fields(pairs ...string) []byte {
	p.block.Reset()
	for i := 0; i < len(pairs); i += 2 {
		p.must(p.encoder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}))
	}
	return bytes.Clone(p.block.Bytes())
}

// Fields sends header fields.
func (p *Peer) Fields(id uint32, end bool, pairs ...string) {
	p.must(p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: p.fields(pairs...), EndHeaders: true, EndStream: end}))
}

// Begin sends the headers of an answer.
func (p *Peer) Begin(id uint32) {
	p.Fields(id, false, ":status", "200", "content-type", "application/grpc")
}

// Message sends a message, as the client's windows allow.
func (p *Peer) Message(id uint32, content []byte) {
	p.Data(id, frame(content))
}

// Data sends bytes of an answer, as the client's windows allow.
func (p *Peer) Data(id uint32, data []byte) {
	if _, known := p.window[id]; !known {
		p.window[id] = p.initial
	}
	for len(data) > 0 {
		n := min(len(data), p.window[id], p.window[0], 16<<10)
		if n <= 0 {
			p.Next()
			continue
		}
		p.window[id] -= n
		p.window[0] -= n
		p.must(p.WriteData(id, false, data[:n]))
		data = data[n:]
	}
}

// End sends trailers.
func (p *Peer) End(id uint32, pairs ...string) {
	p.Fields(id, true, append([]string{"grpc-status", "0"}, pairs...)...)
}

// Answer sends a whole answer.
func (p *Peer) Answer(id uint32, content []byte) {
	p.Begin(id)
	p.Message(id, content)
	p.End(id)
}

// Echo answers calls until the client has gone.
func (p *Peer) Echo() {
	for {
		id, content := p.Request()
		p.Answer(id, content)
	}
}

// frame puts the prefix of gRPC before a message.
func frame(content []byte) []byte {
	out := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(content)))
	return append(out, content...)
}

func lines(s string) []string { return strings.Split(s, "\n") }
