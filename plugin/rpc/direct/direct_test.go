package direct

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/rpctest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	rpctest.Suite(t, func(o rpc.Options) (rpc.Conn, error) { return New(o) })
}

// client connects to a target.
func client(t testing.TB, target string) *Client {
	t.Helper()
	c, err := New(rpc.Options{Target: target})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// echo asks for its own text, within what a test may take.
func echo(c *Client, text string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	answer, err := c.Invoke(ctx, &rpc.Call{Method: rpctest.MethodEcho, Message: mem.BufferSlice{mem.SliceBuffer(text)}})
	if err != nil {
		return "", err
	}
	defer answer.Free()
	return string(answer.ReadOnlyData()), nil
}

// A breach is what a server does, and what it is told then.
type breach struct {
	do   func(*rpctest.Peer) error
	want http2.ErrCode
}

func breaches() map[string]breach {
	raw := func(kind http2.FrameType, flags http2.Flags, id uint32, content string) func(*rpctest.Peer) error {
		return func(p *rpctest.Peer) error { return p.WriteRawFrame(kind, flags, id, []byte(content)) }
	}
	twice := func(first, second func(*rpctest.Peer) error) func(*rpctest.Peer) error {
		return func(p *rpctest.Peer) error { return errors.Join(first(p), second(p)) }
	}
	set := func(id http2.SettingID, value uint32) func(*rpctest.Peer) error {
		return func(p *rpctest.Peer) error { return p.WriteSettings(http2.Setting{ID: id, Val: value}) }
	}
	update := func(id, n uint32) func(*rpctest.Peer) error {
		return func(p *rpctest.Peer) error { return p.WriteWindowUpdate(id, n) }
	}
	const open, long = "\x88", "\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	return map[string]breach{
		"frame too large":                {raw(http2.FrameData, 0, 1, string(make([]byte, 16<<10+1))), http2.ErrCodeFrameSize},
		"data of stream 0":               {raw(http2.FrameData, 0, 0, "x"), http2.ErrCodeProtocol},
		"data of no call":                {raw(http2.FrameData, 0, 99, "x"), http2.ErrCodeProtocol},
		"data of the server's stream":    {raw(http2.FrameData, 0, 2, "x"), http2.ErrCodeProtocol},
		"padding of nothing":             {raw(http2.FrameData, 8, 1, ""), http2.ErrCodeProtocol},
		"padding beyond the frame":       {raw(http2.FrameData, 8, 1, "\x03xx"), http2.ErrCodeProtocol},
		"headers of stream 0":            {raw(http2.FrameHeaders, 4, 0, open), http2.ErrCodeProtocol},
		"headers of no call":             {raw(http2.FrameHeaders, 4, 99, open), http2.ErrCodeProtocol},
		"headers, padding beyond":        {raw(http2.FrameHeaders, 12, 1, "\x09x"), http2.ErrCodeProtocol},
		"headers without their priority": {raw(http2.FrameHeaders, 36, 1, "xx"), http2.ErrCodeFrameSize},
		"headers that are garbage":       {raw(http2.FrameHeaders, 4, 1, "\xff\xff\xff\xff\xff\xff\xff"), http2.ErrCodeCompression},
		"headers that break off":         {raw(http2.FrameHeaders, 4, 1, "\x40\x05"), http2.ErrCodeCompression},
		"headers, table too large":       {raw(http2.FrameHeaders, 4, 1, "\x3f\xff\xff\x03"), http2.ErrCodeCompression},
		"headers interrupted":            {twice(raw(http2.FrameHeaders, 0, 1, open), raw(http2.FramePing, 0, 0, "12345678")), http2.ErrCodeProtocol},
		"headers interrupted by another": {twice(raw(http2.FrameHeaders, 0, 1, open), raw(http2.FrameContinuation, 4, 3, "")), http2.ErrCodeProtocol},
		"continuation of nothing":        {raw(http2.FrameContinuation, 4, 1, open), http2.ErrCodeProtocol},
		"continuations without end":      {flood, http2.ErrCodeEnhanceYourCalm},
		"priority, length":               {raw(http2.FramePriority, 0, 1, "x"), http2.ErrCodeFrameSize},
		"reset, length":                  {raw(http2.FrameRSTStream, 0, 1, "x"), http2.ErrCodeFrameSize},
		"reset of no call":               {raw(http2.FrameRSTStream, 0, 99, "1234"), http2.ErrCodeProtocol},
		"settings of a stream":           {raw(http2.FrameSettings, 0, 1, ""), http2.ErrCodeProtocol},
		"settings, length":               {raw(http2.FrameSettings, 0, 0, "x"), http2.ErrCodeFrameSize},
		"settings, ack with content":     {raw(http2.FrameSettings, 1, 0, "123456"), http2.ErrCodeFrameSize},
		"setting: push":                  {set(http2.SettingEnablePush, 1), http2.ErrCodeProtocol},
		"setting: window":                {set(http2.SettingInitialWindowSize, 1<<31), http2.ErrCodeFlowControl},
		"setting: window of a call":      {twice(update(1, 1<<31-1-65535), set(http2.SettingInitialWindowSize, 1<<31-1)), http2.ErrCodeFlowControl},
		"setting: small frames":          {set(http2.SettingMaxFrameSize, 16<<10-1), http2.ErrCodeProtocol},
		"setting: large frames":          {set(http2.SettingMaxFrameSize, 1<<24), http2.ErrCodeProtocol},
		"push":                           {raw(http2.FramePushPromise, 4, 1, "\x00\x00\x00\x02"+open), http2.ErrCodeProtocol},
		"ping of a stream":               {raw(http2.FramePing, 0, 1, "12345678"), http2.ErrCodeProtocol},
		"ping, length":                   {raw(http2.FramePing, 0, 0, "1"), http2.ErrCodeFrameSize},
		"GOAWAY of a stream":             {raw(http2.FrameGoAway, 0, 1, "12345678"), http2.ErrCodeProtocol},
		"GOAWAY, length":                 {raw(http2.FrameGoAway, 0, 0, "1"), http2.ErrCodeFrameSize},
		"window update, length":          {raw(http2.FrameWindowUpdate, 0, 0, long), http2.ErrCodeFrameSize},
		"window update of nothing":       {update(0, 0), http2.ErrCodeFlowControl},
		"window update of no call":       {update(99, 1), http2.ErrCodeProtocol},
		"window update, too much":        {update(0, 1<<31-1), http2.ErrCodeFlowControl},
		"window update, too much for 1":  {update(1, 1<<31-1), http2.ErrCodeFlowControl},
	}
}

