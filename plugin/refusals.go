package plugin

import (
	"log/slog"
	"sync"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// Refusals are the calls of a hook that were not made because the server has too
// much to do. There may be thousands a second, so the log is told of the first at
// once, and then each second of how many there were.
type refusals struct {
	hook *grapnel.Hook

	mu     sync.Mutex
	open   bool // the log is told of the next ones when the second is over
	count  int
	latest refused
}

// A refused is what the log is told of one of them.
type refused struct {
	log   *slog.Logger
	id    string
	cause error
}

const tellEvery = time.Second

// add counts a call that was not made.
func (r *refusals) add(x *grapnel.Exchange, cause error) {
	r.mu.Lock()
	r.count++
	r.latest = refused{x.Log, x.ID, cause}
	first := !r.open
	r.open = true
	r.mu.Unlock()
	if first {
		r.tell()
	}
}

// tell tells the log, and does so again after a second, until there is nothing to
// tell. Calls that are refused meanwhile do not wait for the log.
func (r *refusals) tell() {
	r.mu.Lock()
	n, last := r.count, r.latest
	r.count, r.latest, r.open = 0, refused{}, n > 0
	r.mu.Unlock()
	if n == 0 {
		return
	}
	last.log.Warn("plugin overloaded", "request_id", last.id, "stage", r.hook.Stage, "plugin", r.hook.Plugin, "hook", r.hook.Name, "calls", n, "error", last.cause)
	time.AfterFunc(tellEvery, r.tell)
}
