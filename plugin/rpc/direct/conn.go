package direct

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
	"github.com/grapnel-gateway/grapnel/socket"
)

// A conn is one connection. Calls write to it themselves, see [outbox]; one of
// them reads, or a goroutine, see [role].
type conn struct {
	client *Client
	socket *socket.Conn
	in     *reader // belongs to who reads
	turn   turn

	mu      sync.Mutex
	err     error // why it ended
	retired bool  // it takes no new calls
	streams map[uint32]*stream
	nextID  uint32
	open    int       // streams, and places of calls that have none yet
	queue   []*stream // calls that wait for a place, the first one first
	out     outbox
	encoder encoder
	scratch []byte // where header blocks are written
	server  limits
	alive   liveness
	role    role    // who reads
	leader  *stream // whose call that is, once it has begun
	pulse   pulse
}

// limits are what the server has said it takes.
type limits struct {
	window  int // of all calls together, at the moment
	initial int // of a new stream
	frame   int
	streams int
}

// errRetired is a connection's answer to calls that need another one.
var errRetired = errors.New("the connection takes no more calls")

func newConn(client *Client, s *socket.Conn) *conn {
	c := &conn{
		client: client, socket: s, turn: make(turn, 1), role: keeper,
		streams: map[uint32]*stream{}, nextID: 1,
		encoder: newEncoder(client.scheme(), client.authority),
		server:  limits{window: firstWindow, initial: firstWindow, frame: minFrameSize, streams: unlimited},
	}
	c.in = newReader(c)
	return c
}

// invoke makes a call. Nothing of the message is used after it.
func (c *conn) invoke(ctx context.Context, call *rpc.Call) (mem.Buffer, error) {
	s := c.client.streams.get()
	message := newOutgoing(call.Message)
	c.mu.Lock()
	leads := c.lead()
	err := c.enter(ctx, s)
	if err == nil {
		err = c.start(ctx, s, call, &message)
	}
	if leads && (err != nil || s.late.Load() || message.left > 0) {
		c.resign()
		leads = false
	}
	if err != nil {
		c.mu.Unlock()
		c.client.streams.put(s)
		return nil, err
	}
	call.Sent++
	if leads {
		c.leader = s
	}
	c.flush()
	if leads {
		c.in.follow(s)
	}
	for !s.done.Load() {
		if !c.more(s, &message) {
			if ended := s.await(ctx); ended != nil {
				c.cancel(s, ended)
			}
		}
	}
	answer, err := s.message, s.err
	c.client.streams.put(s)
	if err != nil && expired(ctx) && status.Code(err) == codes.Canceled {
		err = status.FromContextError(context.DeadlineExceeded).Err() // the server's clock was faster
	}
	return answer, err
}

func expired(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ok && !end.After(time.Now())
}

// enter waits until the server allows one more stream. It has the lock, and gives
// it up while it waits.
func (c *conn) enter(ctx context.Context, s *stream) error {
	if c.retired {
		return errRetired
	}
	if c.open < c.server.streams {
		c.open++
		return nil
	}
	c.queue = append(c.queue, s)
	for s.place == waiting && ctx.Err() == nil {
		c.mu.Unlock()
		select {
		case <-s.wake:
		case <-ctx.Done():
		}
		c.mu.Lock()
	}
	switch {
	case s.place == moved:
		return errRetired
	case ctx.Err() == nil:
		return nil
	case s.place == granted:
		c.leave()
	default:
		c.queue = slices.DeleteFunc(c.queue, func(q *stream) bool { return q == s })
	}
	return &rpc.NotSent{Err: status.FromContextError(ctx.Err()).Err()}
}

// leave gives a place to the call that waits for it.
func (c *conn) leave() {
	c.open--
	c.admit()
	if c.retired && c.open == 0 && c.err == nil {
		c.end()
	}
}

func (c *conn) admit() {
	for c.open < c.server.streams && len(c.queue) > 0 {
		s := c.queue[0]
		c.queue = c.queue[1:]
		c.open++
		s.place = granted
		s.notify()
	}
}

