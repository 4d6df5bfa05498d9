package limit_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/limit"
	"github.com/grapnel-gateway/grapnel/store"
)

type fired struct{ events []grapnel.EventType }

func (f *fired) Fire(_ *grapnel.Exchange, t grapnel.EventType, _ string) {
	f.events = append(f.events, t)
}

func counters(t testing.TB) grapnel.Counters {
	t.Helper()
	s := store.NewMemory()
	t.Cleanup(func() { s.Close() })
	return s
}

// caller is an exchange of a session on an API that knows its callers.
func caller(t testing.TB, s *grapnel.Session, target string) *grapnel.Exchange {
	t.Helper()
	return &grapnel.Exchange{
		API: protected(), Session: s, Prefix: "/a", Log: slog.New(slog.DiscardHandler),
		Request: httptest.NewRequestWithContext(t.Context(), "GET", target, nil),
	}
}

func protected() *grapnel.API {
	return &grapnel.API{ID: "a", OrgID: "o", Auth: []grapnel.AuthMethod{{}}}
}

func reply(x *grapnel.Exchange) (*http.Response, error) {
	return grapnel.Reply(200, http.Header{}, nil), nil
}

// statuses calls the handler once for each exchange.
func statuses(h grapnel.Handler, calls ...*grapnel.Exchange) string {
	var out []int
	for _, x := range calls {
		resp, err := h(x)
		if err != nil {
			out = append(out, grapnel.AsError(err).Status)
			continue
		}
		out = append(out, resp.StatusCode)
	}
	return fmt.Sprint(out)
}

func times(n int, x func() *grapnel.Exchange) (out []*grapnel.Exchange) {
	for range n {
		out = append(out, x())
	}
	return out
}

// S-30…S-33, L-36, M-13, C-3: what counts against which rate.
func TestRate(t *testing.T) {
	limited := func(change func(*grapnel.Session)) func() *grapnel.Exchange {
		updated := 0
		return func() *grapnel.Exchange {
			updated++
			s := &grapnel.Session{KeyID: "k", StoreID: "stored", Rate: 2, Per: 60, LastUpdated: fmt.Sprint(updated)}
			if change != nil {
				change(s)
			}
			return caller(t, s, "/a/x")
		}
	}
	perAPI := func(api string) func(*grapnel.Session) {
		return func(s *grapnel.Session) {
			s.AccessRights = map[string]grapnel.AccessDefinition{api: {Limit: grapnel.APILimit{Rate: 1, Per: 60}}}
		}
	}
	for _, c := range []struct {
		name  string
		calls []*grapnel.Exchange
		want  string
	}{
		{"the session's rate, whatever last_updated says [T-124, T-125]", times(3, limited(nil)), "[200 200 429]"},
		{"the API's own limit takes its place", times(2, limited(perAPI("a"))), "[200 429]"},
		{"another API's limit does not", times(3, limited(perAPI("b"))), "[200 200 429]"},
		{"rate 0 is no limit", times(4, limited(func(s *grapnel.Session) { s.Rate = 0 })), "[200 200 200 200]"},
		{"per 0 is no limit", times(4, limited(func(s *grapnel.Session) { s.Per = 0 })), "[200 200 200 200]"},
		{"half a request in a span", times(2, limited(func(s *grapnel.Session) { s.Rate = 0.5 })), "[200 429]"},
		{"open paths are not counted", times(3, func() *grapnel.Exchange { x := limited(nil)(); x.Open = true; return x }), "[200 200 200]"},
		{"loops are not counted", times(3, func() *grapnel.Exchange { x := limited(nil)(); x.Unlimited = true; return x }), "[200 200 200]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			events := &fired{}
			if got := statuses(limit.Rate(protected(), counters(t), events)(reply), c.calls...); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if exceeded := slices.Contains(events.events, grapnel.EventRateExceeded); exceeded != (c.want[len(c.want)-4:] == "429]") {
				t.Errorf("events %v", events.events)
			}
		})
	}
}