// A server that breaks the protocol is told so. Its calls fail as ones that may
// have been executed, and others get a new connection.
func TestFaults(t *testing.T) {
	for name, test := range breaches() {
		t.Run(name, func(t *testing.T) {
			told := make(chan struct{})
			c := client(t, rpctest.Script(t, func(n int, p *rpctest.Peer) {
				if n > 0 {
					p.Echo()
				}
				p.Request()
				defer close(told)
				if err := test.do(p); err != nil {
					t.Log(err) // the client may have gone in the middle of it
				}
				wantGoAway(t, p, test.want)
			}))
			if _, err := echo(c, "x"); status.Code(err) != codes.Unavailable || rpc.Unsent(err) {
				t.Errorf("got %v", err)
			}
			if got, err := echo(c, "next"); got != "next" || err != nil {
				t.Errorf("the next call: %q, %v", got, err)
			}
			<-told
		})
	}
}

func wantGoAway(t *testing.T, p *rpctest.Peer, want http2.ErrCode) {
	for {
		f, err := p.ReadFrame()
		if err != nil {
			t.Errorf("no GOAWAY: %v", err)
			return
		}
		if f, ok := f.(*http2.GoAwayFrame); ok {
			if f.ErrCode != want {
				t.Errorf("GOAWAY says %v, want %v", f.ErrCode, want)
			}
			return
		}
	}
}

// flood sends a block of headers that never ends.
func flood(p *rpctest.Peer) error {
	err := p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1})
	for range maxBlock / frameHeader {
		err = errors.Join(err, p.WriteContinuation(1, false, nil))
	}
	return err
}

// Fields that are too large fail their call alone.
func TestFieldsTooLarge(t *testing.T) {
	c := client(t, rpctest.Script(t, func(n int, p *rpctest.Peer) {
		id, _ := p.Request()
		p.Fields(id, true, slices.Repeat([]string{"x-fill", string(make([]byte, 1000))}, maxFields/1000)...)
		if n == 0 {
			p.Echo()
		}
	}))
	if _, err := echo(c, "x"); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("got %v", err)
	}
	if got, err := echo(c, "next"); got != "next" || err != nil {
		t.Errorf("the next call: %q, %v", got, err)
	}
}

