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
type wait struct {
	limit  time.Duration // 0 is none
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	timer   *time.Timer
	over    bool  // nothing is waited for any more
	expired bool  // the upstream took too long
	unread  error // why the client's body could not be read
}

var errExpired = errors.New("the upstream took too long")

// newWait starts a wait; the context it returns ends when the wait expires.
func newWait(ctx context.Context, limit time.Duration) (context.Context, *wait) {
	w := &wait{limit: limit}
	ctx, w.cancel = context.WithCancelCause(ctx)
	if limit > 0 {
		w.timer = time.AfterFunc(limit, w.expire)
	}
	return ctx, w
}

func (w *wait) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
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
	w.cancel(nil)
	w.mu.Lock()
	unread, expired := w.unread, w.expired
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
