package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A sample is one measurement of one target.
type sample struct {
	load
	cpu  time.Duration // the gateway's, for one request
	peak int64         // the gateway's memory so far, in bytes
}

// A row is a target's line of the table: medians over all rounds, and for the
// figures that machines disturb most, half the distance between the smallest
// and the largest in percent of the median.
type row struct {
	name                       string
	perSecond, perSecondSpread float64
	cpu                        time.Duration
	cpuSpread                  float64
	p50, p99                   time.Duration
	peak                       int64 // of all rounds
	failed                     int   // in all rounds
}

func summarise(name string, samples []sample) row {
	r := row{name: name}
	r.perSecond, r.perSecondSpread = median(samples, func(s sample) float64 { return s.perSecond })
	r.cpu, r.cpuSpread = median(samples, func(s sample) time.Duration { return s.cpu })
	r.p50, _ = median(samples, func(s sample) time.Duration { return s.p50 })
	r.p99, _ = median(samples, func(s sample) time.Duration { return s.p99 })
	for _, s := range samples {
		r.peak = max(r.peak, s.peak)
		r.failed += s.failed
	}
	return r
}

// median returns the middle value, the mean of the two middle ones where the
// number is even, and the spread in percent.
func median[S any, T ~int64 | ~float64](samples []S, of func(S) T) (middle T, spread float64) {
	values := make([]T, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.SortFunc(values, cmp.Compare[T])
	n := len(values)
	middle = (values[(n-1)/2] + values[n/2]) / 2
	if middle != 0 {
		spread = 50 * float64(values[n-1]-values[0]) / float64(middle)
	}
	return middle, spread
}

// rowTable is the table of the rows.
func rowTable(rows []row) table {
	t := table{heads: []string{"row", "requests/s", "CPU µs/request", "p50 ms", "p99 ms", "peak MiB", "failed"}}
	for _, r := range rows {
		t.rows = append(t.rows, r.cells())
	}
	return t
}

func (r row) cells() []string {
	return []string{
		r.name,
		fmt.Sprintf("%.0f ±%.0f %%", r.perSecond, r.perSecondSpread),
		fmt.Sprintf("%.1f ±%.0f %%", r.cpu.Seconds()*1e6, r.cpuSpread),
		fmt.Sprintf("%.2f", r.p50.Seconds()*1e3),
		fmt.Sprintf("%.2f", r.p99.Seconds()*1e3),
		fmt.Sprintf("%.0f", float64(r.peak)/(1<<20)),
		fmt.Sprint(r.failed),
	}
}

// A table has the names of its rows in the first column.
type table struct {
	heads []string
	rows  [][]string
}

// print writes the table for a terminal.
func (t table) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, cells := range append([][]string{t.heads}, t.rows...) {
		fmt.Fprintln(w, strings.Join(cells, "\t")+"\t")
	}
	return w.Flush()
}

// markdown writes the table for a page.
func (t table) markdown() string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.heads)
	b.WriteString("|---|" + strings.Repeat("---:|", len(t.heads)-1) + "\n")
	for _, cells := range t.rows {
		line(cells)
	}
	return b.String()
}
