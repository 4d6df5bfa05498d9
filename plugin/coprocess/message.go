package coprocess

import (
	"encoding/binary"
	"math"
	"strings"
	"sync"
	"unicode/utf8"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// A message is written in its wire form, field by field. What is large is not
// copied into it but stays where it is. Fields that are zero are left out, as
// proto3 has it.
type message struct {
	buf   []byte
	parts []part // what belongs between the bytes of buf, in order
	apart int    // how many bytes the parts have

	home *[]byte // where buf came from; nil is nowhere
	pool *buffers
}

// A part belongs before buf[at].
type part struct {
	at   int
	data []byte
}

// partFrom is the size from which it is cheaper to send a part than to copy it.
const partFrom = 4 << 10

// raw adds what is encoded already. Nobody may ever change the bytes: they may
// be read after the call has failed.
func (m *message) raw(b []byte) {
	if len(b) < partFrom || m.home == nil {
		m.buf = append(m.buf, b...)
		return
	}
	m.parts = append(m.parts, part{len(m.buf), b})
	m.apart += len(b)
}

func (m *message) varint(num protowire.Number, v uint64) {
	if v != 0 {
		m.buf = protowire.AppendTag(m.buf, num, protowire.VarintType)
		m.buf = protowire.AppendVarint(m.buf, v)
	}
}

func (m *message) bool(num protowire.Number, v bool) { m.varint(num, protowire.EncodeBool(v)) }

func (m *message) double(num protowire.Number, v float64) {
	if bits := math.Float64bits(v); bits != 0 {
		m.buf = protowire.AppendTag(m.buf, num, protowire.Fixed64Type)
		m.buf = protowire.AppendFixed64(m.buf, bits)
	}
}

// bytes adds a field of bytes; see raw.
func (m *message) bytes(num protowire.Number, b []byte) {
	if len(b) > 0 {
		m.buf = protowire.AppendTag(m.buf, num, protowire.BytesType)
		m.buf = protowire.AppendVarint(m.buf, uint64(len(b)))
		m.raw(b)
	}
}

func (m *message) string(num protowire.Number, s string) {
	if s != "" {
		m.element(num, s)
	}
}

// element adds an element of a list, which may be empty.
func (m *message) element(num protowire.Number, s string) {
	m.buf = protowire.AppendTag(m.buf, num, protowire.BytesType)
	m.buf = protowire.AppendString(m.buf, text(s))
}

func (m *message) strings(num protowire.Number, list []string) {
	for _, s := range list {
		m.element(num, s)
	}
}

// entry adds an entry of a map between strings.
func (m *message) entry(num protowire.Number, key, value string) {
	e := m.begin(num)
	m.element(entryKey, key)
	m.element(entryValue, value)
	m.end(e)
}

func (m *message) entries(num protowire.Number, entries map[string]string) {
	for key, value := range entries {
		m.entry(num, key, value)
	}
}

// A mark is where a nested message begins.
type mark struct{ at, apart int }

// begin begins a nested message.
func (m *message) begin(num protowire.Number) mark {
	m.buf = protowire.AppendTag(m.buf, num, protowire.BytesType)
	m.buf = append(m.buf, 0) // most lengths need no more
	return mark{len(m.buf), m.apart}
}

// end ends the nested message that began at the mark, and writes its length.
func (m *message) end(begun mark) {
	n := uint64(len(m.buf) - begun.at + m.apart - begun.apart)
	if n < 0x80 {
		m.buf[begun.at-1] = byte(n)
		return
	}
	more := protowire.SizeVarint(n) - 1
	m.buf = append(m.buf, make([]byte, more)...)
	copy(m.buf[begun.at+more:], m.buf[begun.at:])
	binary.PutUvarint(m.buf[begun.at-1:], n)
	for i := range m.parts {
		if m.parts[i].at >= begun.at {
			m.parts[i].at += more
		}
	}
}

// slices hands the message over to grpc, once.
func (m *message) slices() mem.BufferSlice {
	*m.home = m.buf
	rest := mem.NewBuffer(m.home, m.pool)
	out := make(mem.BufferSlice, 0, 1+2*len(m.parts))
	done := 0
	for _, p := range m.parts {
		if p.at > done {
			var before mem.Buffer
			before, rest = mem.SplitUnsafe(rest, p.at-done)
			out, done = append(out, before), p.at
		}
		out = append(out, mem.SliceBuffer(p.data))
	}
	if rest.Len() == 0 {
		rest.Free()
		return out
	}
	return append(out, rest)
}

// text makes s fit for a protobuf string, which holds valid UTF-8 only. What the
// plugin leaves untouched goes on with the bytes it had: nothing is ever taken
// back from a text that equals the one sent.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// buffers is where messages are written, over and over. It implements
// [mem.BufferPool].
type buffers struct{ pool sync.Pool }

// The sizes of buffers: of new ones, and of the largest that are kept.
const (
	bufferSize    = 2 << 10
	maxBufferSize = 64 << 10
)

// message begins a message.
func (p *buffers) message() message {
	home := p.Get(0)
	return message{buf: *home, home: home, pool: p}
}

// Get returns a buffer of this length.
func (p *buffers) Get(length int) *[]byte {
	b, _ := p.pool.Get().(*[]byte)
	if b == nil || cap(*b) < length {
		fresh := make([]byte, max(length, bufferSize))
		b = &fresh
	}
	*b = (*b)[:length]
	return b
}

// Put takes a buffer back.
func (p *buffers) Put(b *[]byte) {
	if cap(*b) <= maxBufferSize {
		p.pool.Put(b)
	}
}
