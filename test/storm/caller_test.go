package storm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
)

// A caller asks the gateway, over as many connections as it needs. Whoever makes
// the load does so with the processors that it loads; this takes half of what
// net/http does.
type caller struct {
	addr string

	mu   sync.Mutex
	idle []*wire // the one used last is used next
}

// A wire is a connection that carries one request at a time.
type wire struct {
	net.Conn
	replies *bufio.Reader
	used    bool
}

// get sends one request with an id of its own. The gateway may close a connection
// that has carried nothing for long; then another one is used.
func (c *caller) get(path, id string) (status int, body string, err error) {
	for {
		w, err := c.take()
		if err != nil {
			return 0, "", err
		}
		again := w.used
		status, body, err := w.get(c.addr, path, id)
		if err == nil {
			c.put(w)
			return status, body, nil
		}
		w.Close()
		if !again || !errors.Is(err, errNoReply) {
			return 0, "", err
		}
	}
}

func (c *caller) take() (*wire, error) {
	c.mu.Lock()
	if n := len(c.idle); n > 0 {
		defer c.mu.Unlock()
		w := c.idle[n-1]
		c.idle = c.idle[:n-1]
		return w, nil
	}
	c.mu.Unlock()
	conn, err := net.DialTimeout("tcp", c.addr, patience)
	if err != nil {
		return nil, err
	}
	return &wire{Conn: conn, replies: bufio.NewReaderSize(conn, 1<<10)}, nil
}

func (c *caller) put(w *wire) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w.used = true
	c.idle = append(c.idle, w)
}

func (c *caller) close() {
	for _, w := range c.idle {
		w.Close()
	}
}

// errNoReply says that the connection ended before a reply began.
var errNoReply = errors.New("no reply")

func (w *wire) get(host, path, id string) (status int, body string, err error) {
	w.SetDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprintf(w, "GET %s HTTP/1.1\r\nHost: %s\r\n%s: %s\r\n\r\n", path, host, plugintest.CaseHeader, id); err != nil {
		return 0, "", fmt.Errorf("%w: %w", errNoReply, err)
	}
	if _, err := w.replies.Peek(1); err != nil {
		return 0, "", fmt.Errorf("%w: %w", errNoReply, err)
	}
	resp, err := http.ReadResponse(w.replies, nil)
	if err != nil {
		return 0, "", err
	}
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}
