package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin"
)

// busy is the failure of a call that was not made.
type busy struct{ error }

func (busy) RetryAfter() time.Duration { return 1500 * time.Millisecond }

// servers are several fakes by name.
type servers map[string]*fake

func (s servers) lookup(name string) (grapnel.Plugin, bool) { p, ok := s[name]; return p, ok }

func answers(err error, session *grapnel.Session) *fake {
	return &fake{
		request: func(_ context.Context, x *grapnel.Exchange) (*http.Response, error) {
			if err == nil && session != nil {
				x.Session = session.Clone()
			}
			return nil, err
		},
		response: func(context.Context, *http.Response) error { return err },
	}
}

func step(kind grapnel.StepKind) grapnel.Step { return grapnel.Step{Kind: kind} }

// outcomes are what the exchange's calls came to, as "server outcome".
func outcomes(x *grapnel.Exchange) (all []string) {
	for _, c := range x.Calls {
		all = append(all, c.Plugin+" "+string(c.Outcome))
	}
	return all
}

// A ladder is climbed only when there is no answer, step by step, and each call
// is recorded with what came of it.
func TestLadder(t *testing.T) {
	down, refusal := errors.New("down"), &grapnel.Error{Status: 401, Code: grapnel.CodePluginRefused, Message: "no"}
	backup := grapnel.Step{Kind: grapnel.StepPlugin, Plugin: "backup"}
	third := grapnel.Step{Kind: grapnel.StepPlugin, Plugin: "third"}
	for _, c := range []struct {
		name          string
		steps         []grapnel.Step
		first, second error
		status        int // 200: the exchange went on
		retry         string
		calls         []string
	}{
		{"no ladder", nil, down, nil, 500, "", []string{"p failed"}},
		{"deny", []grapnel.Step{step(grapnel.StepDeny)}, down, nil, 500, "", []string{"p failed"}},
		{"deny 502", []grapnel.Step{{Kind: grapnel.StepDeny, Status: 502}}, down, nil, 502, "", []string{"p failed"}},
		{"deny 503", []grapnel.Step{{Kind: grapnel.StepDeny, Status: 503}}, down, nil, 503, "1", []string{"p failed"}},
		{"ignore", []grapnel.Step{step(grapnel.StepIgnore)}, down, nil, 200, "", []string{"p ignored"}},
		{"ignore a refusal", []grapnel.Step{step(grapnel.StepIgnore)}, refusal, nil, 401, "", []string{"p answered"}},
		{"backup", []grapnel.Step{backup}, down, nil, 200, "", []string{"p backup", "backup passed"}},
		{"no need of a backup", []grapnel.Step{backup}, nil, down, 200, "", []string{"p passed"}},
		{"backup refuses", []grapnel.Step{backup, step(grapnel.StepIgnore)}, down, refusal, 401, "", []string{"p backup", "backup answered"}},
		{"both down", []grapnel.Step{backup, {Kind: grapnel.StepDeny, Status: 504}}, down, down, 504, "", []string{"p failed", "backup failed"}},
		{"both ignored", []grapnel.Step{backup, step(grapnel.StepIgnore)}, down, down, 200, "", []string{"p ignored", "backup ignored"}},
		{"third", []grapnel.Step{step(grapnel.StepRetry), backup, step(grapnel.StepRetry), third}, down, down, 200, "", []string{"p backup", "backup backup", "third passed"}},
		{"busy", nil, busy{down}, nil, 503, "2", []string{"p failed"}},
		{"busy, with a status", []grapnel.Step{{Kind: grapnel.StepDeny, Status: 500}}, busy{down}, nil, 500, "", []string{"p failed"}},
	} {
		for _, stage := range []grapnel.Stage{grapnel.Pre, grapnel.Response} {
			t.Run(fmt.Sprint(c.name, "/", stage), func(t *testing.T) {
				b := plugin.Binder{Servers: servers{"p": answers(c.first, nil), "backup": answers(c.second, nil), "third": answers(nil, nil)}.lookup, Events: &fired{}}
				h := hooks(stage, "h")
				h[0].OnError = c.steps
				x := exchange(t)
				resp, err := through(t, b, x, h)
				if c.status == 200 {
					if err != nil || resp.StatusCode != 200 {
						t.Errorf("%v, %v", resp, err)
					}
				} else if e := grapnel.AsError(err); e.Status != c.status || e.Header.Get("Retry-After") != c.retry {
					t.Errorf("%+v", e)
				}
				if diff := cmp.Diff(c.calls, outcomes(x)); diff != "" {
					t.Error(diff)
				}
				for _, call := range x.Calls {
					if call.Failed != (call.Outcome != grapnel.OutcomePassed && call.Outcome != grapnel.OutcomeAnswered) {
						t.Errorf("%+v", call)
					}
				}
			})
		}
	}
}

// through takes the exchange through the hooks, and to an upstream that says 200.
func through(t *testing.T, b plugin.Binder, x *grapnel.Exchange, h []grapnel.Hook) (*http.Response, error) {
	t.Helper()
	make := b.Requests
	if h[0].Stage == grapnel.Response {
		make = b.Responses
	}
	m, err := make(x.API, h)
	if err != nil {
		t.Fatal(err)
	}
	return m(pass)(x)
}

