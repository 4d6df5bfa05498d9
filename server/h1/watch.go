package h1

import (
	"sync"
	"time"
)

// patience is how long someone has to wait for the client's end before anyone
// looks for it: most exchanges are over by then.
const patience = 5 * time.Millisecond

// A watch finds out that the client has left, by reading. It begins when someone
// has waited for that for a while, and when there is no body left to be read.
type watch struct {
	c    *conn
	mu   sync.Mutex
	idle sync.Cond // nothing is being read

	e       *exchange   // the one under way; nil is none
	timer   *time.Timer // nil until the first time
	armed   bool        // someone waits
	due     bool        // for long enough
	unread  bool        // there is a body to be read
	reading bool
	early   [1]byte // what came of the next request
	got     bool
}

func (w *watch) begin(e *exchange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.e, w.armed, w.due, w.unread = e, false, false, e.body.left > 0
}

// arm has the client watched, in a while.
func (w *watch) arm(e *exchange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.e != e {
		return
	}
	w.armed = true
	if w.timer == nil {
		w.timer = time.AfterFunc(patience, w.look)
	} else {
		w.timer.Reset(patience)
	}
}

// look is the timer's. One that was set for an exchange that is over looks early.
func (w *watch) look() {
	w.mu.Lock()
	w.due = w.armed
	w.mu.Unlock()
	w.read()
}

// received says that all of the body has come.
func (w *watch) received() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unread = false
	if w.due {
		go w.read()
	}
}

// read waits for the client to leave, or to send the beginning of its next
// request, or for the end of the exchange.
func (w *watch) read() {
	w.mu.Lock()
	e := w.e
	if e == nil || !w.due || w.unread || w.reading || w.got {
		w.mu.Unlock()
		return
	}
	w.reading = true
	w.c.limit(0)
	w.mu.Unlock()

	n, err := w.c.net.Read(w.early[:])

	w.mu.Lock()
	w.reading, w.got = false, n > 0
	left := err != nil && w.e == e
	w.idle.Broadcast()
	w.mu.Unlock()
	if left {
		e.leave()
	}
}

// end ends the watch; what was read is the connection's.
func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.e = nil
	if !w.armed {
		return
	}
	w.armed, w.due = false, false
	w.timer.Stop()
	if w.reading {
		w.c.until(time.Unix(1, 0))
		for w.reading {
			w.idle.Wait()
		}
	}
	if w.got {
		w.got = false
		w.c.push(w.early[0])
	}
}