// When the numbers of streams are used up, calls get a new connection, and those
// under way their answers.
func TestStreamsUsedUp(t *testing.T) {
	held := make(chan struct{})
	c := client(t, rpctest.Script(t, func(n int, p *rpctest.Peer) {
		for {
			id, content := p.Request()
			if string(content) == "last" {
				<-held
			}
			p.Answer(id, fmt.Append(content, n))
		}
	}))
	if got, err := echo(c, "a"); got != "a0" || err != nil {
		t.Fatal(got, err)
	}
	first := c.current.Load()
	first.mu.Lock()
	first.nextID = maxStreamID - 2
	first.mu.Unlock()
	if got, err := echo(c, "b"); got != "b0" || err != nil {
		t.Fatal(got, err)
	}
	last := make(chan string, 1)
	go func() { got, err := echo(c, "last"); last <- fmt.Sprint(got, err) }()
	for c.current.Load() == first {
		time.Sleep(time.Millisecond) // until the last number is taken
	}
	if got, err := echo(c, "c"); got != "c1" || err != nil {
		t.Fatal(got, err)
	}
	close(held)
	if got := <-last; got != "last0<nil>" {
		t.Error(got)
	}
	if _, err := first.socket.Write(nil); err == nil {
		if _, err = first.socket.Read(make([]byte, 1)); err == nil {
			t.Error("the first connection is still open")
		}
	}
}

// A silent server with calls under way is pinged; one that answers is left alone,
// one that does not is given up.
func TestKeepalive(t *testing.T) {
	pinged := make(chan struct{})
	c := client(t, rpctest.Script(t, func(n int, p *rpctest.Peer) {
		id, content := p.Request()
		for range 2 {
			for {
				if f, ok := p.Next().(*http2.PingFrame); ok && !f.IsAck() {
					if err := p.WritePing(true, f.Data); err != nil {
						t.Error(err)
					}
					break
				}
			}
		}
		if string(content) == "answer" {
			p.Answer(id, content)
			p.Request()
		}
		<-pinged // and says nothing any more
	}))
	c.ping, c.pong = 20*time.Millisecond, 20*time.Millisecond
	defer close(pinged)
	if got, err := echo(c, "answer"); got != "answer" || err != nil {
		t.Fatal(got, err)
	}
	if _, err := echo(c, "x"); status.Code(err) != codes.Unavailable || rpc.Unsent(err) {
		t.Errorf("got %v", err)
	}
}

// A server that takes everything and reads nothing does not get the ping either, and
// is given up like one that does not answer it.
func TestDeafServer(t *testing.T) {
	end := make(chan struct{})
	c := client(t, rpctest.Script(t, func(n int, p *rpctest.Peer) {
		if n > 0 {
			p.Echo()
		}
		if err := p.WriteWindowUpdate(0, 1<<30); err != nil {
			t.Error(err)
		}
		<-end
	}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1}))
	c.ping, c.pong = 20*time.Millisecond, 20*time.Millisecond
	defer close(end)
	if _, err := echo(c, strings.Repeat("x", 32<<20)); status.Code(err) != codes.Unavailable || rpc.Unsent(err) {
		t.Errorf("got %v", err)
	}
	if got, err := echo(c, "next"); got != "next" || err != nil {
		t.Errorf("the next call: %q, %v", got, err)
	}
}

// Who is no gRPC server, or wants TLS, is told of so that one knows what to do.
func TestNoServer(t *testing.T) {
	for name, says := range map[string]string{
		"HTTP/1.1":       "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
		"TLS":            "\x15\x03\x01\x00\x02\x02\x50", // a fatal alert
		"nothing at all": "",
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				io.WriteString(c, says)
				io.CopyN(io.Discard, c, int64(len(clientPreface)))
				c.Close()
			}
		}()
		c := client(t, l.Addr().String())
		if _, err := echo(c, "x"); !rpc.Unsent(err) || !strings.Contains(err.Error(), "is it a gRPC server, and one without TLS?") {
			t.Errorf("%s: %v", name, err)
		}
		c.Close()
		l.Close()
		<-done
	}
}
