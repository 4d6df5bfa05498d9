package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A fire is a load that wrk cannot make: at a fixed rate, with a body, or with
// requests that differ.
type fire struct {
	addr        string
	connections int
	lasts       time.Duration
	count       int                             // of requests in all; 0 is as many as there is time for
	rate        float64                         // requests in a second; 0 is as many as are answered
	request     func(room []byte, n int) []byte // appends the n-th request
}

// run sends the requests and tells what came of them. At a rate, the time of a
// request that waited for a connection counts from when it was due: a gateway that
// is slow does not get fewer requests.
func (f fire) run(ctx context.Context) (load, error) {
	if f.lasts > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, f.lasts)
		defer stop()
	}
	var turn atomic.Int64
	took := make([][]time.Duration, f.connections)
	failed := make([]int, f.connections)
	errs := make([]error, f.connections)
	start := time.Now()
	var all sync.WaitGroup
	for i := range f.connections {
		all.Go(func() { took[i], failed[i], errs[i] = f.line(ctx, start, &turn) })
	}
	all.Wait()
	l := load{requests: 0, perSecond: 0}
	times := slices.Concat(took...)
	slices.Sort(times)
	for _, n := range failed {
		l.failed += n
	}
	if l.requests = len(times); l.requests > 0 {
		l.p50, l.p99 = times[l.requests/2], times[l.requests*99/100]
	}
	l.perSecond = float64(l.requests) / time.Since(start).Seconds()
	return l, errors.Join(errs...)
}

// line is one connection, which takes the requests whose turn it is.
func (f fire) line(ctx context.Context, start time.Time, turn *atomic.Int64) (took []time.Duration, failed int, err error) {
	c, err := net.Dial("tcp", f.addr)
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	in := bufio.NewReaderSize(c, 64<<10)
	var room []byte
	for ctx.Err() == nil {
		n := int(turn.Add(1)) - 1
		if f.count > 0 && n >= f.count {
			break
		}
		begin := time.Now()
		if f.rate > 0 {
			due := start.Add(time.Duration(float64(n) / f.rate * float64(time.Second)))
			if wait := due.Sub(begin); wait > 0 {
				time.Sleep(wait)
				begin = time.Now() // that it slept too long is not the gateway's fault
			} else {
				begin = due
			}
		}
		room = f.request(room[:0], n)
		if _, err := c.Write(room); err != nil {
			return took, failed, err
		}
		ok, err := reply(in)
		if err != nil {
			return took, failed, err
		}
		if !ok {
			failed++
		}
		took = append(took, time.Since(begin))
	}
	return took, failed, nil
}

// reply reads a reply of a known length, and reports whether its status is 200.
func reply(in *bufio.Reader) (ok bool, err error) {
	length := -1
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return false, err
		}
		line = bytes.TrimRight(line, "\r\n")
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case first:
			ok = bytes.HasPrefix(line, []byte("HTTP/1.1 200"))
		case len(line) == 0:
			if length < 0 {
				return false, errors.New("a reply without a length")
			}
			_, err := in.Discard(length)
			return ok, err
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return false, err
			}
		}
	}
}

// plain makes requests that are all the same: a GET, or a POST with a body.
func plain(path string, body []byte) func([]byte, int) []byte {
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", path)
	if len(body) > 0 {
		request = fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
	}
	return func(b []byte, _ int) []byte { return append(b, request...) }
}

// holding makes requests each with one of the tokens of so many callers.
func holding(path string, callers int) func([]byte, int) []byte {
	return func(b []byte, n int) []byte {
		const stride = 7919 // a prime: neighbours are far apart
		return fmt.Appendf(b, "GET %s HTTP/1.1\r\nHost: bench\r\nAuthorization: caller-%d\r\n\r\n", path, n*stride%callers)
	}
}
