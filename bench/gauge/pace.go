package main

import (
	"fmt"
	"io"
	"time"
)

// paceShare is the share of what a gateway that asks served at most that it gets at
// a fixed rate.
const paceShare = 0.7

// A pace is what is seen at fixed rates.
type pace struct {
	rows  []pacedRow
	ahead bool // whether the load had priority over the others
}

// A turn is a gateway and the rate at which it is measured.
type turn struct {
	*gateway
	rate float64 // requests in a second
}

// A pacedRow is what came of a turn: medians over all rounds.
type pacedRow struct {
	name, without        string // as in target
	rate                 float64
	p50, p99             time.Duration
	p50Spread, p99Spread float64
	late, own            time.Duration
	failed               int // in all rounds
}

// plan lists who is measured at which rate: pairs of a gateway without its question
// and with it, at shares of what the one with it served. The upstream itself, whose
// times are what the load and the machine make of nothing, and peers that run already
// have the rate of the gateway with one Pre hook.
func plan(upstream *gateway, gateways []*gateway, rows []row) (turns []turn) {
	common := 0.0
	for _, r := range rows {
		if r.name == onePre {
			common = paceShare * r.perSecond
			turns = append(turns, turn{upstream, common})
		}
	}
	for i, g := range gateways {
		if g.peer.pid != 0 && common > 0 {
			turns = append(turns, turn{g, common})
		}
		for _, share := range g.paced {
			rate := share * rows[i].perSecond
			for _, w := range gateways {
				if w.target.name == g.without {
					turns = append(turns, turn{w, rate})
				}
			}
			turns = append(turns, turn{g, rate})
		}
	}
	return turns
}

// pace sends requests at fixed rates. Each round has every turn once.
func (b *bench) pace(turns []turn, progress io.Writer) (p pace, err error) {
	samples := make([][]load, len(turns))
	for round := range b.rounds {
		if len(turns) > 0 {
			fmt.Fprintf(progress, "at a fixed rate, round %d of %d\n", round+1, b.rounds)
		}
		for i, t := range turns {
			f := fire{addr: t.addr(), connections: 4 * b.connections, lasts: b.duration, rate: t.rate, request: plain(t.path(), nil)}
			l, err := f.run(b.ctx)
			if err != nil {
				return p, fmt.Errorf("%s at a fixed rate: %w", t.target.name, err)
			}
			p.ahead = l.ahead
			samples[i] = append(samples[i], l)
		}
	}
	for i, t := range turns {
		p.rows = append(p.rows, summarisePace(t, samples[i]))
	}
	return p, nil
}

func summarisePace(t turn, samples []load) pacedRow {
	r := pacedRow{name: t.target.name, without: t.without, rate: t.rate}
	r.p50, r.p50Spread = median(samples, func(l load) time.Duration { return l.p50 })
	r.p99, r.p99Spread = median(samples, func(l load) time.Duration { return l.p99 })
	r.late, _ = median(samples, func(l load) time.Duration { return l.late })
	r.own, _ = median(samples, func(l load) time.Duration { return l.own })
	for _, l := range samples {
		r.failed += l.failed
	}
	return r
}

func (p pace) table() table {
	t := table{heads: []string{"row", "requests/s", "p50 ms", "p99 ms", "adds at p50, µs", "adds at p99, µs", "sent late, p99 ms", "load's CPU µs/request", "failed"}}
	for i, r := range p.rows {
		adds50, adds99 := "", ""
		if i > 0 && p.rows[i-1].name == r.without {
			without := p.rows[i-1]
			adds50 = fmt.Sprintf("%.0f", microseconds(r.p50-without.p50))
			adds99 = fmt.Sprintf("%.0f", microseconds(r.p99-without.p99))
		}
		t.rows = append(t.rows, []string{
			r.name,
			fmt.Sprintf("%.0f", r.rate),
			fmt.Sprintf("%.3f ±%.0f %%", milliseconds(r.p50), r.p50Spread),
			fmt.Sprintf("%.2f ±%.0f %%", milliseconds(r.p99), r.p99Spread),
			adds50,
			adds99,
			fmt.Sprintf("%.3f", milliseconds(r.late)),
			fmt.Sprintf("%.1f", microseconds(r.own)),
			fmt.Sprint(r.failed),
		})
	}
	return t
}

func microseconds(d time.Duration) float64 { return d.Seconds() * 1e6 }

func (p pace) print(out io.Writer) error {
	if len(p.rows) == 0 {
		return nil
	}
	fmt.Fprintln(out, "at a fixed rate:")
	return p.table().print(out)
}

// page is what RESULTS.md says of it.
func (p pace) page() string {
	if len(p.rows) == 0 {
		return ""
	}
	return fmt.Sprintf("\n## At a fixed rate\n\nEach request is sent when it is due. A gateway that asks, and above it the same one that does not, get %.0f %% of what the one that asks served in the first table; with and without a Pre hook, also less.\n\n%s",
		paceShare*100, p.table().markdown())
}

// priority says whether the load had it.
func (p pace) priority() string {
	if p.ahead {
		return "with priority over the others"
	}
	return "without priority over the others, for which it has to be root"
}
