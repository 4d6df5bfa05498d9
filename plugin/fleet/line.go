package fleet

import (
	"sync"
	"sync/atomic"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// perLine is how many calls a connection carries before another one is opened.
// Many servers allow no more than a hundred streams, and one connection is read
// by one goroutine.
const perLine = 50

// A line is one connection of an endpoint. It ends when it is retired and its
// last call is over.
type line struct {
	conn   rpc.Conn
	load   atomic.Int64 // calls under way, and retired on top
	served atomic.Uint64
	proven atomic.Bool // a call got through, and none failed to since
	seen   uint64      // what was served when the keeper looked last; it alone uses it
	once   sync.Once
}

// retired is more than there can be calls.
const retired = 1 << 40

// hold takes the line for a call, unless it is retired.
func (l *line) hold() bool {
	if l.load.Add(1) > retired {
		l.release()
		return false
	}
	return true
}

func (l *line) release() {
	if l.load.Add(-1) == retired {
		l.close()
	}
}

// retire lets the calls under way finish, and takes no more. It is called once.
func (l *line) retire() {
	if l.load.Add(retired) == retired {
		l.close()
	}
}

func (l *line) close() { l.once.Do(func() { l.conn.Close() }) } // what it fails at cannot matter any more

// idle reports whether nothing was carried since it was asked last.
func (l *line) idle() bool {
	now := l.served.Load()
	was := l.seen
	l.seen = now
	return now == was && l.load.Load() == 0
}
