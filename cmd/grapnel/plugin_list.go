package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/admin"
)

type pluginList struct{ control }

// Run prints the plugin servers of a running gateway, each with its endpoints
// below it. The calls and times of a server are those of its hooks, the calls of
// an endpoint those that were sent to it.
func (c pluginList) Run(p *program) error {
	all, err := c.client(p).Plugins(p.ctx)
	if err != nil {
		return err
	}
	table := [][]string{{"PLUGIN", "ENDPOINT", "STATE", "HEALTH", "IN FLIGHT", "CALLS", "FAILED", "P50", "P99"}}
	for _, s := range all {
		table = append(table, pluginRow(s))
		for _, r := range s.Replicas {
			table = append(table, replicaRow(r))
		}
	}
	return c.answer(p, all, table...)
}

func pluginRow(s admin.PluginStatus) []string {
	var notes []string
	if s.Breaker != "" && s.Breaker != "closed" {
		notes = append(notes, "breaker "+strings.ReplaceAll(s.Breaker, "_", " "))
	}
	if s.Restarts > 0 {
		notes = append(notes, fmt.Sprintf("%d restarts", s.Restarts))
	}
	inFlight := strconv.Itoa(s.InFlight)
	if s.Queued > 0 {
		inFlight = fmt.Sprintf("%d, %d wait", s.InFlight, s.Queued)
	}
	return append([]string{s.Name, choice(s), s.State, strings.Join(notes, ", "), inFlight},
		figureCells(s.Figures.Calls, s.Figures.Failed, s.Figures)...)
}

// choice is what a server is a choice of.
func choice(s admin.PluginStatus) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(s.Versions)) {
		out = append(out, fmt.Sprintf("%s %d", name, s.Versions[name]))
	}
	if s.Shadow != nil {
		out = append(out, fmt.Sprintf("shadow %s (%d of %d differ)", s.Shadow.Plugin, s.Shadow.Differences, s.Shadow.Calls))
	}
	return strings.Join(out, ", ")
}

func replicaRow(r admin.ReplicaStatus) []string {
	health := "unhealthy"
	switch {
	case r.Ejected:
		health = "ejected"
	case r.Healthy:
		health = "healthy"
	}
	return append([]string{"", r.Address, r.State, health, strconv.Itoa(r.InFlight)}, figureCells(r.Calls, r.Failures, r.Figures)...)
}

// figureCells are numbers of calls, and milliseconds where there were any.
func figureCells(calls, failed uint64, f grapnel.Figures) []string {
	p50, p99 := "-", "-"
	if f.Calls > 0 {
		p50, p99 = inMilliseconds(f.P50), inMilliseconds(f.P99)
	}
	return []string{strconv.FormatUint(calls, 10), strconv.FormatUint(failed, 10), p50, p99}
}

// inMilliseconds tells about as much as a histogram knows: two digits.
func inMilliseconds(ms float64) string {
	if ms >= 10 {
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.2g ms", ms)
}
