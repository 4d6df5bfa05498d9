package plugin_test

import (
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin"
)

// nobody is told of nothing.
type nobody struct{}

func (nobody) Send(*grapnel.Webhook, grapnel.Event) {}
func (nobody) Close()                               {}

// called records who is called for what.
type called struct {
	hooks    []*grapnel.Webhook
	messages []string
	closed   bool
}

func (c *called) Send(h *grapnel.Webhook, e grapnel.Event) {
	c.hooks, c.messages = append(c.hooks, h), append(c.messages, e.Message)
}
func (c *called) Close() { c.closed = true }

// A handler with a webhook is told through it, beside the others; who closes
// the queue closes the webhooks.
func TestEventsToWebhooks(t *testing.T) {
	first, second := &grapnel.Webhook{Method: "POST"}, &grapnel.Webhook{Method: "PUT"}
	c := &called{}
	q := plugin.NewEventQueue(slog.New(slog.DiscardHandler), c)
	x := exchange(t)
	x.API = &grapnel.API{Events: map[grapnel.EventType][]grapnel.EventHandler{
		grapnel.EventRateExceeded: {{Webhook: first}, {Name: "log"}, {Webhook: second}},
	}}
	events := q.For((&fake{}).lookup)
	events.Fire(x, grapnel.EventRateExceeded, "Key Rate Limit Exceeded")
	events.Fire(x, grapnel.EventAuthFailure, "Auth Failure")
	q.Close()
	if len(c.hooks) != 2 || c.hooks[0] != first || c.hooks[1] != second || !c.closed {
		t.Errorf("called %v, closed %v", c.hooks, c.closed)
	}
	if diff := cmp.Diff([]string{"Key Rate Limit Exceeded", "Key Rate Limit Exceeded"}, c.messages); diff != "" {
		t.Error(diff)
	}
}
