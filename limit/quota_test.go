package limit_test

import (
	"net/http"
	"testing"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/limit"
)

// S-36, S-40, T-221: exactly quota_max requests pass, and each reply says what
// remains.
func TestQuota(t *testing.T) {
	api := protected()
	api.RateLimitHeaders = true
	events := &fired{}
	h := limit.Quota(api, counters(t), events)(limit.Headers(api)(reply))
	s := &grapnel.Session{StoreID: "k", QuotaMax: 2, QuotaRenewalRate: 3600, QuotaRemaining: 99}
	for i, want := range []string{"1", "0"} {
		resp, err := h(caller(t, s, "/a/x"))
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Header.Get("X-Ratelimit-Remaining"); got != want || resp.Header.Get("X-Ratelimit-Limit") != "2" || resp.Header.Get("X-Ratelimit-Reset") == "0" {
			t.Errorf("call %d: %v", i, resp.Header)
		}
	}
	_, err := h(caller(t, s, "/a/x"))
	if e := grapnel.AsError(err); e.Status != http.StatusForbidden || e.Message != "Quota exceeded" {
		t.Errorf("got %v", err)
	}
	if len(events.events) != 1 || events.events[0] != grapnel.EventQuotaExceeded {
		t.Errorf("events %v", events.events)
	}
	if s.QuotaRemaining != 99 {
		t.Error("the shared session was changed")
	}
}

// A right's own quota is counted apart from the session's [Z-4].
func TestQuotaOfRight(t *testing.T) {
	h := limit.Quota(protected(), counters(t), &fired{})(reply)
	own := &grapnel.Session{StoreID: "k", QuotaMax: 1}
	right := &grapnel.Session{StoreID: "k", QuotaMax: 1, AccessRights: map[string]grapnel.AccessDefinition{"a": {Limit: grapnel.APILimit{QuotaMax: 1}}}}
	unlimited := &grapnel.Session{StoreID: "k", QuotaMax: -1}
	if got := statuses(h, caller(t, own, "/a"), caller(t, right, "/a"), caller(t, unlimited, "/a"), caller(t, unlimited, "/a"), caller(t, own, "/a"), caller(t, right, "/a")); got != "[200 200 200 200 403 403]" {
		t.Errorf("got %s", got)
	}
}

// S-47, S-48, C-12: rights.
func TestRights(t *testing.T) {
	h := limit.Rights(protected())(reply)
	with := func(api string, d grapnel.AccessDefinition) *grapnel.Session {
		return &grapnel.Session{AccessRights: map[string]grapnel.AccessDefinition{api: d}}
	}
	urls := func(specs ...grapnel.AccessSpec) grapnel.AccessDefinition {
		return grapnel.AccessDefinition{AllowedURLs: specs}
	}
	for _, c := range []struct {
		name    string
		session *grapnel.Session
		target  string
		want    string
	}{
		{"no rights at all may call everything", &grapnel.Session{}, "/a/x", "[200]"},
		{"a right for the API", with("a", urls()), "/a/x", "[200]"},
		{"a right for another", with("b", urls()), "/a/x", "[403]"},
		{"an allowed URL [T-140]", with("a", urls(grapnel.AccessSpec{URL: "/only", Methods: []string{"GET"}})), "/a/only", "[200]"},
		{"another URL", with("a", urls(grapnel.AccessSpec{URL: "/only", Methods: []string{"GET"}})), "/a/else", "[403]"},
		{"another method", with("a", urls(grapnel.AccessSpec{URL: "/only", Methods: []string{"POST"}})), "/a/only", "[403]"},
		{"an expression", with("a", urls(grapnel.AccessSpec{URL: "^/[0-9]+$", Methods: []string{"GET"}})), "/a/42", "[200]"},
		{"an expression that does not match", with("a", urls(grapnel.AccessSpec{URL: "^/[0-9]+$", Methods: []string{"GET"}})), "/a/4x2", "[403]"},
		{"an expression that is none", with("a", urls(grapnel.AccessSpec{URL: "[", Methods: []string{"GET"}})), "/a/[", "[403]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := statuses(h, caller(t, c.session, c.target)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
