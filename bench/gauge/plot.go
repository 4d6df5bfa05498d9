package main

import (
	"fmt"
	"math"
	"strings"
)

// A point is what was measured at one x: a figure for each line of the series, and
// behind them those that stand aside.
type point struct {
	x float64
	y []float64
}

// A series is how a cost grows.
type series struct {
	name       string // the file's, too
	title      string
	x, y       string   // what the axes tell
	logX, logY bool     // whether they grow by factors
	lines      []string // what the lines are called; a single one needs no name
	aside      []string // columns of the table alone
	points     []point
	note       string
}

func (s series) file() string { return "growth-" + s.name + ".svg" }

// The size of a plot, and of the room around it.
const (
	plotWidth, plotHeight = 480, 280
	plotLeft, plotBottom  = 64, 48
	plotTop, plotRight    = 32, 24
)

// An axis is where values go: those between from and to, to the pixels between
// first and last.
type axis struct {
	from, to, first, last float64
	log                   bool
}

func (a axis) at(v float64) float64 {
	from, to := a.from, a.to
	if a.log {
		v, from, to = math.Log(v), math.Log(from), math.Log(to)
	}
	return a.first + (v-from)/math.Max(to-from, 1e-9)*(a.last-a.first)
}

// marks are the values that are written at the axis.
func (a axis) marks() []float64 {
	var marks []float64
	if a.log {
		for v := a.from; v <= a.to*1.01; v *= 10 {
			marks = append(marks, v)
		}
		return marks
	}
	for i := range 5 {
		marks = append(marks, a.from+(a.to-a.from)*float64(i)/4)
	}
	return marks
}

// vertical is the axis of y. It begins at 0, so that what looks flat is, or, where it
// grows by factors, at a power of ten.
func (s series) vertical() axis {
	low, top := math.Inf(1), 0.0
	for _, p := range s.points {
		for _, y := range p.y[:len(s.lines)] {
			low, top = math.Min(low, y), math.Max(top, y)
		}
	}
	a := axis{to: round(top * 1.1), first: plotHeight - plotBottom, last: plotTop}
	if a.log = s.logY && low > 0; a.log {
		a.from, a.to = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(top)))
	}
	return a
}

// svg draws the series.
func (s series) svg() string {
	var b strings.Builder
	across := axis{from: s.points[0].x, to: s.points[len(s.points)-1].x, first: plotLeft, last: plotWidth - plotRight, log: s.logX}
	up := s.vertical()
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n", plotWidth, plotHeight, plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<text x="%d" y="18" font-size="13">%s</text>`+"\n", plotLeft, s.title)
	for _, v := range up.marks() {
		y := up.at(v)
		fmt.Fprintf(&b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			plotLeft, y, plotWidth-plotRight, y, plotLeft-6, y+4, short(v))
	}
	for _, p := range s.points {
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", across.at(p.x), plotHeight-plotBottom+16, short(p.x))
	}
	for i := range s.lines {
		s.draw(&b, i, across, up)
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", (plotLeft+plotWidth)/2, plotHeight-10, s.x)
	fmt.Fprintf(&b, `<text x="14" y="%d" text-anchor="middle" transform="rotate(-90 14 %d)">%s</text>`+"\n</svg>\n", plotHeight/2, plotHeight/2, s.y)
	return b.String()
}

// draw draws one of the lines, and says at the top which it is.
func (s series) draw(b *strings.Builder, i int, across, up axis) {
	colours := []string{"#06c", "#c30", "#393", "#939", "#a60", "#099"}
	colour := colours[i%len(colours)]
	var line []string
	for _, p := range s.points {
		x, y := across.at(p.x), up.at(p.y[i])
		line = append(line, fmt.Sprintf("%.1f,%.1f", x, y))
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x, y, colour)
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", strings.Join(line, " "), colour)
	if name := s.lines[i]; name != "" {
		fmt.Fprintf(b, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", plotLeft+8, plotTop+12+14*i, colour, name)
	}
}

// round rounds up to a number with one or two digits that are not zero.
func round(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v))) / 5
	return math.Ceil(v/unit) * unit
}

// short writes large numbers shortly.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.3gM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.3gk", v/1e3)
	}
	return fmt.Sprintf("%.4g", v)
}
