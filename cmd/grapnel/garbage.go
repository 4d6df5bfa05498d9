package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// headroom is how many bytes of garbage may gather before a collection, however
// small the live heap is. A gateway lives on little memory and makes garbage with
// every request: with Go's own rule, which collects when the heap has doubled, a
// few MiB live would mean hundreds of collections a second.
const headroom = 64 << 20

// collectLess has garbage collected when it fills the headroom or, as Go has it,
// as much as is live. It adjusts after every collection until the context ends. An
// operator's GOGC or GOMEMLIMIT is left alone.
func collectLess(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(percent(4 << 20)) // until the first collection tells
	afterCollection(ctx, func() {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		debug.SetGCPercent(percent(live[0].Value.Uint64()))
	})
}

// percent is the growth, in percent of what is live, that is the headroom or 100.
func percent(live uint64) int { return int(max(100, headroom*100/max(live, 1<<20))) }

// afterCollection calls f after each garbage collection, until the context ends:
// an object that nobody holds is cleaned up by each.
func afterCollection(ctx context.Context, f func()) {
	if ctx.Err() != nil {
		return
	}
	runtime.AddCleanup(new([2]*byte), func(struct{}) {
		f()
		afterCollection(ctx, f)
	}, struct{}{})
}
