package limit_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/limit"
	"github.com/grapnel-gateway/grapnel/store"
)

func bounded() *grapnel.API {
	return &grapnel.API{ID: "a", OrgID: "o", Limits: grapnel.APILimits{Organisation: true}}
}

// governed is a store that has this session for the organisation.
func governed(t *testing.T, session string) grapnel.Store {
	t.Helper()
	s := store.NewMemory()
	t.Cleanup(func() { s.Close() })
	if session != "" {
		if err := s.SwapRecord(t.Context(), grapnel.OrgRecords+"o", nil, []byte(session), 0); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// R-42, M-1, M-13: what an organisation's session bounds, whoever calls.
func TestOrganisation(t *testing.T) {
	const (
		disabled  = "this organisation access has been disabled, please contact your API administrator"
		overRate  = "This organisation rate limit has been exceeded, please contact your API administrator"
		overQuota = "This organisation quota has been exceeded, please contact your API administrator"
	)
	for name, c := range map[string]struct {
		session   string
		unlimited bool // the calls are of loops
		passes    int  // of three
		message   string
	}{
		"no session":           {"", false, 3, ""},
		"an empty one":         {`{}`, false, 3, ""},
		"a rate":               {`{"rate":2,"per":60}`, false, 2, overRate},
		"a rate without per":   {`{"rate":2}`, false, 3, ""},
		"a quota":              {`{"quota_max":1,"quota_renewal_rate":3600}`, false, 1, overQuota},
		"the rate comes first": {`{"rate":1,"per":60,"quota_max":1}`, false, 1, overRate},
		"no quota":             {`{"quota_max":-1}`, false, 3, ""},
		"inactive":             {`{"is_inactive":true,"quota_max":-1}`, false, 0, disabled},
		"a loop":               {`{"rate":1,"per":60,"quota_max":1}`, true, 3, ""},
		"a loop, inactive":     {`{"is_inactive":true}`, true, 0, disabled},
	} {
		t.Run(name, func(t *testing.T) {
			s := governed(t, c.session)
			h := limit.Organisation(bounded(), s, s)(served)
			for i := range 3 {
				x := exchange(bounded(), "GET", "/app/x")
				x.Unlimited = c.unlimited
				_, err := h(x)
				if i < c.passes {
					refused(t, err, 0, "")
				} else {
					refused(t, err, http.StatusForbidden, c.message)
				}
			}
		})
	}
}

// The APIs of an organisation share its bounds, others do not; a change counts
// with the next request, and who only asks is not counted.
func TestOrganisationShared(t *testing.T) {
	s := governed(t, `{"quota_max":1}`)
	one, two, other := bounded(), bounded(), bounded()
	two.ID, other.OrgID = "b", "p"
	asking := limit.Organisation(one, s, nil)(served)
	for _, c := range []struct {
		api  *grapnel.API
		h    grapnel.Handler
		want string
	}{
		{one, asking, "[200]"},
		{one, nil, "[200]"}, {two, nil, "[403]"}, {one, nil, "[403]"}, {one, asking, "[200]"}, {other, nil, "[200]"},
	} {
		h := c.h
		if h == nil {
			h = limit.Organisation(c.api, s, s)(served)
		}
		if got := statuses(h, exchange(c.api, "GET", "/app/x")); got != c.want {
			t.Errorf("%s of %s: %s, want %s", c.api.ID, c.api.OrgID, got, c.want)
		}
	}
	if err := s.SwapRecord(t.Context(), grapnel.OrgRecords+"o", []byte(`{"quota_max":1}`), []byte(`{"is_inactive":true}`), 0); err != nil {
		t.Fatal(err)
	}
	if got := statuses(asking, exchange(one, "GET", "/app/x")); got != "[403]" {
		t.Errorf("after the change %s", got)
	}
}

// away is a store that cannot be asked, for all or only for counting.
type away struct {
	grapnel.Store
	counts bool
}

func (a away) Record(ctx context.Context, key string) ([]byte, error) {
	if a.counts {
		return a.Store.Record(ctx, key)
	}
	return nil, grapnel.ErrUnavailable
}

func (away) Spend(context.Context, string, int64, time.Duration) (grapnel.Usage, error) {
	return grapnel.Usage{}, grapnel.ErrUnavailable
}

// Nobody passes while the bounds are not known.
func TestOrganisationUnknown(t *testing.T) {
	for _, s := range []away{{governed(t, ""), false}, {governed(t, `{"quota_max":5}`), true}} {
		_, err := limit.Organisation(bounded(), s, s)(served)(exchange(bounded(), "GET", "/app/x"))
		if e := grapnel.AsError(err); e.Status != http.StatusServiceUnavailable || e.Code != grapnel.CodeStoreUnavailable {
			t.Errorf("got %v", err)
		}
	}
	broken := governed(t, `{"rate":"fast"}`)
	_, err := limit.Organisation(bounded(), broken, broken)(served)(exchange(bounded(), "GET", "/app/x"))
	if grapnel.AsError(err).Status != http.StatusInternalServerError {
		t.Errorf("a session that cannot be read: %v", err)
	}
	none, free := bounded(), bounded()
	none.OrgID, free.Limits.Organisation = "", false
	if limit.Organisation(none, broken, broken) != nil || limit.Organisation(free, broken, broken) != nil {
		t.Error("an API that is not bounded has a middleware")
	}
}