// The retries that follow a server are handed to its binding, which is where they
// are carried out.
func TestRetriesGoBelow(t *testing.T) {
	got := map[string]int{}
	lookup := func(name string) (grapnel.Plugin, bool) {
		return bindOnly{func(h grapnel.Hook) {
			got[h.Plugin] = len(h.OnError)
			if slices.ContainsFunc(h.OnError, func(s grapnel.Step) bool { return s.Kind != grapnel.StepRetry }) {
				t.Errorf("%s got %v", h.Plugin, h.OnError)
			}
		}}, true
	}
	h := hooks(grapnel.Pre, "h")
	h[0].OnError = []grapnel.Step{step(grapnel.StepRetry), step(grapnel.StepRetry), {Kind: grapnel.StepPlugin, Plugin: "b"}, step(grapnel.StepRetry), step(grapnel.StepDeny)}
	if _, err := (plugin.Binder{Servers: lookup}).Requests(&grapnel.API{}, h); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"p": 2, "b": 1}, got); diff != "" {
		t.Error(diff)
	}
}

type bindOnly struct{ bind func(grapnel.Hook) }

func (b bindOnly) Bind(_ *grapnel.API, h grapnel.Hook) (grapnel.Binding, error) {
	b.bind(h)
	return nil, nil
}
func (bindOnly) Notify(context.Context, string, grapnel.Event) error { return nil }
func (bindOnly) State() grapnel.PluginState                          { return grapnel.PluginState{} }
func (bindOnly) Close() error                                        { return nil }

// An auth hook fails open only by the key that says so, and then nobody is let in
// as somebody.
func TestFailOpen(t *testing.T) {
	b := plugin.Binder{Servers: servers{"p": answers(errors.New("down"), nil)}.lookup, Events: &fired{}}
	h := grapnel.Hook{Plugin: "p", Name: "h", Stage: grapnel.Auth, Failure: grapnel.Failure{OnError: []grapnel.Step{step(grapnel.StepIgnore)}}}
	if _, err := b.Authenticator(&grapnel.API{ID: "a"}, h, nobodyKnown); err == nil || !strings.Contains(err.Error(), "let everyone in") {
		t.Errorf("without the key: %v", err)
	}
	h.FailOpen = true
	a, err := b.Authenticator(&grapnel.API{ID: "a"}, h, nobodyKnown)
	if err != nil {
		t.Fatal(err)
	}
	x := exchange(t)
	x.API.OrgID = "org"
	resp, err := a.Authenticate(x)
	if resp != nil || err != nil {
		t.Fatalf("%v, %v", resp, err)
	}
	if diff := cmp.Diff(&grapnel.Session{OrgID: "org"}, x.Session); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"p ignored"}, outcomes(x)); diff != "" {
		t.Error(diff)
	}
}

// A hook that is ignored leaves the caller whom a method before it found; a plugin
// that answers takes its place.
func TestFailOpenKeepsCaller(t *testing.T) {
	before, own := &grapnel.Session{KeyID: "before"}, &grapnel.Session{KeyID: "own"}
	h := grapnel.Hook{Plugin: "p", Name: "h", Stage: grapnel.Auth, Failure: grapnel.Failure{OnError: []grapnel.Step{step(grapnel.StepIgnore)}, FailOpen: true}}
	for want, f := range map[string]*fake{"before": answers(errors.New("down"), nil), "own": answers(nil, own)} {
		a, err := (plugin.Binder{Servers: servers{"p": f}.lookup, Events: &fired{}}).Authenticator(&grapnel.API{ID: "a"}, h, nobodyKnown)
		if err != nil {
			t.Fatal(err)
		}
		x := exchange(t)
		x.Session = before
		if resp, err := a.Authenticate(x); resp != nil || err != nil || x.Session.KeyID != want {
			t.Errorf("%v, %v, %+v; want %s", resp, err, x.Session, want)
		}
		if want == "before" && x.Session != before {
			t.Error("the session is a copy: who stores sessions would take it for a new one")
		}
	}
}

// What a condition leaves out costs no call, and leaves the body where it is.
func TestConditions(t *testing.T) {
	asked := 0
	f := &fake{
		request:  func(context.Context, *grapnel.Exchange) (*http.Response, error) { asked++; return nil, nil },
		response: func(context.Context, *http.Response) error { asked++; return nil },
	}
	for _, stage := range []grapnel.Stage{grapnel.Pre, grapnel.Response} {
		for when, want := range map[string]int{`request.method == "GET"`: 1, `request.method == "POST"`: 0} {
			h := hooks(stage, "h")
			h[0].When = when
			x, before := exchange(t), asked
			if _, err := through(t, binder(f, &fired{}), x, h); err != nil {
				t.Fatal(err)
			}
			if asked-before != want || len(x.Calls) != want {
				t.Errorf("%s, %s: asked %d times, calls %v", stage, when, asked-before, x.Calls)
			}
		}
	}
	h := hooks(grapnel.Response, "h")
	h[0].Methods = []string{"PUT"}
	x := exchange(t)
	x.Request.Body = unreadable{t}
	if _, err := through(t, binder(f, &fired{}), x, h); err != nil {
		t.Fatal(err)
	}
	h = hooks(grapnel.Pre, "h")
	h[0].When = "no such thing"
	if _, err := binder(f, &fired{}).Requests(x.API, h); err == nil || !strings.Contains(err.Error(), `api "a", pre hook "h": when: column `) {
		t.Errorf("got %v", err)
	}
}

// unreadable is a body that must not be read.
type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("a body was read for a hook that is not called")
	return 0, errors.New("read")
}
func (unreadable) Close() error { return nil }
