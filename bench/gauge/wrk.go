package main

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// A load is what wrk or a fire says of one run.
type load struct {
	requests  int     // answered
	perSecond float64 // answered requests
	p50, p99  time.Duration
	failed    int // replies other than 2xx and 3xx, and socket errors

	// Of a fire alone: by how much 99 of 100 requests at most were sent later than
	// they could be, and its own processor time for each.
	late, own time.Duration
	ahead     bool // whether it had priority over others
}

// drive lets wrk send requests to a URL for d over n connections, each of which
// waits for a reply before it sends the next request.
func drive(ctx context.Context, url string, header http.Header, n int, d time.Duration) (load, error) {
	args := []string{"--latency", "--threads", "1", "--connections", strconv.Itoa(n), "--duration", fmt.Sprintf("%.0fs", d.Seconds())}
	for name, values := range header {
		args = append(args, "--header", name+": "+values[0])
	}
	out, err := exec.CommandContext(ctx, "wrk", append(args, url)...).CombinedOutput()
	if err != nil {
		return load{}, fmt.Errorf("wrk: %w: %s", err, out)
	}
	return parseLoad(string(out))
}

var (
	answered  = regexp.MustCompile(`(\d+) requests in `)
	perSecond = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	quantile  = regexp.MustCompile(`\s(50|99)%\s+([\d.]+(?:us|ms|s|m))\b`)
	refused   = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
	broken    = regexp.MustCompile(`Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
)

// parseLoad reads wrk's report.
func parseLoad(report string) (load, error) {
	var l load
	count, rate := answered.FindStringSubmatch(report), perSecond.FindStringSubmatch(report)
	quantiles := quantile.FindAllStringSubmatch(report, -1)
	if count == nil || rate == nil || len(quantiles) != 2 {
		return l, fmt.Errorf("wrk's report is not understood:\n%s", report)
	}
	var err error
	if l.requests, err = strconv.Atoi(count[1]); err != nil {
		return l, err
	}
	if l.perSecond, err = strconv.ParseFloat(rate[1], 64); err != nil {
		return l, err
	}
	for i, d := range []*time.Duration{&l.p50, &l.p99} {
		if *d, err = time.ParseDuration(quantiles[i][2]); err != nil {
			return l, err
		}
	}
	for _, m := range [][]string{refused.FindStringSubmatch(report), broken.FindStringSubmatch(report)} {
		for _, number := range m[min(1, len(m)):] {
			n, err := strconv.Atoi(number)
			if err != nil {
				return l, err
			}
			l.failed += n
		}
	}
	return l, nil
}
