package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// A wait bounds the time that the gateway waits for the header of a reply. It
// counts what the upstream takes, not what the client takes to send its body:
// while the body is read from the client the clock stands, and every piece of
// it that the upstream took starts the clock again. Once the header is there
// nothing is bounded, so that a stream may last.
//
// A wait is the context of the exchange with the upstream: it ends when the
// client's does, or when the wait expires. Most upstreams answer before anyone
// asks for that, and until someone does there is neither a timer nor a context
// of its own.
type wait struct {
	client context.Context
	limit  time.Duration // 0 is none

	mu      sync.Mutex
	own     context.Context // nil until someone asks for Done
	cancel  context.CancelCauseFunc
	timer   *time.Timer // nil without own, and without a limit
	began   time.Time   // when the clock was started
	stopped bool        // the clock stands
	over    bool        // nothing is waited for any more
	expired bool        // the upstream took too long
	unread  error       // why the client's body could not be read
}

var errExpired = errors.New("the upstream took too long")

// newWait starts a wait.
func newWait(client context.Context, limit time.Duration) *wait {
	return &wait{client: client, limit: limit, began: time.Now()}
}

// Deadline is the client's: where the wait ends depends on the client's body.
func (w *wait) Deadline() (time.Time, bool) { return w.client.Deadline() }

// Done is closed when the wait expires, or when the client's context ends.
func (w *wait) Done() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.own != nil {
		return w.own.Done()
	}
	w.own, w.cancel = context.WithCancelCause(w.client)
	if w.limit > 0 && !w.over {
		w.timer = time.AfterFunc(w.limit-time.Since(w.began), w.expire)
		if w.stopped {
			w.timer.Stop()
		}
	}
	return w.own.Done()
}

// Err says why Done is closed.
func (w *wait) Err() error { return w.context().Err() }

// Value gives the values of the client's context.
func (w *wait) Value(key any) any { return w.context().Value(key) }

func (w *wait) context() context.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.own != nil {
		return w.own
	}
	return w.client
}

func (w *wait) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over && !w.stopped {
		w.over, w.expired = true, true
		w.cancel(errExpired)
	}
}

// end ends the wait and reports whether it had expired.
func (w *wait) end() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.timer != nil {
		w.timer.Stop()
	}
	return w.expired
}

// stop stops the clock while the client is waited for.
func (w *wait) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	if w.timer != nil {
		w.timer.Stop()
	}
}

// start starts the clock again; err is what reading the body came to.
func (w *wait) start(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && err != io.EOF {
		w.unread = err
	}
	w.began, w.stopped = time.Now(), false
	if !w.over && w.timer != nil {
		w.timer.Reset(w.limit)
	}
}

// A body is a request's body on its way from the client to the upstream.
type body struct {
	src  io.Reader
	wait *wait
}

func (b *body) Read(p []byte) (int, error) {
	b.wait.stop()
	n, err := b.src.Read(p)
	b.wait.start(err)
	return n, err
}

// ReadNow reads what has come of the body, which may be nothing, and takes no time.
func (b *body) ReadNow(p []byte) (int, error) {
	if src, ok := b.src.(interface{ ReadNow([]byte) (int, error) }); ok {
		return src.ReadNow(p)
	}
	return 0, nil
}

// Close does nothing: the client's body is the server's to close, which waits
// for what is unread. The transport must not wait for that.
func (b *body) Close() error { return nil }

// rewinder makes GetBody of one that gives unwatched bodies.
func (w *wait) rewinder(again func() (io.ReadCloser, error)) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		src, err := again()
		if err != nil {
			return nil, err
		}
		return &body{src: src, wait: w}, nil
	}
}

const messageFailed = "There was a problem proxying the request"

// failure says what a round trip that ended in err means for the client, whose
// context is ctx [P-12].
func (w *wait) failure(ctx context.Context, err error) error {
	w.mu.Lock()
	unread, expired := w.unread, w.expired
	if w.cancel != nil {
		w.cancel(nil)
	}
	w.mu.Unlock()
	if e, ok := errors.AsType[*grapnel.Error](unread); ok {
		return e // the body limit
	}
	var lookup *net.DNSError
	var network net.Error
	switch {
	case ctx.Err() != nil, errors.Is(unread, io.ErrUnexpectedEOF):
		return &grapnel.Error{Status: grapnel.StatusClientGone, Code: grapnel.CodeClientGone, Message: "Client closed request", Err: err}
	case unread != nil:
		return &grapnel.Error{Status: http.StatusBadRequest, Code: grapnel.CodeBadRequest, Message: "The request body could not be read", Err: unread}
	case errors.As(err, &lookup):
		return &grapnel.Error{Status: http.StatusInternalServerError, Code: grapnel.CodeUpstreamFailed, Message: "Upstream host lookup failed", Err: err}
	case expired, errors.As(err, &network) && network.Timeout():
		return &grapnel.Error{Status: http.StatusGatewayTimeout, Code: grapnel.CodeUpstreamTimeout, Message: "Upstream service reached hard timeout.", Err: errors.Join(errExpired, err)}
	}
	return &grapnel.Error{Status: http.StatusInternalServerError, Code: grapnel.CodeUpstreamFailed, Message: messageFailed, Err: err}
}
