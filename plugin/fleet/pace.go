package fleet

import "time"

// A pace spreads the calls of a server that has as many as it may. What begins
// together ends together and makes room all at once: without a pace, a thousand
// calls that take a second go on for ever as a wave that comes each second, and
// takes the processors from everyone else. With it calls begin as they would end
// if they were spread evenly: one each time that a call takes, divided by how many
// may be under way.
//
// It holds while the server is crowded: from a call that finds no room, until none
// has had to wait for as long as a call takes. Who else comes begins at once.
type pace struct {
	most int           // calls under way at once
	took time.Duration // what a call takes: a moving average

	crowded bool
	next    time.Time // when the next call may begin
	waited  time.Time // when a call last waited or was turned away
	moved   time.Time // when one last ended, or it became crowded
}

// What is behind the pace catches up by so many calls, and so much time: some
// take less than others, and timers are late.
const (
	catchUpCalls = 8
	catchUpTime  = 5 * time.Millisecond
)

// gap is the time from the beginning of a call to that of the next.
func (p *pace) gap() time.Duration { return p.took / time.Duration(p.most) }

// due is how long it is until the next call may begin.
func (p *pace) due(now time.Time) time.Duration {
	if p.crowded && now.Sub(p.waited) > p.took {
		p.crowded = false
	}
	if !p.crowded {
		return 0
	}
	return max(p.next.Sub(now), 0)
}

// forecast is how long who comes now would wait, behind so many others. Some calls
// take longer than others, so it says a quarter more.
func (p *pace) forecast(now time.Time, others int) time.Duration {
	wait := p.next.Sub(now) + time.Duration(others)*p.gap()
	return wait + wait/4
}

// stalled is for how long no call has ended that should have.
func (p *pace) stalled(now time.Time) time.Duration { return now.Sub(p.moved) - p.gap() }

// crowd notes a call that cannot begin at once, or still waits.
func (p *pace) crowd(now time.Time) {
	if p.waited = now; !p.crowded {
		p.crowded, p.next, p.moved = true, now, now
	}
}

// began notes that a call begins.
func (p *pace) began(now time.Time) {
	if earliest := now.Add(-catchUpTime - catchUpCalls*p.gap()); p.next.Before(earliest) {
		p.next = earliest
	}
	p.next = p.next.Add(p.gap())
}

// ended notes that a call has ended, and what it took.
func (p *pace) ended(now time.Time, took time.Duration) {
	const weight = 16
	p.took += (took - p.took) / weight
	p.moved = now
}
