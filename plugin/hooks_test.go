package plugin_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin"
)

func binder(f *fake, events grapnel.Events) plugin.Binder {
	return plugin.Binder{Servers: f.lookup, Events: events, Decisions: plugin.NewDecisions()}
}

// nobodyKnown finds no credential in any request.
func nobodyKnown(*grapnel.Exchange) string { return "" }

func hooks(stage grapnel.Stage, names ...string) []grapnel.Hook {
	var out []grapnel.Hook
	for _, n := range names {
		out = append(out, grapnel.Hook{Plugin: "p", Name: n, Stage: stage})
	}
	return out
}

// Hooks run in order, and the first answer ends the exchange [M-11, M-14].
func TestRequestsInOrder(t *testing.T) {
	f := &fake{request: func(_ context.Context, x *grapnel.Exchange) (*http.Response, error) {
		if x.Request.Header["X-Asked"][len(x.Request.Header["X-Asked"])-1] == "second" {
			return grapnel.Reply(http.StatusTeapot, nil, nil), nil
		}
		return nil, nil
	}}
	m, err := binder(f, &fired{}).Requests(&grapnel.API{}, hooks(grapnel.Pre, "first", "second", "third"))
	if err != nil {
		t.Fatal(err)
	}
	x := exchange(t)
	resp, err := m(func(*grapnel.Exchange) (*http.Response, error) { t.Error("went on"); return nil, nil })(x)
	if err != nil || resp.StatusCode != http.StatusTeapot {
		t.Fatalf("%v, %v", resp, err)
	}
	if got := x.Request.Header["X-Asked"]; !slices.Equal(got, []string{"first", "second"}) {
		t.Errorf("asked %q", got)
	}
	if len(x.Calls) != 2 || x.Calls[1].Hook != "second" || x.Calls[1].Plugin != "p" || x.Calls[1].Stage != grapnel.Pre || x.Calls[1].Failed {
		t.Errorf("calls %+v", x.Calls)
	}
}

// What failure of a plugin means at each stage [A-21, A-30, A-31, A-41, E-8].
func TestFailures(t *testing.T) {
	refusal := &grapnel.Error{Status: 401, Code: grapnel.CodePluginRefused, Message: "no"}
	tooLarge := &grapnel.Error{Status: 413, Code: grapnel.CodeBodyTooLarge, Message: "too large"}
	for _, c := range []struct {
		name    string
		stage   grapnel.Stage
		err     error
		status  int
		message string
		failed  bool
		events  []grapnel.EventType
	}{
		{"down, pre", grapnel.Pre, errors.New("down"), 500, "Middleware error", true, nil},
		{"down, post_key_auth", grapnel.PostKeyAuth, errors.New("down"), 500, "Middleware error", true, nil},
		{"down, post", grapnel.Post, errors.New("down"), 500, "Middleware error", true, nil},
		{"down, auth", grapnel.Auth, errors.New("down"), 403, "Key not authorised", true, nil},
		{"down, response", grapnel.Response, errors.New("down"), 500, "Middleware error", true, nil},
		{"refuses, pre", grapnel.Pre, refusal, 401, "no", false, []grapnel.EventType{grapnel.EventAuthFailure}},
		{"refuses, auth", grapnel.Auth, refusal, 401, "no", false, []grapnel.EventType{grapnel.EventAuthFailure}},
		{"another's fault", grapnel.Pre, tooLarge, 413, "too large", false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fake{
				request:  func(context.Context, *grapnel.Exchange) (*http.Response, error) { return nil, c.err },
				response: func(context.Context, *http.Response) error { return c.err },
			}
			events, x := &fired{}, exchange(t)
			err := ask(t, f, c.stage, events, x)
			e, ok := errors.AsType[*grapnel.Error](err)
			if !ok || e.Status != c.status || e.Message != c.message {
				t.Errorf("got %v", err)
			}
			if len(x.Calls) != 1 || x.Calls[0].Failed != c.failed {
				t.Errorf("calls %+v", x.Calls)
			}
			if !slices.Equal(events.events, c.events) {
				t.Errorf("fired %v", events.events)
			}
		})
	}
}

// ask takes the exchange through one hook of the stage.
func ask(t *testing.T, f *fake, stage grapnel.Stage, events grapnel.Events, x *grapnel.Exchange) error {
	t.Helper()
	var (
		m   grapnel.Middleware
		err error
	)
	switch stage {
	case grapnel.Auth:
		a, err := binder(f, events).Authenticator(x.API, hooks(stage, "h")[0], nobodyKnown)
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.Authenticate(x)
		return err
	case grapnel.Response:
		m, err = binder(f, events).Responses(x.API, hooks(stage, "h"))
	default:
		m, err = binder(f, events).Requests(x.API, hooks(stage, "h"))
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = m(pass)(x)
	return err
}

// A plugin that passes a request without saying who calls has proved nothing.
func TestAuthenticatorNeedsSession(t *testing.T) {
	f := &fake{request: func(context.Context, *grapnel.Exchange) (*http.Response, error) { return nil, nil }}
	x := exchange(t)
	x.Session = &grapnel.Session{KeyID: "of an earlier method"}
	err := ask(t, f, grapnel.Auth, &fired{}, x)
	if e, ok := errors.AsType[*grapnel.Error](err); !ok || e.Status != 403 {
		t.Errorf("got %v", err)
	}
}

// The client that leaves is nobody's failure.
func TestClientGone(t *testing.T) {
	x := exchange(t)
	ctx, leave := context.WithCancel(t.Context())
	x.Request = x.Request.WithContext(ctx)
	f := &fake{request: func(ctx context.Context, _ *grapnel.Exchange) (*http.Response, error) {
		leave()
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	err := ask(t, f, grapnel.Auth, &fired{}, x)
	if e, ok := errors.AsType[*grapnel.Error](err); !ok || e.Status != grapnel.StatusClientGone {
		t.Errorf("got %v", err)
	}
}

// The hook's timeout bounds the call; 0 is none.
func TestDeadline(t *testing.T) {
	for timeout, bounded := range map[grapnel.Duration]bool{0: false, grapnel.Duration(time.Hour): true} {
		f := &fake{request: func(ctx context.Context, _ *grapnel.Exchange) (*http.Response, error) {
			if at, ok := ctx.Deadline(); ok != bounded || ok && time.Until(at) > time.Hour {
				t.Errorf("timeout %v: deadline %v %v", timeout, at, ok)
			}
			return nil, nil
		}}
		h := hooks(grapnel.Pre, "h")
		h[0].Timeout = timeout
		m, err := binder(f, &fired{}).Requests(&grapnel.API{}, h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m(pass)(exchange(t)); err != nil {
			t.Error(err)
		}
	}
}

func TestUnknownServer(t *testing.T) {
	h := []grapnel.Hook{{Plugin: "q", Name: "h", Stage: grapnel.Pre}}
	if _, err := binder(&fake{}, &fired{}).Requests(&grapnel.API{ID: "a"}, h); err == nil || err.Error() != `api "a", pre hook "h": no plugin "q"` {
		t.Errorf("got %v", err)
	}
	if m, err := binder(&fake{}, &fired{}).Requests(&grapnel.API{}, nil); m != nil || err != nil {
		t.Error("no hooks cost something")
	}
}
