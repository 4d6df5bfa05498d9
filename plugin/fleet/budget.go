package fleet

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// Every server may be asked again a few times a second, however few calls there
// are; and no more than so many at once are saved up.
const (
	retriesPerSecond = 3
	retriesSaved     = 100
)

// A budget keeps retries a share of the calls, so that a server that fails under
// load does not get more of it for that.
type budget struct {
	share float64 // retries for each call
	calls atomic.Uint64

	mu      sync.Mutex
	saved   float64
	counted uint64    // calls that the savings hold already
	at      time.Time // until when they do
}

func newBudget(p grapnel.Percent) *budget {
	return &budget{share: float64(p) / 100, at: time.Now(), saved: retriesPerSecond}
}

// take asks for one retry.
func (b *budget) take(now time.Time) bool {
	if b.share == 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	calls := b.calls.Load()
	b.saved += b.share*float64(calls-b.counted) + retriesPerSecond*now.Sub(b.at).Seconds()
	b.saved = min(b.saved, retriesSaved)
	b.counted, b.at = calls, now
	if b.saved < 1 {
		return false
	}
	b.saved--
	return true
}
