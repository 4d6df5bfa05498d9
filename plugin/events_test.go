package plugin_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin"
)

// Events reach the handlers that the API configured, with what they are told
// [E-1, E-4, E-7].
func TestEventsDelivered(t *testing.T) {
	got := make(chan grapnel.Event, 1)
	f := &fake{notify: func(_ context.Context, handler string, e grapnel.Event) error {
		if handler != "OnFailure" {
			t.Errorf("handler %q", handler)
		}
		got <- e
		return nil
	}}
	q := plugin.NewEventQueue(slog.New(slog.DiscardHandler), nobody{})
	defer q.Close()
	x := exchange(t)
	x.Request.Header.Set("Authorization", "the-key")
	x.API = &grapnel.API{ID: "a", Credential: grapnel.Credential{Header: "Authorization"}, Events: map[grapnel.EventType][]grapnel.EventHandler{
		grapnel.EventAuthFailure: {{Plugin: "p", Name: "OnFailure"}, {Plugin: "gone", Name: "x"}, {Name: "to the log"}},
	}}
	events := q.For(f.lookup)
	events.Fire(x, grapnel.EventVersionFailure, "nobody listens")
	events.Fire(x, grapnel.EventAuthFailure, "Auth Failure")
	e := <-got
	if e.Type != grapnel.EventAuthFailure || e.Message != "Auth Failure" || e.Path != "/a/x" || e.Key != "the-key" || e.API != x.API {
		t.Errorf("%+v", e)
	}
	if !strings.HasPrefix(string(e.Request), "GET /a/x HTTP/1.1\r\n") {
		t.Errorf("request %q", e.Request)
	}
}

// A plugin that does not answer delays nobody: what finds the queue full is
// dropped and counted [E-6, L-50].
func TestEventsNeverDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{notify: func(ctx context.Context, _ string, _ grapnel.Event) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		q := plugin.NewEventQueue(slog.New(slog.DiscardHandler), nobody{})
		x := exchange(t)
		x.API = &grapnel.API{Events: map[grapnel.EventType][]grapnel.EventHandler{grapnel.EventAuthFailure: {{Plugin: "p", Name: "h"}}}}
		events := q.For(f.lookup)
		const fired = 2000
		for range fired {
			events.Fire(x, grapnel.EventAuthFailure, "Auth Failure")
		}
		synctest.Wait()
		dropped, _ := q.Counts()
		if dropped < fired-1024-4 || dropped >= fired {
			t.Errorf("%d of %d dropped", dropped, fired)
		}
		q.Close()
		if _, failed := q.Counts(); failed < 4 {
			t.Errorf("%d failed", failed)
		}
	})
}

// A handler that fails is logged and does not stop the next.
func TestEventsFailureIsLogged(t *testing.T) {
	log := &strings.Builder{}
	calls := make(chan struct{}, 2)
	f := &fake{notify: func(context.Context, string, grapnel.Event) error {
		calls <- struct{}{}
		return errors.New("refused to listen")
	}}
	q := plugin.NewEventQueue(slog.New(slog.NewTextHandler(log, nil)), nobody{})
	x := exchange(t)
	x.API = &grapnel.API{ID: "a", Events: map[grapnel.EventType][]grapnel.EventHandler{grapnel.EventAuthFailure: {{Plugin: "p", Name: "h"}}}}
	for range 2 {
		q.For(f.lookup).Fire(x, grapnel.EventAuthFailure, "Auth Failure")
		<-calls
	}
	q.Close()
	if !strings.Contains(log.String(), "refused to listen") {
		t.Errorf("log %q", log)
	}
}
