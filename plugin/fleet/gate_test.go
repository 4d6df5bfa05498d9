package fleet

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// A crowd is calls that come to a gate at a rate, and take a time each.
type crowd struct {
	*gate
	mu     sync.Mutex
	begun  []time.Duration // since start
	waited []time.Duration // by those that were turned away
	start  time.Time
	calls  sync.WaitGroup
}

func newCrowd(l grapnel.PluginLimits) *crowd { return &crowd{gate: newGate(l), start: time.Now()} }

// call comes to the gate, and stays for as long where it is let in.
func (c *crowd) call(takes time.Duration) {
	came := time.Now()
	begun, err := c.enter(context.Background(), nil)
	c.mu.Lock()
	if err != nil {
		c.waited = append(c.waited, time.Since(came))
	} else {
		c.begun = append(c.begun, begun.Sub(c.start))
	}
	c.mu.Unlock()
	if err == nil {
		time.Sleep(takes)
		c.leave(begun)
	}
}

// offer has calls come at a rate for a while.
func (c *crowd) offer(rate int, lasts, takes time.Duration) {
	for range int(lasts.Seconds() * float64(rate)) {
		c.calls.Go(func() { c.call(takes) })
		time.Sleep(time.Second / time.Duration(rate))
	}
}

// between counts the calls that began from one time to another.
func (c *crowd) between(from, to time.Duration) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, at := range c.begun {
		if from <= at && at < to {
			n++
		}
	}
	return n
}

// standard are the limits by default.
func standard() (l grapnel.PluginLimits) { l.SetDefaults(); return l }

// A server with all the calls that it may have gets them as they end, but not in a
// wave: from its second second on they begin evenly, and not fewer of them.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(standard())
		const lasts, piece = 6 * time.Second, 50 * time.Millisecond
		c.offer(5000, lasts, time.Second)
		c.calls.Wait()
		for at := time.Second; at < lasts; at += piece {
			if n := c.between(at, at+piece); n < 30 || n > 75 {
				t.Errorf("at %v %d calls begin within %v, want about 50", at, n, piece)
			}
		}
		if n := c.between(0, lasts); n < 5900 {
			t.Errorf("%d calls began in %v, want a thousand a second", n, lasts)
		}
		late := 0
		for _, d := range c.waited {
			if d > 0 {
				late++
			}
		}
		if late > len(c.waited)/100 {
			t.Errorf("%d of %d calls waited before they were turned away", late, len(c.waited))
		}
	})
}

// A server with room gets all calls at once, also after it was crowded.
func TestNoPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(standard())
		burst := func() {
			t.Helper()
			before := len(c.begun)
			at := time.Since(c.start)
			for range c.most {
				c.calls.Go(func() { c.call(time.Second) })
			}
			c.calls.Wait()
			if n := c.between(at, at+1); n != c.most || len(c.begun) != before+n {
				t.Errorf("%d calls of %d began at once", n, c.most)
			}
		}
		burst()
		c.offer(5000, 3*time.Second, time.Second)
		c.calls.Wait()
		time.Sleep(time.Second)
		burst()
	})
}

// A server that is fast again has what it can take at once.
func TestPaceAfterSlowness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(standard())
		c.offer(5000, 3*time.Second, time.Second)
		at := time.Since(c.start) + 200*time.Millisecond
		c.offer(5000, 2*time.Second, 50*time.Millisecond)
		c.calls.Wait()
		if n := c.between(at+time.Second, at+1500*time.Millisecond); n < 2450 {
			t.Errorf("%d calls of 2500 began a second after the calls are short again", n)
		}
	})
}

// Where few may be under way and some take longer than others, none of the room is
// left empty for the sake of an even pace.
func TestPaceOfFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(grapnel.PluginLimits{InFlight: 1, Queue: 2, Wait: grapnel.Duration(time.Minute)})
		begin := time.Now()
		for i := range 200 {
			takes := 10 * time.Millisecond
			if i%2 == 1 {
				takes = 190 * time.Millisecond
			}
			for c.waiting() == 2 {
				time.Sleep(time.Millisecond)
			}
			c.calls.Go(func() { c.call(takes) })
			synctest.Wait()
		}
		c.calls.Wait()
		if took := time.Since(begin); took > 22*time.Second || len(c.begun) != 200 {
			t.Errorf("%d calls took %v, of 20s in all", len(c.begun), took)
		}
	})
}

// Nobody waits for a server of which nothing has come for as long as one may wait.
func TestStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(standard())
		c.offer(5000, time.Second, time.Minute)
		synctest.Wait()
		slow := 0
		for _, d := range c.waited {
			if d > 0 {
				slow++
			}
		}
		if len(c.begun) != c.most || slow == 0 || slow > 2*c.queue {
			t.Errorf("%d are under way, and %d of %d that were turned away had waited", len(c.begun), slow, len(c.waited))
		}
		c.calls.Wait()
	})
}

// A server that hung and has few calls under way gets them as before once it is well:
// its pace is not that of the calls that hung.
func TestPaceAfterHanging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := standard()
		l.InFlight = 4
		c := newCrowd(l)
		c.offer(100, 5*time.Minute, 10*time.Second)
		at := time.Since(c.start) + 10*time.Second
		c.offer(100, 15*time.Second, 5*time.Millisecond)
		c.calls.Wait()
		if n := c.between(at+time.Second, at+5*time.Second); n < 390 {
			t.Errorf("%d calls of 400 began a second after the calls are short again", n)
		}
	})
}

// Who waits is let in at the pace, also when nobody comes behind.
func TestPaceOfTheRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(grapnel.PluginLimits{InFlight: 100, Queue: 1000, Wait: grapnel.Duration(time.Minute)})
		const lasts, piece = 10 * time.Second, 250 * time.Millisecond
		for range 1000 {
			c.calls.Go(func() { c.call(time.Second) })
		}
		c.calls.Wait()
		for at := lasts / 2; at < lasts; at += piece {
			if n := c.between(at, at+piece); n < 15 || n > 40 {
				t.Errorf("at %v %d calls begin within %v, want about 25", at, n, piece)
			}
		}
		if n := c.between(0, lasts); n != 1000 {
			t.Errorf("%d calls of 1000 began in %v", n, lasts)
		}
	})
}
