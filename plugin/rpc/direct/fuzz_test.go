package direct

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// answerBytes are what a server may send on stream 1.
func answerBytes(edit func(*http2.Framer, func(...string) []byte)) []byte {
	var out, block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	f := http2.NewFramer(&out, nil)
	f.AllowIllegalWrites = true
	edit(f, func(pairs ...string) []byte {
		block.Reset()
		for i := 0; i < len(pairs); i += 2 {
			encoder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
		}
		return bytes.Clone(block.Bytes())
	})
	return out.Bytes()
}

func seeds() [][]byte {
	headers := []string{":status", "200", "content-type", "application/grpc"}
	return [][]byte{
		nil,
		answerBytes(func(f *http2.Framer, fields func(...string) []byte) {
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: fields(headers...), EndHeaders: true})
			f.WriteData(1, false, []byte("\x00\x00\x00\x00\x02ab"))
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: fields("grpc-status", "0"), EndHeaders: true, EndStream: true})
		}),
		answerBytes(func(f *http2.Framer, fields func(...string) []byte) {
			f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 3}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0})
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: fields(append(headers, "grpc-status", "13", "grpc-message", "%41%")...), EndHeaders: true, EndStream: true})
			f.WriteGoAway(1, http2.ErrCodeNo, nil)
		}),
		answerBytes(func(f *http2.Framer, fields func(...string) []byte) {
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, PadLength: 9, Priority: http2.PriorityParam{Weight: 1}, BlockFragment: fields(headers...)})
			f.WriteContinuation(1, true, fields("x", "y"))
			f.WriteDataPadded(1, false, []byte("\x00\xff\x00\x00\x02"), make([]byte, 9))
			f.WritePing(false, [8]byte{})
			f.WriteWindowUpdate(0, 9)
			f.WriteWindowUpdate(1, 9)
			f.WriteRSTStream(1, http2.ErrCodeRefusedStream)
			f.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, EndHeaders: true})
		}),
	}
}

// Whatever a server sends once it has the call: the call ends, so does the client,
// and nothing is left of either (which TestMain checks). An answer is a message
// that the bytes hold.
func FuzzServer(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, sent []byte, large bool) {
		c, err := New(rpc.Options{Target: "plugin.test:1", MaxReceive: 1 << 20, Dial: func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go serveBytes(there, sent)
			return here, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		message := mem.BufferSlice{mem.SliceBuffer("x")}
		if large { // than the server takes at once
			message = mem.BufferSlice{mem.SliceBuffer(make([]byte, 100_000))}
		}
		answer, err := c.Invoke(ctx, &rpc.Call{Method: "/m", Message: message})
		switch {
		case ctx.Err() != nil:
			t.Fatal("the call did not end")
		case err != nil && (answer != nil || status.Code(err) == codes.OK || status.Convert(err) == nil):
			t.Fatalf("answer %v, %v", answer, err)
		case err == nil && !holds(sent, answer.ReadOnlyData()):
			t.Fatalf("answer %q", answer.ReadOnlyData())
		case err == nil:
			answer.Free()
		}
	})
}

// holds reports whether each byte of the answer is among those that were sent, in
// this order: frames may stand between them.
func holds(sent, answer []byte) bool {
	for _, b := range answer {
		i := bytes.IndexByte(sent, b)
		if i < 0 {
			return false
		}
		sent = sent[i+1:]
	}
	return true
}

// serveBytes sends its settings, and when a call has come, these bytes.
func serveBytes(c net.Conn, sent []byte) {
	defer c.Close()
	settings := appendHeader(nil, 0, frameSettings, 0, 0)
	if _, err := io.ReadFull(c, make([]byte, len(clientPreface))); err != nil {
		return
	}
	go func() {
		c.Write(settings)
	}()
	for begin := make([]byte, frameHeader); ; {
		if _, err := io.ReadFull(c, begin); err != nil {
			return
		}
		h := parseHeader(begin)
		if _, err := io.CopyN(io.Discard, c, int64(h.length)); err != nil {
			return
		}
		if h.kind == frameHeaders {
			break
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(io.Discard, c)
	}()
	c.Write(sent)
	c.Close()
	<-done
}

// What is written of a call's headers is what hpack reads, whatever the table.
func FuzzEncoder(f *testing.F) {
	f.Add([]byte{1, 2, 3}, "/a", "x-a", "1")
	f.Add([]byte{0, 200, 1, 0, 9, 9, 9}, "/a/b", "authorization", "secret")
	f.Fuzz(func(t *testing.T, steps []byte, method, name, value string) {
		e := newEncoder("http", "authority.test")
		d := hpack.NewDecoder(tableSize, nil)
		for i, step := range steps {
			if step&3 == 3 { // the server changes its mind
				size := uint32(step) * 20
				e.resize(size)
				d.SetAllowedMaxDynamicTableSize(size)
				d.SetMaxDynamicTableSize(min(size, tableSize))
			}
			path := method + string(rune('a'+step%16))
			timeout := time.Duration(step) << (i % 56)
			got, err := d.DecodeFull(e.append(nil, path, timeout, []string{name, value}))
			if err != nil {
				t.Fatal(err)
			}
			want := []hpack.HeaderField{
				{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "http"}, {Name: ":path", Value: path},
				{Name: ":authority", Value: "authority.test"}, {Name: "content-type", Value: "application/grpc"}, {Name: "user-agent", Value: agent},
				{Name: "te", Value: "trailers"}, {Name: "grpc-accept-encoding", Value: "identity"},
			}
			if timeout > 0 {
				if err := wantTimeout(got, timeout); err != nil {
					t.Fatal(err)
				}
				want = append(want, got[8])
			}
			want = append(want, hpack.HeaderField{Name: name, Value: value, Sensitive: true})
			if len(got) != len(want) {
				t.Fatalf("got %v", got)
			}
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("got %v, want %v", got[i], want[i])
				}
			}
		}
	})
}

// wantTimeout checks that a timeout is what is left, in eight digits, rounded up.
func wantTimeout(got []hpack.HeaderField, left time.Duration) error {
	if len(got) < 9 || got[8].Name != timeoutName || len(got[8].Value) < 2 || len(got[8].Value) > 9 {
		return errors.New("no timeout of eight digits")
	}
	text := got[8].Value
	units := map[byte]time.Duration{'n': 1, 'u': time.Microsecond, 'm': time.Millisecond, 'S': time.Second, 'M': time.Minute, 'H': time.Hour}
	unit, n := units[text[len(text)-1]], 0
	for _, digit := range text[:len(text)-1] {
		n = 10*n + int(digit-'0')
	}
	if over := float64(n)*float64(unit) - float64(left); over < 0 || over > float64(unit) {
		return errors.New(text + " of " + left.String())
	}
	return nil
}

// A message that never came whole, and one that is announced larger than it may
// be, take no more memory than what has come.
func TestAnnouncedMemory(t *testing.T) {
	var pool memory
	var a answer
	a.start()
	prefix := binary.BigEndian.AppendUint32([]byte{0}, 1<<30)
	if err := a.take(append(prefix, 'x'), 1<<30, &pool); err != nil || cap(*a.buf) > firstMemory {
		t.Errorf("%v, %d bytes", err, cap(*a.buf))
	}
	a.drop(&pool)
	a.start()
	if err := a.take(prefix, 1<<30-1, &pool); status.Code(err) != codes.ResourceExhausted || a.buf != nil {
		t.Errorf("%v, %v", err, a.buf)
	}
}
