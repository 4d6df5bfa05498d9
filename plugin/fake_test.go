package plugin_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/grapnel-gateway/grapnel"
)

// A fake is a plugin server that does what the test says: the stages around it
// are under test here, and some of what they must bear (a queue that is full, a
// binding that fails in a certain way) no real server can be made to show.
type fake struct {
	request  func(context.Context, *grapnel.Exchange) (*http.Response, error)
	response func(context.Context, *http.Response) error
	notify   func(context.Context, string, grapnel.Event) error

	mu     sync.Mutex
	closed int
}

func (f *fake) Bind(_ *grapnel.API, h grapnel.Hook) (grapnel.Binding, error) {
	return fakeBinding{f, h}, nil
}

func (f *fake) Notify(ctx context.Context, handler string, e grapnel.Event) error {
	return f.notify(ctx, handler, e)
}

func (f *fake) State() grapnel.PluginState { return grapnel.PluginState{State: "ready"} }

func (f *fake) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed++
	return nil
}

func (f *fake) timesClosed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}

type fakeBinding struct {
	*fake
	hook grapnel.Hook
}

func (b fakeBinding) Request(ctx context.Context, x *grapnel.Exchange) (*http.Response, error) {
	x.Request.Header.Add("X-Asked", b.hook.Name)
	return b.request(ctx, x)
}

func (b fakeBinding) Response(ctx context.Context, _ *grapnel.Exchange, r *http.Response) (*http.Response, error) {
	r.Header.Add("X-Asked", b.hook.Name)
	return nil, b.response(ctx, r)
}

// the lookup that knows one server, p.
func (f *fake) lookup(name string) (grapnel.Plugin, bool) { return f, name == "p" }

type fired struct{ events []grapnel.EventType }

func (f *fired) Fire(_ *grapnel.Exchange, t grapnel.EventType, _ string) {
	f.events = append(f.events, t)
}

func exchange(t testing.TB) *grapnel.Exchange {
	t.Helper()
	return &grapnel.Exchange{
		ID: "id", API: &grapnel.API{ID: "a"}, Log: slog.New(slog.DiscardHandler),
		Request: httptest.NewRequestWithContext(t.Context(), "GET", "/a/x", nil),
	}
}

func pass(*grapnel.Exchange) (*http.Response, error) { return grapnel.Reply(200, nil, nil), nil }
