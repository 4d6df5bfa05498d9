// Package fleet carries calls to a plugin server that is many: its replicas, found
// by name or listed, each over as many connections as the load needs.
//
// A [Fleet] is an [rpc.Conn] over others. It chooses the endpoint of each call
// (balance.go) of those that are fit for it (standing.go, health.go), and asks
// another one where that can do no harm (retry.go). Before, it has the call wait
// for its turn or refuses it (gate.go, pace.go, breaker.go). Choosing takes no
// lock: who can be asked stands in a roster that never changes and is replaced as
// a whole whenever something is learnt of an endpoint.
package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/pki"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// A Fleet is the connection to all replicas of one plugin server. It implements
// [rpc.Conn] and is shared by all hooks that ask the server.
type Fleet struct {
	members
	server   grapnel.PluginServer
	dial     Dial
	places   places
	tls      *material          // nil is in clear
	token    *pki.Files[string] // nil is none
	balancer balancer
	gate     *gate
	breaker  *breaker
	budget   *budget

	known chan struct{} // closed when the first look-up is over
	end   context.CancelFunc
	tasks sync.WaitGroup
}

// errClosed is the failure of calls after Close.
var errClosed = errors.New("the connection to the plugin server is closed")

// New makes the fleet of a server's targets; dial makes its connections. It fails
// where the configuration is wrong, or a file that it names cannot be used. That
// nobody answers, or no name is known, is no error.
func New(s grapnel.PluginServer, dial Dial, log *slog.Logger) (*Fleet, error) {
	targets, err := s.Addresses()
	if err != nil {
		return nil, err
	}
	f := &Fleet{
		members: members{
			health: s.Health, slow: time.Duration(s.Balance.SlowStart), log: log.With("plugin", s.Name),
			wake: make(chan struct{}, 1), stale: make(chan struct{}, 1),
		},
		server: s, dial: dial,
		places:   places{targets: targets},
		balancer: newBalancer(s.Balance.Method),
		gate:     newGate(s.Limits), budget: newBudget(s.RetryBudget),
		known: make(chan struct{}),
	}
	f.breaker = newBreaker(s.Breaker, f.log)
	f.roster.Store(&roster{})
	if f.tls, err = newMaterial(s.TLS, f.log); err != nil {
		return nil, err
	}
	if f.token, err = newToken(s.TokenFile, f.log); err != nil {
		return nil, err
	}
	f.ctx, f.end = context.WithCancel(context.Background())
	if f.places.fixed() {
		found, _ := f.places.find(f.ctx)
		if err := f.muster(found, time.Now()); err != nil {
			f.Close()
			return nil, err
		}
		close(f.known)
	} else {
		f.tasks.Go(f.follow)
	}
	f.tasks.Go(f.keep)
	return f, nil
}

// Invoke carries the call to one endpoint, or one after the other. Besides what a
// Conn fails with, it fails with an [rpc.Overloaded] where the limits or the
// breaker forbid the call.
func (f *Fleet) Invoke(ctx context.Context, call *rpc.Call) (mem.Buffer, error) {
	probe, err := f.breaker.allow()
	if err != nil {
		return nil, err
	}
	begun, err := f.gate.enter(ctx, f.ctx.Done())
	if err != nil {
		f.breaker.settle(probe, Nothing)
		return nil, err
	}
	defer f.gate.leave(begun)
	o := f.carry(ctx, call)
	f.breaker.settle(probe, o.says)
	return o.data, o.err
}

// refusal is the failure of a call that was not made.
func refusal(reason string, after time.Duration) error {
	return &rpc.NotSent{Err: &rpc.Overloaded{Reason: reason, After: after}}
}

// unsent makes the failure of a call that reached no connection.
func unsent(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &rpc.NotSent{Err: status.FromContextError(err).Err()}
	}
	return &rpc.NotSent{Err: status.Error(codes.Unavailable, err.Error())}
}

// State is the best that any endpoint has.
func (f *Fleet) State() rpc.State {
	best := rpc.Failing
	for i, e := range f.roster.Load().all {
		if s := e.state(); i == 0 || s > best {
			best = s
		}
	}
	return best
}

// Snapshot says how the server stands, endpoint by endpoint.
func (f *Fleet) Snapshot() grapnel.PluginState {
	s := grapnel.PluginState{State: f.State().String(), Queued: f.gate.waiting(), Breaker: f.breaker.state()}
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.roster.Load().all {
		r := e.report(now)
		s.InFlight += r.InFlight
		s.Endpoints = append(s.Endpoints, r)
	}
	return s
}

// Close ends all connections. Calls under way fail, but for those to endpoints
// that are not the server's any more, which end by themselves.
func (f *Fleet) Close() error {
	f.end()
	f.mu.Lock()
	all := f.roster.Swap(&roster{}).all
	f.mu.Unlock()
	for _, e := range all {
		e.close()
	}
	f.tasks.Wait()
	return nil
}

// muster makes the fleet one of these places: new ones join, those that are not
// there any more leave when their calls are over.
func (f *Fleet) muster(found []place, now time.Time) (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil {
		return errClosed
	}
	before := map[place]*endpoint{}
	for _, e := range f.roster.Load().all {
		before[e.place] = e
	}
	var all []*endpoint
	for _, p := range found {
		e := before[p]
		if delete(before, p); e == nil {
			joined, failed := f.join(p)
			if failed != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", p.target, failed))
				continue
			}
			if e = joined; len(f.roster.Load().all) > 0 {
				e.ramp(now, f.slow)
			}
		}
		all = append(all, e)
	}
	f.publish(all, now)
	poke(f.wake)
	for _, e := range before {
		e.retire()
	}
	return err
}

// join makes an endpoint and has it watched.
func (f *Fleet) join(p place) (*endpoint, error) {
	o := rpc.Options{
		Target: p.target, Authority: cmp.Or(f.server.Authority, p.authority),
		MaxReceive: int(f.server.MaxReceive), MaxSend: int(f.server.MaxSend),
	}
	if f.tls != nil {
		o.TLS = f.tls.config(p.host)
	}
	e := &endpoint{
		place: p, seed: seedOf(p.target),
		dial: func() (rpc.Conn, error) { return f.dial(o) },
		most: max(f.server.Balance.Connections, 1), check: make(chan struct{}, 1),
	}
	conn, err := e.dial()
	if err != nil {
		return nil, err
	}
	e.lines.Store(&[]*line{{conn: conn}})
	var ctx context.Context
	ctx, e.stop = context.WithCancel(f.ctx)
	if f.health.Interval > 0 {
		f.tasks.Go(func() { f.watch(ctx, e) })
	}
	return e, nil
}
