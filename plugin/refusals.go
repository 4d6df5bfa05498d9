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
	defer r.mu.Unlock()
	r.count++
	r.latest = refused{x.Log, x.ID, cause}
	if !r.open {
		r.open = true
		r.tell()
	}
}

// tell tells the log, and comes back after a second. The lock is held.
func (r *refusals) tell() {
	r.latest.log.Warn("plugin overloaded", "request_id", r.latest.id, "stage", r.hook.Stage, "plugin", r.hook.Plugin, "hook", r.hook.Name, "calls", r.count, "error", r.latest.cause)
	r.count, r.latest = 0, refused{}
	time.AfterFunc(tellEvery, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.open = r.count > 0; r.open {
			r.tell()
		}
	})
}
