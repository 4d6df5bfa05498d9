package fleet

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/mem"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// A Dial makes a connection to one address, which connects by itself when it is
// first used and whenever it has to.
type Dial func(rpc.Options) (rpc.Conn, error)

// An endpoint is one replica of a plugin server, at one address.
type endpoint struct {
	place place
	seed  uint64 // what hashes go by
	dial  func() (rpc.Conn, error)
	most  int // lines at once

	lines    atomic.Pointer[[]*line] // never empty until the endpoint is closed
	inFlight atomic.Int64
	outages  atomic.Int64 // in a row
	calls    atomic.Uint64
	failures atomic.Uint64
	retries  atomic.Uint64
	back     atomic.Int64 // since when it is usable again, in Unix nanoseconds; 0 is for long

	mu     sync.Mutex // changes lines
	closed bool

	standing // the fleet's lock guards it
	check    chan struct{}
	stop     context.CancelFunc
}

// A standing is what is held against an endpoint.
type standing struct {
	refuses bool          // by its own word it does not serve
	down    bool          // it cannot be reached
	backoff time.Duration // how long it was left alone then; 0 when it was reached last
	retryAt time.Time     // when it is tried again
	out     time.Time     // ejected until then
	ejected int           // how often lately
	passed  bool          // it is passed over
}

// line is the connection that takes the next call. The first one that is not
// full is, so that those which are not needed fall idle; when all are, another
// is opened. The caller releases it.
func (e *endpoint) line() (*line, error) {
	for {
		lines := *e.lines.Load()
		if len(lines) == 0 {
			return nil, errClosed
		}
		best := lines[0]
		for _, l := range lines {
			if l.load.Load() < perLine {
				best = l
				break
			}
			if l.load.Load() < best.load.Load() {
				best = l
			}
		}
		if len(lines) < e.most && best.load.Load() >= perLine {
			if err := e.grow(len(lines)); err != nil {
				return nil, err
			}
			continue
		}
		if best.hold() {
			return best, nil
		}
	}
}

// grow opens a line beside the n that the caller has seen.
func (e *endpoint) grow(n int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	lines := *e.lines.Load()
	if e.closed || len(lines) != n {
		return nil
	}
	conn, err := e.dial()
	if err != nil {
		return err
	}
	lines = append(slices.Clip(lines), &line{conn: conn})
	e.lines.Store(&lines)
	return nil
}

// drop retires a line of several.
func (e *endpoint) drop(l *line) {
	e.mu.Lock()
	defer e.mu.Unlock()
	lines := *e.lines.Load()
	i := slices.Index(lines, l)
	if i < 0 || len(lines) == 1 {
		return
	}
	lines = slices.Delete(slices.Clone(lines), i, i+1)
	e.lines.Store(&lines)
	l.retire()
}

// shrink retires the lines that carried nothing since it was called last, but for
// the first.
func (e *endpoint) shrink() {
	for _, l := range (*e.lines.Load())[min(1, len(*e.lines.Load())):] {
		if l.idle() {
			e.drop(l)
		}
	}
}

// retire ends the endpoint when its calls are over; close at once.
func (e *endpoint) retire() { e.end((*line).retire) }
func (e *endpoint) close()  { e.end((*line).close) }

func (e *endpoint) end(how func(*line)) {
	e.stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	e.closed = true
	for _, l := range *e.lines.Swap(&[]*line{}) {
		how(l)
	}
}

// invoke carries one call over one connection. It reports whether calls got
// through that one before: when such a one takes no more, a new one may.
func (e *endpoint) invoke(ctx context.Context, call *rpc.Call) (_ mem.Buffer, proven bool, _ error) {
	l, err := e.line()
	if err != nil {
		return nil, false, unsent(err)
	}
	e.inFlight.Add(1)
	proven = l.proven.Load()
	data, err := l.conn.Invoke(ctx, call)
	e.inFlight.Add(-1)
	l.served.Add(1)
	switch {
	case err == nil && !proven:
		l.proven.Store(true)
	case err != nil && rpc.Unsent(err) && ctx.Err() == nil:
		l.proven.Store(false)
		e.drop(l)
	}
	l.release()
	return data, proven, err
}

// state is the best state that a connection has.
func (e *endpoint) state() rpc.State {
	best := rpc.Failing
	for i, l := range *e.lines.Load() {
		if s := l.conn.State(); i == 0 || s > best {
			best = s
		}
	}
	return best
}

// ramp begins the slow start of an endpoint.
func (e *endpoint) ramp(now time.Time, slow time.Duration) {
	if slow > 0 {
		e.back.Store(now.UnixNano())
	}
}

// report says how the endpoint stands. The fleet's lock is held.
func (e *endpoint) report(now time.Time) grapnel.EndpointState {
	return grapnel.EndpointState{
		Address:     e.place.target,
		State:       e.state().String(),
		Healthy:     !e.refuses,
		Ejected:     now.Before(e.out),
		InFlight:    int(e.inFlight.Load()),
		Connections: len(*e.lines.Load()),
		Calls:       e.calls.Load(),
		Failures:    e.failures.Load(),
		Retries:     e.retries.Load(),
	}
}
