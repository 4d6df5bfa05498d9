package fleet

import (
	"hash/fnv"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// A balancer chooses who gets a call, of at least one.
type balancer interface {
	pick(among []*endpoint, r ramp, key uint64) *endpoint
}

func newBalancer(method string) balancer {
	switch method {
	case "round_robin":
		return &roundRobin{}
	case "hash":
		return rendezvous{}
	case "first":
		return first{}
	}
	return leastRequest{}
}

// A ramp is the slow start of endpoints that are back: their share grows from a
// tenth to the whole. The zero ramp is none.
type ramp struct {
	now  int64 // Unix nanoseconds; 0 when nobody is being started
	span time.Duration
}

const leastShare = 0.1

// share is how much of its full load an endpoint gets.
func (r ramp) share(e *endpoint) float64 {
	if r.now == 0 {
		return 1
	}
	back := e.back.Load()
	if back == 0 {
		return 1
	}
	return min(max(float64(r.now-back)/float64(r.span), leastShare), 1)
}

// first takes the first that works, in the order of the configuration.
type first struct{}

func (first) pick(among []*endpoint, _ ramp, _ uint64) *endpoint { return among[0] }

// roundRobin takes one after the other. An endpoint that is being started is
// passed over as often as its share says.
type roundRobin struct{ turn atomic.Uint64 }

func (b *roundRobin) pick(among []*endpoint, r ramp, _ uint64) (e *endpoint) {
	for range among {
		e = among[b.turn.Add(1)%uint64(len(among))]
		if r.now == 0 || rand.Float64() < r.share(e) {
			break
		}
	}
	return e
}

// leastRequest takes, of two that chance chooses, the one with fewer calls under
// way. That is nearly as even as the least of all, without everybody running to
// the same one.
type leastRequest struct{}

func (leastRequest) pick(among []*endpoint, r ramp, _ uint64) *endpoint {
	n := len(among)
	if n == 1 {
		return among[0]
	}
	i := rand.IntN(n)
	j := rand.IntN(n - 1)
	if j >= i {
		j++
	}
	a, b := among[i], among[j]
	if r.now == 0 {
		if b.inFlight.Load() < a.inFlight.Load() {
			return b
		}
		return a
	}
	// When both have nothing to do, chance decides by their shares.
	costA := (float64(a.inFlight.Load()) + rand.Float64()) / r.share(a)
	costB := (float64(b.inFlight.Load()) + rand.Float64()) / r.share(b)
	if costB < costA {
		return b
	}
	return a
}

// rendezvous takes the endpoint whose hash with the key is highest. One that is
// lost gives its keys to all the others, and no key moves between those. A call
// without a key goes where there is least to do.
type rendezvous struct{}

func (rendezvous) pick(among []*endpoint, r ramp, key uint64) *endpoint {
	if key == 0 {
		return leastRequest{}.pick(among, r, 0)
	}
	var best, fallback *endpoint
	var high, fallbackHigh uint64
	for _, e := range among {
		h := mix(key ^ e.seed)
		if h >= fallbackHigh {
			fallback, fallbackHigh = e, h
		}
		// An endpoint that is being started gets its keys back one by one,
		// always in the same order.
		if h >= high && (r.now == 0 || float64(mix(h))/(1<<64) < r.share(e)) {
			best, high = e, h
		}
	}
	if best == nil {
		return fallback
	}
	return best
}

// mix scatters the bits of a number, as SplitMix64 does.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// seedOf is what an address is hashed by; the same in every gateway.
func seedOf(address string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(address))
	return mix(h.Sum64())
}
