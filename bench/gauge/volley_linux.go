package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A volley is a fire that is under way. One thread waits for replies and for the
// moment of the next request: that costs less of the processors, which the gateway
// needs, than a goroutine for each connection, and is exact to microseconds, where
// time.Sleep is to a millisecond.
type volley struct {
	fire
	start      time.Time
	poll       int
	lines      []*line
	free       []*line       // the last one is used first
	next       int           // the number of the next request
	freed      time.Duration // when there was a line again after there was none
	heard      time.Duration // when the last reply came
	took, late []time.Duration
	failed     int
}

// A line is a connection.
type line struct {
	fd   int
	room []byte        // of its requests
	out  []byte        // what is not written yet
	in   []byte        // where replies are read to
	have int           // bytes of in, while the head of a reply is not there
	left int           // bytes of the reply to come, once the head is
	ok   bool          // what the head said
	due  time.Duration // from the start
}

// run sends the requests and tells what came of them.
func (f fire) run(ctx context.Context) (l load, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	v := &volley{fire: f, poll: -1}
	defer v.close()
	if err := v.open(); err != nil {
		return l, fmt.Errorf("the load: %w", err)
	}
	back, err := exact()
	if err != nil {
		return l, err
	}
	defer back()
	if f.rate > 0 {
		// Room beforehand: to make it meanwhile would make the load late.
		most := int(f.rate*f.lasts.Seconds()) + 1
		v.took, v.late = make([]time.Duration, 0, most), make([]time.Duration, 0, most)
		back, l.ahead = goAhead()
		defer back()
	}
	before, err := threadTime()
	if err != nil {
		return l, err
	}
	v.start = time.Now()
	if err := v.shoot(ctx); err != nil {
		return l, fmt.Errorf("the load: %w", err)
	}
	lasted := time.Since(v.start)
	after, err := threadTime()
	if err != nil {
		return l, err
	}
	l.requests, l.failed = len(v.took), v.failed
	l.p50, l.p99 = quantiles(v.took)
	_, l.late = quantiles(v.late)
	l.own = (after - before) / time.Duration(max(l.requests, 1))
	l.perSecond = float64(l.requests) / lasted.Seconds()
	return l, nil
}

func (v *volley) open() (err error) {
	if v.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	for i := range v.connections {
		fd, err := dial(v.addr)
		if err != nil {
			return err
		}
		l := &line{fd: fd, in: make([]byte, 8<<10)}
		v.lines = append(v.lines, l)
		// An edge is told once, so that what is known needs no further call.
		e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(i)}
		if err := unix.EpollCtl(v.poll, unix.EPOLL_CTL_ADD, fd, &e); err != nil {
			return err
		}
	}
	v.free = append(v.free, v.lines...)
	return nil
}

// dial opens a connection that Go's runtime does not watch.
func dial(addr string) (fd int, err error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return -1, err
	}
	defer c.Close()
	f, err := c.(*net.TCPConn).File()
	if err != nil {
		return -1, err
	}
	defer f.Close()
	if fd, err = unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0); err != nil {
		return -1, err
	}
	return fd, unix.SetNonblock(fd, true)
}

func (v *volley) close() {
	for _, l := range v.lines {
		unix.Close(l.fd)
	}
	if v.poll >= 0 {
		unix.Close(v.poll)
	}
}

// look is how often a load at least looks whether its context has ended.
const look = 100 * time.Millisecond

// shoot sends what is due and reads what has come, until all is answered.
func (v *volley) shoot(ctx context.Context) error {
	events := make([]unix.EpollEvent, 256)
	for {
		now, pause := time.Since(v.start), look
		if ctx.Err() == nil && !v.over(v.next, now) {
			var err error
			if pause, err = v.send(now); err != nil {
				return err
			}
		} else if len(v.free) == len(v.lines) {
			return nil
		}
		if len(v.free) < len(v.lines) && now-v.heard > patience {
			return fmt.Errorf("no reply for %v", patience)
		}
		n, err := wait(v.poll, events, pause)
		if err != nil {
			return err
		}
		for _, e := range events[:n] {
			if err := v.turn(v.lines[e.Fd]); err != nil {
				return err
			}
		}
	}
}

// send sends what is due, as long as there are lines, and tells how long there is
// nothing more to send.
func (v *volley) send(now time.Duration) (pause time.Duration, err error) {
	for len(v.free) > 0 && !v.over(v.next, now) {
		due := now
		if v.rate > 0 {
			if due = v.due(v.next); due > now {
				return min(due-now, look), nil
			}
			v.late = append(v.late, now-max(due, v.freed))
		}
		l := v.free[len(v.free)-1]
		if len(v.free) == len(v.lines) {
			v.heard = now
		}
		v.free = v.free[:len(v.free)-1]
		l.room = v.request(l.room[:0], v.next)
		l.out, l.due = l.room, due
		v.next++
		if err := l.write(); err != nil {
			return 0, err
		}
		now = time.Since(v.start)
	}
	return look, nil
}

// turn goes on with a line to which something has happened.
func (v *volley) turn(l *line) error {
	if err := l.write(); err != nil {
		return err
	}
	whole, err := l.read()
	if err != nil || !whole {
		return err
	}
	now := time.Since(v.start)
	v.took = append(v.took, now-l.due)
	if !l.ok {
		v.failed++
	}
	if len(v.free) == 0 {
		v.freed = now
	}
	v.free, v.heard = append(v.free, l), now
	return nil
}

func (l *line) write() error {
	for len(l.out) > 0 {
		n, err := write(l.fd, l.out)
		switch {
		case err == unix.EAGAIN:
			return nil
		case err == unix.EINTR:
		case err != nil:
			return err
		default:
			l.out = l.out[n:]
		}
	}
	return nil
}

// read reads what is there, and reports whether that was the end of a reply.
func (l *line) read() (whole bool, err error) {
	for {
		n, err := read(l.fd, l.in[l.have:])
		switch {
		case err == unix.EAGAIN:
			return false, nil
		case err == unix.EINTR:
			continue
		case err != nil:
			return false, err
		case n == 0:
			return false, io.ErrUnexpectedEOF
		}
		l.have += n
		if l.left == 0 {
			if l.left, l.ok, err = replyLength(l.in[:l.have]); err != nil {
				return false, err
			}
		}
		if l.left > 0 {
			l.left, l.have = l.left-l.have, 0
			if l.left == 0 {
				return true, nil
			}
		}
		if l.left < 0 || l.have == len(l.in) {
			return false, errors.New("not one reply to one request")
		}
	}
}
