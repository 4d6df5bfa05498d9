package direct

import "time"

// patience is how long what nobody is in a hurry for waits to be written. A call's
// context is watched when it has waited for an answer for so long, or for twice that.
const patience = 10 * time.Millisecond

// A pulse beats while there are calls, or something to write that nobody does. One
// timer for a connection costs less than one for every call. The connection's lock
// guards it.
type pulse struct {
	timer *time.Timer
	beats uint64
	on    bool
	busy  bool // a call has begun since the last beat
}

// beat notes that a call begins.
func (c *conn) beat(s *stream) {
	s.born = c.pulse.beats
	c.pulse.busy = true
	c.revive()
}

// revive makes the pulse go on.
func (c *conn) revive() {
	p := &c.pulse
	switch {
	case p.on || c.err != nil:
		return
	case p.timer == nil:
		p.timer = time.AfterFunc(patience, c.tick)
	default:
		p.timer.Reset(patience)
	}
	p.on = true
}

func (p *pulse) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}

// tick is the timer's.
func (c *conn) tick() {
	c.mu.Lock()
	p := &c.pulse
	p.beats++
	for _, s := range c.streams {
		if p.beats-s.born < 2 || s.late.Swap(true) {
			continue
		}
		if s.notify(); s == c.leader {
			c.socket.SetReadDeadline(time.Unix(1, 0)) // long ago
		}
	}
	active := p.busy || len(c.streams) > 0
	p.busy, p.on = false, false
	if active {
		c.revive()
	} else if c.role == nobody {
		c.delegate()
	}
	c.out.takePongs()
	c.flush()
}
