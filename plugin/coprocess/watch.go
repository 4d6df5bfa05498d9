package coprocess

import (
	"sync"
	"time"
)

// A watch bounds how long a body waits for the plugin that it passes through. Its
// clock runs while someone wants a piece from the plugin and the plugin has all
// that there is: the time of a slow client or upstream is not the plugin's.
type watch struct {
	limit time.Duration // 0 is none
	stop  func()        // is called when it expires

	mu      sync.Mutex
	feeding bool // the source is being read
	wanting bool // a piece is waited for
	over    bool
	began   time.Time // when the clock was started
	timer   *time.Timer
}

func (w *watch) feeds(on bool) { w.note(&w.feeding, on) }
func (w *watch) wants(on bool) { w.note(&w.wanting, on) }

func (w *watch) note(what *bool, on bool) {
	if w.limit <= 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	*what = on
	switch {
	case w.wanting && !w.feeding:
		if w.began = time.Now(); w.timer == nil {
			w.timer = time.AfterFunc(w.limit, w.ring)
		} else {
			w.timer.Reset(w.limit)
		}
	case w.timer != nil:
		w.timer.Stop()
	}
}

func (w *watch) ring() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wanting && !w.feeding && time.Since(w.began) >= w.limit { // and not just started anew
		w.over = true
		w.stop()
	}
}

// expired reports whether the plugin took too long.
func (w *watch) expired() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.over
}
