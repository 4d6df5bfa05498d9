package direct

import (
	"strconv"
	"time"
)

// An encoder writes the header blocks of one connection [RFC 7541]. What is the
// same in all calls goes into the table that both sides keep, once, and is a byte
// from then on; nothing is ever evicted from it, so that what was encoded for a
// method holds until the table grows. Deadlines and metadata are written out.
type encoder struct {
	scheme, authority string

	size    int      // of the table at most
	room    int      // what it may still take
	entries []field  // the table, the oldest entry first
	due     []byte   // changes of the table's size that the server has to be told
	blocks  []block  // what is encoded already, one for each method
	scratch [20]byte // where a deadline is written
}

type field struct{ name, value string }

// A block is what is constant in the headers of a method's calls. It is right as
// long as the table has so many entries.
type block struct {
	method  string
	entries int
	bytes   []byte
}

// The largest table that is used, which is also what servers have at first, what
// an entry takes beside its texts, and how many methods have blocks.
const (
	tableSize     = 4096
	entryOverhead = 32
	maxBlocks     = 8
)

// The first byte of each form of field, and how many bits of it belong to a
// number.
const (
	formIndexed, bitsIndexed   = 0x80, 7
	formAdded, bitsAdded       = 0x40, 6
	formSize, bitsSize         = 0x20, 5
	formPlain, bitsPlain       = 0x00, 4
	formNever, bitsNever       = 0x10, 4
	staticPost                 = 3
	staticPath, staticType     = 4, 31
	staticHTTP, staticHTTPS    = 6, 7
	staticAgent, staticAuthor  = 58, 1
	staticEntries              = 61
	agent                      = "grapnel"
	timeoutName, timeoutDigits = "grpc-timeout", 1e8
)

func newEncoder(scheme, authority string) encoder {
	return encoder{scheme: scheme, authority: authority, size: tableSize, room: tableSize}
}

// resize gives the table the size that the server allows, and empties it if that
// is another one.
func (e *encoder) resize(allowed uint32) {
	size := int(min(allowed, tableSize))
	if size == e.size {
		return
	}
	e.due = appendNumber(appendNumber(e.due[:0], formSize, bitsSize, 0), formSize, bitsSize, size)
	e.entries, e.blocks, e.size, e.room = nil, nil, size, size
}

// append writes the headers of a call. A timeout of 0 is none.
func (e *encoder) append(b []byte, method string, timeout time.Duration, metadata []string) []byte {
	b = append(b, e.due...)
	e.due = e.due[:0]
	b = e.constant(b, method)
	if timeout > 0 {
		b = e.timeout(b, timeout)
	}
	for i := 0; i+1 < len(metadata); i += 2 {
		b = append(b, formNever)
		b = appendText(appendText(b, metadata[i]), metadata[i+1])
	}
	return b
}

func (e *encoder) constant(b []byte, method string) []byte {
	for i := range e.blocks {
		if known := &e.blocks[i]; known.method == method && known.entries == len(e.entries) {
			return append(b, known.bytes...)
		}
	}
	begin, entries := len(b), len(e.entries)
	scheme := byte(staticHTTP)
	if e.scheme == "https" {
		scheme = staticHTTPS
	}
	b = append(b, formIndexed|staticPost, formIndexed|scheme)
	b = e.field(b, staticPath, ":path", method)
	b = e.field(b, staticAuthor, ":authority", e.authority)
	b = e.field(b, staticType, "content-type", "application/grpc")
	b = e.field(b, staticAgent, "user-agent", agent)
	b = e.field(b, 0, "te", "trailers")
	b = e.field(b, 0, "grpc-accept-encoding", "identity")
	if len(e.entries) == entries {
		e.keep(block{method, entries, append([]byte(nil), b[begin:]...)})
	}
	return b
}

// keep remembers a method's block in the place of an older one of its own, or of
// one that does not hold any more.
func (e *encoder) keep(fresh block) {
	for i := range e.blocks {
		if e.blocks[i].method == fresh.method || e.blocks[i].entries != fresh.entries {
			e.blocks[i] = fresh
			return
		}
	}
	if len(e.blocks) < maxBlocks {
		e.blocks = append(e.blocks, fresh)
	}
}

// field writes a field that will come again. name is its name's place in the
// static table, 0 is none.
func (e *encoder) field(b []byte, static int, name, value string) []byte {
	for i, known := range e.entries {
		if known.name == name && known.value == value {
			return appendNumber(b, formIndexed, bitsIndexed, e.index(i))
		}
	}
	if e.add(name, value) {
		b = appendNumber(b, formAdded, bitsAdded, static)
	} else {
		b = appendNumber(b, formPlain, bitsPlain, static)
	}
	if static == 0 {
		b = appendText(b, name)
	}
	return appendText(b, value)
}

// timeout writes how long is left, in a field whose name is in the table.
func (e *encoder) timeout(b []byte, left time.Duration) []byte {
	value := appendTimeout(e.scratch[:0], left)
	for i, known := range e.entries {
		if known.name == timeoutName {
			b = appendNumber(b, formPlain, bitsPlain, e.index(i))
			return append(appendNumber(b, 0, 7, len(value)), value...)
		}
	}
	return e.field(b, 0, timeoutName, string(value))
}

// add makes an entry of the table if there is room for it.
func (e *encoder) add(name, value string) bool {
	size := len(name) + len(value) + entryOverhead
	if size > e.room {
		return false
	}
	e.room -= size
	e.entries = append(e.entries, field{name, value})
	return true
}

// index is the number of an entry, which grows as others are added.
func (e *encoder) index(i int) int { return staticEntries + len(e.entries) - i }

// appendNumber writes a number of which the first bits share a byte with the form
// [RFC 7541, 5.1].
func appendNumber(b []byte, form byte, bits uint, n int) []byte {
	most := 1<<bits - 1
	if n < most {
		return append(b, form|byte(n))
	}
	b = append(b, form|byte(most))
	for n -= most; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

func appendText(b []byte, s string) []byte { return append(appendNumber(b, 0, 7, len(s)), s...) }

// appendTimeout writes a timeout as gRPC has it: eight digits at most and a unit,
// rounded up.
func appendTimeout(b []byte, d time.Duration) []byte {
	units := [...]struct {
		unit time.Duration
		name byte
	}{{time.Nanosecond, 'n'}, {time.Microsecond, 'u'}, {time.Millisecond, 'm'}, {time.Second, 'S'}, {time.Minute, 'M'}}
	for _, u := range units {
		n := int64(d / u.unit)
		if d%u.unit > 0 {
			n++
		}
		if n < timeoutDigits {
			return append(strconv.AppendInt(b, n, 10), u.name)
		}
	}
	return append(strconv.AppendInt(b, int64(d/time.Hour)+1, 10), 'H')
}
