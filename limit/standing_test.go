package limit_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/limit"
)

func telling() *grapnel.API {
	api := protected()
	api.Limits.Told = true
	return api
}

// the numbers that hold for the API, what the counter knows, and nothing
// is counted by asking.
func TestStanding(t *testing.T) {
	counted := counters(t)
	own := &grapnel.Session{StoreID: "k", Rate: 5, Per: 2, QuotaMax: 10, QuotaRemaining: 10, QuotaRenewalRate: 3600, QuotaRenews: 7}
	limited := &grapnel.Session{StoreID: "k", Rate: 5, QuotaMax: 10, AccessRights: map[string]grapnel.AccessDefinition{
		"a": {Limit: grapnel.APILimit{Rate: 1, Per: 60, QuotaMax: 3, QuotaRemaining: 99}, AllowedURLs: []grapnel.AccessSpec{{URL: "/only", Methods: []string{"GET"}}}},
	}}
	for range 4 {
		usage, err := counted.Spend(t.Context(), "spent", 4, 0)
		if err != nil || usage.Used > 4 {
			t.Fatal(usage, err)
		}
	}
	for name, c := range map[string]struct {
		session *grapnel.Session
		want    string
	}{
		"the session's own":  {own, `{"quota":{"quota_max":10,"quota_remaining":10,"quota_renews":7},"rate_limit":{"requests":5,"per_unit":2}}`},
		"its right's [S-30]": {limited, `{"quota":{"quota_max":3,"quota_remaining":3,"quota_renews":0},"rate_limit":{"requests":1,"per_unit":60}}`},
		"over the quota": {
			&grapnel.Session{StoreID: "spent", QuotaMax: 3, QuotaRemaining: 2},
			`{"quota":{"quota_max":3,"quota_remaining":0,"quota_renews":0},"rate_limit":{"requests":0,"per_unit":0}}`,
		},
		"without a quota": {
			&grapnel.Session{StoreID: "spent", QuotaMax: -1, QuotaRemaining: -1},
			`{"quota":{"quota_max":-1,"quota_remaining":-1,"quota_renews":0},"rate_limit":{"requests":0,"per_unit":0}}`,
		},
	} {
		h := limit.Standing(telling(), counted)(served)
		for range 2 {
			resp, err := h(caller(t, c.session, "/a/tyk/rate-limits/"))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if string(text) != c.want || resp.Header.Get("Content-Type") != "application/json" || resp.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: got %s, want %s", name, text, c.want)
			}
		}
	}
}

// R-56, S-37: what was spent shows, and when it comes back.
func TestStandingAfterSpending(t *testing.T) {
	counted := counters(t)
	s := &grapnel.Session{StoreID: "k", QuotaMax: 2, QuotaRenewalRate: 3600}
	h := grapnel.Chain(served, limit.Standing(telling(), counted), limit.Quota(telling(), counted, &fired{}))
	if got := statuses(h, caller(t, s, "/a/x"), caller(t, s, "/a/tyk/rate-limits")); got != "[200 200]" {
		t.Fatal(got)
	}
	resp, err := h(caller(t, s, "/a/tyk/rate-limits/"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Quota struct {
			Remaining int64 `json:"quota_remaining"`
			Renews    int64 `json:"quota_renews"`
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Quota.Remaining != 1 || time.Until(time.Unix(got.Quota.Renews, 0)) < time.Minute {
		t.Errorf("got %+v", got)
	}
}

// R-56, M-12: who is not told.
func TestStandingRefused(t *testing.T) {
	stranger := &grapnel.Session{AccessRights: map[string]grapnel.AccessDefinition{"b": {}}}
	nobody := func(grapnel.Handler) grapnel.Handler {
		return func(*grapnel.Exchange) (*http.Response, error) {
			return nil, &grapnel.Error{Status: http.StatusForbidden, Message: "who are you?"}
		}
	}
	h := limit.Standing(telling(), counters(t))(served)
	_, err := h(caller(t, stranger, "/a/tyk/rate-limits/"))
	refused(t, err, http.StatusForbidden, "Access to this API has been disallowed")
	_, err = h(caller(t, nil, "/a/tyk/rate-limits/"))
	refused(t, err, http.StatusBadRequest, "Session state is missing or unset! Please make sure that auth headers are properly applied")
	post := caller(t, &grapnel.Session{}, "/a/tyk/rate-limits/")
	post.Request.Method = http.MethodPost
	_, err = h(post)
	refused(t, err, http.StatusMethodNotAllowed, "Method not supported")
	h = limit.Standing(telling(), counters(t), nobody)(served)
	_, err = h(caller(t, &grapnel.Session{}, "/a/tyk/rate-limits/"))
	refused(t, err, http.StatusForbidden, "who are you?")
	for _, path := range []string{"/a/x", "/a/tyk/rate-limits/x", "/a/x/tyk/rate-limits"} {
		if resp, err := h(caller(t, &grapnel.Session{}, path)); err != nil || resp.Header.Get("X-Up") != "1" {
			t.Errorf("%s does not go on: %v", path, err)
		}
	}
	open := telling()
	open.Auth = nil
	if limit.Standing(protected(), counters(t)) != nil || limit.Standing(open, counters(t)) != nil {
		t.Error("an API that tells nobody has a middleware")
	}
}

// silent are counters that cannot be asked.
type silent struct{ grapnel.Counters }

func (silent) Usage(context.Context, string) (grapnel.Usage, error) {
	return grapnel.Usage{}, grapnel.ErrUnavailable
}

// A store that cannot be asked is not taken for a quota that is whole.
func TestStandingWithoutStore(t *testing.T) {
	x := caller(t, &grapnel.Session{StoreID: "k", QuotaMax: 1}, "/a/tyk/rate-limits/")
	_, err := limit.Standing(telling(), silent{})(served)(x)
	if e := grapnel.AsError(err); e.Status != http.StatusServiceUnavailable || e.Code != grapnel.CodeStoreUnavailable {
		t.Errorf("got %v", err)
	}
}