// 429 says when to come back, and what was exceeded [S-32].
func TestRateRefusal(t *testing.T) {
	h := limit.Rate(protected(), counters(t), &fired{})(reply)
	s := &grapnel.Session{StoreID: "stored", Rate: 1, Per: 30}
	if _, err := h(caller(t, s, "/a/x")); err != nil {
		t.Fatal(err)
	}
	_, err := h(caller(t, s, "/a/x"))
	e, ok := errors.AsType[*grapnel.Error](err)
	if !ok || e.Message != "Rate Limit Exceeded" || e.Code != grapnel.CodeLimited {
		t.Fatalf("got %v", err)
	}
	if after := e.Header.Get("Retry-After"); after != "30" && after != "31" {
		t.Errorf("Retry-After %q", after)
	}
}

// Two sessions do not share a rate; one session shares it between APIs, unless
// its right for the API has limits of its own [Z-4, Z-7].
func TestRateKeys(t *testing.T) {
	h := limit.Rate(protected(), counters(t), &fired{})(reply)
	one := &grapnel.Session{StoreID: "one", Rate: 1, Per: 60}
	two := &grapnel.Session{StoreID: "two", Rate: 1, Per: 60}
	elsewhere := caller(t, one, "/a/x")
	elsewhere.API = &grapnel.API{ID: "b", Auth: []grapnel.AuthMethod{{}}}
	if got := statuses(h, caller(t, one, "/a/x"), caller(t, two, "/a/x"), elsewhere); got != "[200 200 429]" {
		t.Errorf("got %s", got)
	}
}

// The rate of one endpoint of an access right.
func TestEndpointRate(t *testing.T) {
	h := limit.Rate(protected(), counters(t), &fired{})(reply)
	s := &grapnel.Session{StoreID: "k", AccessRights: map[string]grapnel.AccessDefinition{"a": {Endpoints: []grapnel.EndpointLimit{
		{Path: "^/slow$", Methods: []grapnel.MethodLimit{{Name: "GET", Limit: grapnel.RateLimit{Rate: 1, Per: 60}}}},
	}}}}
	if got := statuses(h, caller(t, s, "/a/slow"), caller(t, s, "/a/fast"), caller(t, s, "/a/fast"), caller(t, s, "/a/slow")); got != "[200 200 200 429]" {
		t.Errorf("got %s", got)
	}
}

// The calls of all callers together, known or not [7.2].
func TestAPIRate(t *testing.T) {
	api := &grapnel.API{ID: "a", Limits: grapnel.APILimits{RateLimit: grapnel.RateLimit{Rate: 2, Per: 60}}}
	h := limit.APIRate(api, counters(t))(reply)
	x := func() *grapnel.Exchange { return caller(t, nil, "/a/x") }
	if got := statuses(h, times(3, x)...); got != "[200 200 429]" {
		t.Errorf("got %s", got)
	}
	_, err := h(x())
	if e := grapnel.AsError(err); e.Message != "API Rate Limit Exceeded" {
		t.Errorf("got %v", err)
	}
	if limit.APIRate(&grapnel.API{}, nil) != nil {
		t.Error("an API without a limit costs something")
	}
}

// A counter that cannot be asked lets nobody through.
func TestStoreDown(t *testing.T) {
	gone := store.NewMemory()
	gone.Close()
	s := &grapnel.Session{StoreID: "k", Rate: 1, Per: 1, QuotaMax: 1}
	for name, m := range map[string]grapnel.Middleware{
		"rate":  limit.Rate(protected(), gone, &fired{}),
		"quota": limit.Quota(protected(), gone, &fired{}),
	} {
		_, err := m(reply)(caller(t, s, "/a/x"))
		if e := grapnel.AsError(err); e.Status != 503 || e.Code != grapnel.CodeStoreUnavailable || e.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
