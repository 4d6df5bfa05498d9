package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// A fire is a load that wrk cannot make: at a fixed rate, with a body, or with
// requests that differ. Its connections wait for one reply each.
type fire struct {
	addr        string
	connections int
	lasts       time.Duration                   // 0 is until the context ends
	count       int                             // of requests in all; 0 is as many as there is time for
	rate        float64                         // requests in a second; 0 is as many as are answered
	request     func(room []byte, n int) []byte // appends the n-th request
}

// patience is how long the next of the replies that are missing may take.
const patience = 30 * time.Second

// due is when the n-th request has to be sent, from the start. Its time counts
// from then, whether or not there was a connection for it: a gateway that is slow
// does not get fewer requests.
func (f fire) due(n int) time.Duration {
	return time.Duration(float64(n) / f.rate * float64(time.Second))
}

// over reports whether the n-th request is not to be sent any more. At a rate, all
// that were due in the time are sent, however late.
func (f fire) over(n int, now time.Duration) bool {
	if f.rate > 0 {
		now = f.due(n)
	}
	return f.count > 0 && n >= f.count || f.lasts > 0 && now >= f.lasts
}

// quantiles are the median of times, and what 99 of 100 stay under. It sorts them.
func quantiles(times []time.Duration) (p50, p99 time.Duration) {
	if len(times) == 0 {
		return 0, 0
	}
	slices.Sort(times)
	return times[len(times)/2], times[len(times)*99/100]
}

// replyLength is how long the reply is that b begins with, 0 while that cannot be
// known, and whether its status is 200.
func replyLength(b []byte) (length int, ok bool, err error) {
	head, _, whole := bytes.Cut(b, []byte("\r\n\r\n"))
	if !whole {
		return 0, false, nil
	}
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, _ := bytes.Cut(line, []byte(": "))
		if bytes.EqualFold(name, []byte("Content-Length")) {
			body, err := strconv.Atoi(string(value))
			return len(head) + len("\r\n\r\n") + body, bytes.HasPrefix(head, []byte("HTTP/1.1 200 ")), err
		}
	}
	return 0, false, errors.New("a reply without a length")
}

// plain makes requests that are all the same: a GET, or a POST with a body.
func plain(path string, body []byte) func([]byte, int) []byte {
	if len(body) == 0 {
		return always(fmt.Sprintf("GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", path))
	}
	return always(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body))
}

// headed makes GETs whose headers have so many bytes.
func headed(path string, size int) func([]byte, int) []byte {
	head := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: bench\r\n", path)
	for i := 0; len(head) < size; i++ {
		head += fmt.Sprintf("X-Header-%03d: 0123456789abcdefghijklmnopqrstuvwxyz\r\n", i)
	}
	return always(head + "\r\n")
}

func always(request string) func([]byte, int) []byte {
	return func(room []byte, _ int) []byte { return append(room, request...) }
}

// spread makes GETs with the tokens of so many callers, each in its turn. Who fires
// again goes on with the next one.
func spread(path string, callers int) func([]byte, int) []byte {
	turn := 0
	return func(room []byte, _ int) []byte {
		const stride = 7919 // a prime: neighbours are far apart
		turn = (turn + stride) % callers
		return fmt.Appendf(room, "GET %s HTTP/1.1\r\nHost: bench\r\nAuthorization: %s\r\n\r\n", path, caller(turn))
	}
}

// caller is the token of the n-th caller.
func caller(n int) string { return fmt.Sprintf("caller-%d", n) }
