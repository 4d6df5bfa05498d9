package main

import (
	"fmt"
	"io"
	"time"
)

// The share of the load at which the gateway with one Pre hook is full that is sent
// at a fixed rate.
const paceShare = 0.7

// A pace is what is seen at a fixed rate: each row with the medians over all rounds.
type pace struct {
	rate float64 // requests in a second
	rows []pacedRow
}

// A pacedRow is a gateway at a fixed rate.
type pacedRow struct {
	name                 string
	p50, p99             time.Duration
	p50Spread, p99Spread float64
	late, own            time.Duration
	failed               int // in all rounds
}

// pace sends requests at a fixed rate, which is a share of what the gateway with one
// Pre hook served at most, to it and to those that it is compared with. One of these
// is the upstream itself: the times that it has are what the load and the machine
// make of nothing. Without a row of that gateway there is nothing to do.
func (b *bench) pace(gateways []*gateway, rows []row, progress io.Writer) (p pace, err error) {
	paced := []*gateway{{target: target{name: "the upstream itself"}, process: b.upstream, url: "http://" + b.Upstream + "/bench"}}
	for i, g := range gateways {
		if g.paced {
			paced = append(paced, g)
		}
		if g.target.name == onePre {
			p.rate = paceShare * rows[i].perSecond
		}
	}
	if p.rate == 0 {
		return p, nil
	}
	samples := make([][]load, len(paced))
	for round := range b.rounds {
		fmt.Fprintf(progress, "%.0f requests a second, round %d of %d\n", p.rate, round+1, b.rounds)
		for i, g := range paced {
			f := fire{addr: g.addr(), connections: 4 * b.connections, lasts: b.duration, rate: p.rate, request: plain(g.path(), nil)}
			l, err := f.run(b.ctx)
			if err != nil {
				return p, fmt.Errorf("%s at a fixed rate: %w", g.target.name, err)
			}
			samples[i] = append(samples[i], l)
		}
	}
	for i, g := range paced {
		p.rows = append(p.rows, summarisePace(g.target.name, samples[i]))
	}
	return p, nil
}

func summarisePace(name string, samples []load) pacedRow {
	r := pacedRow{name: name}
	r.p50, r.p50Spread = median(samples, func(l load) time.Duration { return l.p50 })
	r.p99, r.p99Spread = median(samples, func(l load) time.Duration { return l.p99 })
	r.late, _ = median(samples, func(l load) time.Duration { return l.late })
	r.own, _ = median(samples, func(l load) time.Duration { return l.own })
	for _, l := range samples {
		r.failed += l.failed
	}
	return r
}

// added says what the Pre hook adds to the times without it; empty when one of the
// two rows is not there.
func (p pace) added() string {
	var with, without *pacedRow
	for i, r := range p.rows {
		switch r.name {
		case onePre:
			with = &p.rows[i]
		case noHook:
			without = &p.rows[i]
		}
	}
	if with == nil || without == nil {
		return ""
	}
	return fmt.Sprintf("One Pre hook adds %.0f µs at p50 and %.0f µs at p99.", milliseconds(with.p50-without.p50)*1e3, milliseconds(with.p99-without.p99)*1e3)
}

func (p pace) table() table {
	t := table{heads: []string{"row", "p50 ms", "p99 ms", "sent late, p99 ms", "load's CPU µs/request", "failed"}}
	for _, r := range p.rows {
		t.rows = append(t.rows, r.cells())
	}
	return t
}

func (r pacedRow) cells() []string {
	return []string{
		r.name,
		fmt.Sprintf("%.3f ±%.0f %%", milliseconds(r.p50), r.p50Spread),
		fmt.Sprintf("%.2f ±%.0f %%", milliseconds(r.p99), r.p99Spread),
		fmt.Sprintf("%.3f", milliseconds(r.late)),
		fmt.Sprintf("%.1f", milliseconds(r.own)*1e3),
		fmt.Sprint(r.failed),
	}
}

func (p pace) print(out io.Writer) error {
	if len(p.rows) == 0 {
		return nil
	}
	fmt.Fprintf(out, "at %.0f requests a second:\n", p.rate)
	err := p.table().print(out)
	fmt.Fprintln(out, p.added())
	return err
}

// page is what RESULTS.md says of it.
func (p pace) page() string {
	if len(p.rows) == 0 {
		return ""
	}
	return fmt.Sprintf("\n## At a fixed rate\n\n%.0f requests a second, %.0f %% of what the gateway with one Pre hook served above, each sent when it was due.\n\n%s\n%s\n",
		p.rate, paceShare*100, p.table().markdown(), p.added())
}
