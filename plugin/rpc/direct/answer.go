package direct

import (
	"encoding/binary"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// An answer is what has come of a call so far.
type answer struct {
	begun  bool // headers have come
	room   int  // what the server knows that it may send ahead
	prefix [messagePrefix]byte
	have   int     // bytes of the prefix
	buf    *[]byte // the message, as long as it has grown; nil before its prefix is whole
	got    int     // bytes of the message
	length int     // that it will have
}

// firstMemory bounds what is set aside for a message before any of it has come.
const firstMemory = 1 << 20

// errNoTrailers is the failure of a call that ended with its message.
func errNoTrailers() error {
	return status.Error(codes.Internal, "the server ended the call without trailers")
}

// start notes that headers have come.
func (a *answer) start() { a.begun, a.room = true, rpc.StreamWindow }

// take adds a part of the message. The failure is that of the call.
func (a *answer) take(part []byte, limit int, pool *memory) error {
	if !a.begun {
		return status.Error(codes.Internal, "the server sent data before headers")
	}
	for len(part) > 0 {
		var n int
		if a.have < messagePrefix {
			n = copy(a.prefix[a.have:], part)
			if a.have += n; a.have == messagePrefix {
				if err := a.begin(limit, pool); err != nil {
					return err
				}
			}
		} else if a.got == a.length {
			return status.Error(codes.Internal, "the server answered with more than one message")
		} else {
			a.grow(pool)
			n = copy((*a.buf)[a.got:], part)
			a.got += n
		}
		part = part[n:]
	}
	return nil
}

// begin reads the prefix of the message and sets memory aside.
func (a *answer) begin(limit int, pool *memory) error {
	switch a.prefix[0] {
	case 0:
	case 1:
		return status.Error(codes.Internal, "the server compressed its answer, which it was not offered")
	default:
		return status.Errorf(codes.Internal, "the server's answer has the flags %#x", a.prefix[0])
	}
	length := binary.BigEndian.Uint32(a.prefix[1:])
	if uint64(length) > uint64(limit) {
		return status.Errorf(codes.ResourceExhausted, "the answer is larger than the limit (%d bytes, %d)", length, limit)
	}
	a.length = int(length)
	a.buf = pool.Get(min(a.length, firstMemory))
	return nil
}

// grow makes room for more of the message. A server that announces much and sends
// little takes little memory.
func (a *answer) grow(pool *memory) {
	if a.got < len(*a.buf) {
		return
	}
	larger := pool.Get(min(a.length, 4*a.got))
	copy(*larger, *a.buf)
	pool.Put(a.buf)
	a.buf = larger
}

// end is what came of a call that its trailers have ended.
func (a *answer) end(trailers *fields, pool *memory) (mem.Buffer, error) {
	if err := trailers.status(); err != nil {
		return nil, err
	}
	switch {
	case a.have == 0:
		return nil, status.Error(codes.Internal, "the server answered without a message")
	case a.have < messagePrefix, a.got < a.length:
		return nil, status.Error(codes.Internal, "the server's message broke off")
	}
	message := mem.NewBuffer(a.buf, pool)
	a.buf = nil
	return message, nil
}

// drop gives back the memory of a message that nobody gets.
func (a *answer) drop(pool *memory) {
	if a.buf != nil {
		pool.Put(a.buf)
	}
	*a = answer{}
}
