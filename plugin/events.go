package plugin

import (
	"context"
	"log/slog"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// Webhooks tell HTTP endpoints of events. Send never blocks and never fails.
type Webhooks interface {
	Send(*grapnel.Webhook, grapnel.Event)
	Close()
}

// An EventQueue carries events to those who want to hear of them. It is bounded
// and never delays a request: an event that finds it full is counted and
// dropped [E-6, L-50].
type EventQueue struct {
	log     *slog.Logger
	hooks   Webhooks
	queue   chan delivery
	dropped atomic.Uint64
	failed  atomic.Uint64
	done    sync.WaitGroup
	cancel  context.CancelFunc
}

type delivery struct {
	plugin  grapnel.Plugin
	handler string
	event   grapnel.Event
}

// The bounds of the queue: how many events may wait, how many are delivered at
// once, and how long a plugin may take over one.
const (
	eventsWaiting  = 1024
	eventsAtOnce   = 4
	eventsDeadline = 5 * time.Second
)

// NewEventQueue starts the delivery of events. The webhooks are the queue's to
// close.
func NewEventQueue(log *slog.Logger, hooks Webhooks) *EventQueue {
	ctx, cancel := context.WithCancel(context.Background())
	q := &EventQueue{log: log, hooks: hooks, queue: make(chan delivery, eventsWaiting), cancel: cancel}
	for range eventsAtOnce {
		q.done.Go(func() { q.deliver(ctx) })
	}
	return q
}

// For is the queue as one configuration sees it: events go to its servers.
func (q *EventQueue) For(servers Lookup) grapnel.Events { return events{q, servers} }

// Counts tells how many events were dropped because the queue was full, and how
// many deliveries failed.
func (q *EventQueue) Counts() (dropped, failed uint64) {
	return q.dropped.Load(), q.failed.Load()
}

// Close ends the delivery: deliveries under way are given up, and events that
// still wait are dropped.
func (q *EventQueue) Close() {
	q.cancel()
	q.done.Wait()
	q.hooks.Close()
}

func (q *EventQueue) deliver(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-q.queue:
			call, cancel := context.WithTimeout(ctx, eventsDeadline)
			if err := d.plugin.Notify(call, d.handler, d.event); err != nil {
				q.failed.Add(1)
				q.log.Warn("event not delivered", "api", d.event.API.ID, "event", d.event.Type, "handler", d.handler, "error", err)
			}
			cancel()
		}
	}
}

type events struct {
	queue   *EventQueue
	servers Lookup
}

// Fire tells the handlers that the exchange's API configured for the event.
func (e events) Fire(x *grapnel.Exchange, t grapnel.EventType, message string) {
	if len(x.API.Events[t]) == 0 {
		return
	}
	event := grapnel.Event{
		Type: t, API: x.API, Time: time.Now(), Message: message,
		Path: x.Request.URL.Path, Origin: x.Client.String(), Key: x.Request.Header.Get(x.API.Credential.Header),
	}
	if t == grapnel.EventVersionFailure { // what was told is why [E-4, E-7]
		event.Message, event.Reason = "Attempted access to disallowed version / path.", message
	}
	// A dump that fails leaves the event without the request's text, which
	// is how the original sends it too [E-4].
	event.Request, _ = httputil.DumpRequest(x.Request, false)
	e.queue.tell(e.servers, x.Log.With("request_id", x.ID), event)
}

// Tell tells the handlers that an API has for an event of no exchange, as a
// key that was created. The event says which API.
func (q *EventQueue) Tell(servers Lookup, event grapnel.Event) { q.tell(servers, q.log, event) }

func (q *EventQueue) tell(servers Lookup, log *slog.Logger, event grapnel.Event) {
	for _, h := range event.API.Events[event.Type] {
		if h.Webhook != nil {
			q.hooks.Send(h.Webhook, event)
			continue
		}
		if h.Plugin == "" {
			log.Info(h.Name, "event", event.Type, "message", event.Message, "path", event.Path, "client", event.Origin)
			continue
		}
		server, ok := servers(h.Plugin)
		if !ok {
			continue // the configuration was checked; there is no such server left to tell
		}
		select {
		case q.queue <- delivery{server, h.Name, event}:
		default:
			q.dropped.Add(1)
		}
	}
}
