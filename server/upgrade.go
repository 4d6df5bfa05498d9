package server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/grapnel-gateway/grapnel/upstream"
)

// tunnels are the connections that were switched to another protocol, as with
// WebSocket. The HTTP server knows nothing of them any more: this is what ends
// them at shutdown. The zero value is ready.
type tunnels struct {
	mu     sync.Mutex
	open   map[*tunnel]struct{}
	closed bool
	ended  sync.WaitGroup // one for each open tunnel
}

// Close ends all tunnels and waits until they have ended. No tunnel can be
// opened after it.
func (t *tunnels) Close() {
	t.mu.Lock()
	t.closed = true
	for one := range t.open {
		one.close()
	}
	t.mu.Unlock()
	t.ended.Wait()
}

func (t *tunnels) add(one *tunnel) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	if t.open == nil {
		t.open = map[*tunnel]struct{}{}
	}
	t.open[one] = struct{}{}
	t.ended.Add(1)
	return true
}

func (t *tunnels) remove(one *tunnel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, one)
	t.ended.Done()
}

// serve answers the client with the upstream's 101 and passes bytes both ways
// until the tunnel ends. It returns how many of them went to the client.
func (t *tunnels) serve(w http.ResponseWriter, r *http.Request, resp *http.Response, up io.ReadWriteCloser) (int64, error) {
	head := switching(w.Header(), resp)
	conn, early, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return 0, err
	}
	one := &tunnel{client: conn, up: up}
	defer one.close()
	if !t.add(one) {
		return 0, errors.New("the gateway is shutting down")
	}
	defer t.remove(one)
	defer context.AfterFunc(r.Context(), one.close)()
	if err := errors.Join(head.Write(early), early.Flush()); err != nil {
		return 0, err
	}
	return one.run(early.Reader), nil
}

// switching is the 101 as the client gets it: of the hop-by-hop headers, it has
// the ones that name the new protocol.
func switching(h http.Header, resp *http.Response) *http.Response {
	for name, values := range resp.Header {
		h[name] = values
	}
	upstream.RemoveHopByHop(h)
	h["Connection"], h["Upgrade"] = []string{"Upgrade"}, resp.Header["Upgrade"]
	return &http.Response{StatusCode: resp.StatusCode, ProtoMajor: 1, ProtoMinor: 1, Header: h}
}

// A tunnel is one connection that was switched.
type tunnel struct {
	client net.Conn
	up     io.ReadWriteCloser
}

func (t *tunnel) close() {
	t.client.Close()
	t.up.Close()
}

// run passes bytes until both sides have said that they are done, or one of
// them has failed. early holds what the client sent ahead of the 101.
func (t *tunnel) run(early *bufio.Reader) (toClient int64) {
	ahead, _ := early.Peek(early.Buffered()) // asks for what is there, so it cannot fail
	done := make(chan error, 2)
	go func() {
		_, err := t.up.Write(ahead)
		if err == nil {
			_, err = pass(t.up, t.client)
		}
		done <- err
	}()
	go func() {
		n, err := pass(t.client, t.up)
		toClient = n
		done <- err
	}()
	for range 2 {
		if err := <-done; err != nil {
			t.close()
		}
	}
	return toClient
}

// pass copies from src to dst to the end, and tells dst that it was the end. A
// dst that cannot be told is an error: the tunnel has to be closed instead.
func pass(dst io.Writer, src io.Reader) (int64, error) {
	n, err := io.Copy(dst, src)
	if err != nil {
		return n, err
	}
	half, ok := dst.(interface{ CloseWrite() error })
	if !ok {
		return n, errors.ErrUnsupported
	}
	return n, half.CloseWrite()
}
