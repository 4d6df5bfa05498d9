package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// A health is what a soak looks at.
type health struct{ memory, goroutines, descriptors int64 }

// soak holds a gateway under 70 % of the load that it can bear, and fails when what
// it needs grows: the median of the last third of the time is compared to that of
// the second one.
func (b *bench) soak(minutes int, progress io.Writer) error {
	g, err := b.open(target{program: "grapnel", api: "hooks: { pre: [{ plugin: bench, hook: Mark }] }", metrics: true})
	if err != nil {
		return err
	}
	load := fire{addr: g.addr(), connections: b.connections, lasts: b.duration, request: plain("/bench", nil)}
	most, err := load.run(b.ctx)
	if err != nil {
		return err
	}
	lasts := time.Duration(minutes) * time.Minute
	load.rate, load.lasts = 0.7*most.perSecond, lasts
	fmt.Fprintf(progress, "%.0f requests/s for %d minutes\n", load.rate, minutes)
	served := make(chan error, 1)
	go func() {
		l, err := load.run(b.ctx)
		if err == nil && l.failed > 0 {
			err = fmt.Errorf("%d of %d requests failed", l.failed, l.requests)
		}
		served <- err
	}()
	seen, err := g.watch(lasts, progress)
	return errors.Join(err, <-served, growing(seen))
}

// watch looks at the gateway thirty times.
func (g *gateway) watch(lasts time.Duration, progress io.Writer) (seen []health, err error) {
	const looks = 30
	for range looks {
		time.Sleep(lasts / (looks + 1))
		h, err := g.health()
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(progress, "%s: %d MiB, %d goroutines, %d descriptors\n", time.Now().Format(time.TimeOnly), h.memory>>20, h.goroutines, h.descriptors)
		seen = append(seen, h)
	}
	return seen, nil
}

func (g *gateway) health() (h health, err error) {
	if h.memory, err = g.memory(); err != nil {
		return h, g.complain("has ended")
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", g.pid))
	if err != nil {
		return h, err
	}
	h.descriptors = int64(len(open))
	resp, err := http.Get("http://" + g.addr() + "/metrics")
	if err != nil {
		return h, err
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if n, ok := strings.CutPrefix(lines.Text(), "go_goroutines "); ok {
			h.goroutines, err = strconv.ParseInt(n, 10, 64)
			return h, err
		}
	}
	return h, errors.New("/metrics does not tell of goroutines")
}

// growing compares the thirds of what was seen. A tenth more is noise, and so are a
// few goroutines and descriptors.
func growing(seen []health) error {
	third := len(seen) / 3
	if third == 0 {
		return nil
	}
	var errs []error
	for _, c := range []struct {
		what  string
		noise int64
		of    func(health) int64
	}{
		{"memory", 8 << 20, func(h health) int64 { return h.memory }},
		{"goroutines", 16, func(h health) int64 { return h.goroutines }},
		{"descriptors", 16, func(h health) int64 { return h.descriptors }},
	} {
		before, _ := median(seen[third:2*third], c.of)
		after, _ := median(seen[2*third:], c.of)
		if after > before+before/10+c.noise {
			errs = append(errs, fmt.Errorf("%s grows: %d in the second third, %d in the last", c.what, before, after))
		}
	}
	return errors.Join(errs...)
}
