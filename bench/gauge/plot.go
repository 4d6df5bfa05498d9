package main

import (
	"fmt"
	"math"
	"strings"
)

// A point is one measurement of a series.
type point struct{ x, y float64 }

// A series is how a cost grows.
type series struct {
	name   string // the file's, too
	title  string
	x, y   string // what the axes tell
	logX   bool   // whether x grows by factors
	points []point
	note   string
}

// The size of a plot, and of the room around it.
const (
	plotWidth, plotHeight = 480, 280
	plotLeft, plotBottom  = 64, 48
	plotTop, plotRight    = 32, 24
)

// svg draws the series. The vertical axis begins at 0, so that what looks flat is.
func (s series) svg() string {
	var b strings.Builder
	top := 0.0
	for _, p := range s.points {
		top = math.Max(top, p.y)
	}
	top = round(top * 1.1)
	first, last := s.scale(s.points[0].x), s.scale(s.points[len(s.points)-1].x)
	at := func(p point) (x, y float64) {
		x = plotLeft + (s.scale(p.x)-first)/math.Max(last-first, 1e-9)*(plotWidth-plotLeft-plotRight)
		return x, plotHeight - plotBottom - p.y/top*(plotHeight-plotBottom-plotTop)
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n", plotWidth, plotHeight, plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<text x="%d" y="18" font-size="13">%s</text>`+"\n", plotLeft, s.title)
	for i := range 5 {
		value := top * float64(i) / 4
		_, y := at(point{s.points[0].x, value})
		fmt.Fprintf(&b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			plotLeft, y, plotWidth-plotRight, y, plotLeft-6, y+4, short(value))
	}
	var line []string
	for _, p := range s.points {
		x, y := at(p)
		line = append(line, fmt.Sprintf("%.1f,%.1f", x, y))
		fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="#06c"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x, y, x, plotHeight-plotBottom+16, short(p.x))
	}
	fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="#06c" stroke-width="1.5"/>`+"\n", strings.Join(line, " "))
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", (plotLeft+plotWidth)/2, plotHeight-10, s.x)
	fmt.Fprintf(&b, `<text x="14" y="%d" text-anchor="middle" transform="rotate(-90 14 %d)">%s</text>`+"\n</svg>\n", plotHeight/2, plotHeight/2, s.y)
	return b.String()
}

func (s series) scale(x float64) float64 {
	if s.logX {
		return math.Log(x)
	}
	return x
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