// start queues a call's headers, and as much of its message as the server takes.
func (c *conn) start(ctx context.Context, s *stream, call *rpc.Call, message *outgoing) error {
	if c.retired { // while the call waited
		c.leave()
		return errRetired
	}
	timeout := time.Duration(0)
	if end, ok := ctx.Deadline(); ok {
		if timeout = time.Until(end); timeout <= 0 {
			c.leave()
			return &rpc.NotSent{Err: status.FromContextError(context.DeadlineExceeded).Err()}
		}
		s.late.Store(timeout <= 2*patience)
	}
	c.beat(s)
	s.id, s.window, s.batch = c.nextID, c.server.initial, c.out.batch
	c.streams[s.id] = s
	if c.nextID += 2; c.nextID > maxStreamID {
		c.retire()
	}
	c.scratch = c.encoder.append(c.scratch[:0], call.Method, timeout, call.Metadata)
	c.out.headers(s.id, c.scratch, c.server.frame)
	c.queueMessage(s, message)
	return nil
}

// queueMessage queues as much of a message as there is room for.
func (c *conn) queueMessage(s *stream, message *outgoing) {
	for !s.whole && s.window > 0 && c.server.window > 0 && len(c.out.queue) < fullQueue {
		n := min(message.left, s.window, c.server.window, c.server.frame)
		flags := byte(0)
		if s.whole = n == message.left; s.whole {
			flags = flagEndStream
		}
		s.window -= n
		c.server.window -= n
		c.out.queue = message.append(appendHeader(c.out.queue, n, frameData, flags, s.id), n)
	}
}

// more queues more of a message that is not whole yet; false is that the call has
// to wait, for room or for its answer.
func (c *conn) more(s *stream, message *outgoing) bool {
	if message.left == 0 {
		return false
	}
	c.mu.Lock()
	left := message.left
	if !s.done.Load() {
		c.queueMessage(s, message)
	}
	waits := message.left == left
	if waits && !s.done.Load() {
		c.out.blocked = append(c.out.blocked, s)
		c.out.takePongs() // the server may want them before it takes more
	}
	c.flush()
	return !waits
}

// cancel ends a call that its caller gives up, unless it is done.
func (c *conn) cancel(s *stream, cause error) {
	c.mu.Lock()
	if !s.done.Load() {
		c.out.queue = appendReset(c.out.queue, s.id, errCancel)
		s.whole = true
		c.finish(s, nil, status.FromContextError(cause).Err())
	}
	c.flush()
}

// finish ends a call. A server that has not had all of it is told.
func (c *conn) finish(s *stream, message mem.Buffer, err error) {
	if !s.whole {
		c.out.queue = appendReset(c.out.queue, s.id, errCancel)
	}
	delete(c.streams, s.id)
	s.answer.drop(&c.client.memory)
	s.message, s.err = message, err
	s.done.Store(true)
	s.notify()
	c.leave()
}

// retire makes the connection end with its last call. Others make a new one.
func (c *conn) retire() {
	c.retired = true
	c.client.lost(c)
	for _, s := range c.queue {
		s.place = moved
		s.notify()
	}
	c.queue = nil
}

// fail ends the connection and all its calls.
func (c *conn) fail(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abort(cause)
	c.socket.Close()
	c.out.release()
}

// abort makes all calls fail.
func (c *conn) abort(cause error) {
	if c.err != nil {
		return
	}
	c.err = cause
	c.alive.stop()
	c.pulse.stop()
	c.turn.call()
	c.retire()
	for _, s := range c.streams {
		err := c.client.unavailable(cause)
		if s.batch == c.out.batch { // not even the headers have gone out
			err = &rpc.NotSent{Err: err}
		}
		s.whole = true
		c.finish(s, nil, err)
	}
}

// end closes a connection that has served its last call; the reader sees it.
func (c *conn) end() {
	c.abort(errRetired)
	c.socket.Close()
}
