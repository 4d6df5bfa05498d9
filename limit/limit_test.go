package limit_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/limit"
)

// served ends the chain: it answers 200, as an upstream would.
func served(*grapnel.Exchange) (*http.Response, error) {
	return grapnel.Reply(http.StatusOK, http.Header{"X-Up": {"1"}}, nil), nil
}

func exchange(api *grapnel.API, method, target string) *grapnel.Exchange {
	return &grapnel.Exchange{API: api, Prefix: "/app", Request: httptest.NewRequest(method, target, nil)}
}

// refused checks an error's status and message; a status of 0 wants no error.
func refused(t *testing.T, err error, status int, message string) {
	t.Helper()
	if status == 0 {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	e, ok := errors.AsType[*grapnel.Error](err)
	if !ok {
		t.Fatalf("got %v, want a refusal", err)
	}
	if e.Status != status || e.Message != message {
		t.Errorf("got %d %q, want %d %q", e.Status, e.Message, status, message)
	}
}

// What an API does not need is not there, and costs nothing.
func TestUnneededIsNil(t *testing.T) {
	api := &grapnel.API{Versioning: &grapnel.Versioning{Versions: map[string]*grapnel.Version{"Default": {}}}}
	if limit.Body(api) != nil || limit.Size(api) != nil || limit.Address(api) != nil || limit.Headers(api) != nil {
		t.Error("a middleware is not nil")
	}
}

// M-6, T-173, 7.2: who is served by address.
func TestAddress(t *testing.T) {
	prefix := netip.MustParsePrefix
	for name, c := range map[string]struct {
		rules  grapnel.AddressRules
		client string
		served bool
	}{
		"allowed":            {grapnel.AddressRules{Allow: []netip.Prefix{prefix("10.0.0.0/8"), prefix("192.0.2.7/32")}}, "192.0.2.7", true},
		"not allowed":        {grapnel.AddressRules{Allow: []netip.Prefix{prefix("10.0.0.0/8")}}, "192.0.2.7", false},
		"blocked":            {grapnel.AddressRules{Block: []netip.Prefix{prefix("192.0.2.0/24")}}, "192.0.2.7", false},
		"not blocked":        {grapnel.AddressRules{Block: []netip.Prefix{prefix("10.0.0.0/8")}}, "192.0.2.7", true},
		"allowed, blocked":   {grapnel.AddressRules{Allow: []netip.Prefix{prefix("192.0.2.0/24")}, Block: []netip.Prefix{prefix("192.0.2.7/32")}}, "192.0.2.7", false},
		"IPv4 in IPv6":       {grapnel.AddressRules{Block: []netip.Prefix{prefix("192.0.2.0/24")}}, "::ffff:192.0.2.7", false},
		"IPv6 with a zone":   {grapnel.AddressRules{Block: []netip.Prefix{prefix("fe80::/10")}}, "fe80::1%eth0", false},
		"unknown, allowlist": {grapnel.AddressRules{Allow: []netip.Prefix{prefix("0.0.0.0/0"), prefix("::/0")}}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			api := &grapnel.API{Addresses: c.rules}
			x := exchange(api, "GET", "/app/x")
			if c.client != "" {
				x.Client = netip.MustParseAddr(c.client)
			}
			_, err := limit.Address(api)(served)(x)
			if c.served {
				refused(t, err, 0, "")
			} else {
				refused(t, err, http.StatusForbidden, "access from this IP has been disallowed")
			}
		})
	}
}

// 7.5, T-177: announced lengths, for all paths and for single ones.
func TestSize(t *testing.T) {
	version := &grapnel.Version{MaxSize: 100, Sizes: []grapnel.SizeRule{
		{PathRule: grapnel.PathRule{Path: regexp.MustCompile("^/x")}, Max: 10},
		{PathRule: grapnel.PathRule{Path: regexp.MustCompile("^/x")}, Max: 1},
	}}
	api := &grapnel.API{Versioning: &grapnel.Versioning{Versions: map[string]*grapnel.Version{"Default": version}}}
	h := limit.Size(api)(served)
	for name, c := range map[string]struct {
		method, target, announced string
		length                    int64
		status                    int
		message                   string
	}{
		"within":           {"POST", "/app/x", "10", 10, 0, ""},
		"over the path's":  {"POST", "/app/x", "11", 11, 400, "Request is too large"},
		"another path":     {"POST", "/app/y", "11", 11, 0, ""},
		"over the whole":   {"PUT", "/app/y", "101", 101, 400, "Request is too large"},
		"not announced":    {"PATCH", "/app/y", "", -1, 411, "Content length is required for this request"},
		"no number":        {"POST", "/app/y", "ten", 0, 400, "content length is not a valid Integer"},
		"grown by a hook":  {"POST", "/app/x", "5", 11, 400, "Request is too large"},
		"methods go free":  {"GET", "/app/x", "", 0, 0, ""},
		"DELETE goes free": {"DELETE", "/app/x", "500", 500, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			x := exchange(api, c.method, c.target)
			x.Version = version
			x.Request.ContentLength = c.length
			if c.announced != "" {
				x.Request.Header.Set("Content-Length", c.announced)
			}
			_, err := h(x)
			refused(t, err, c.status, c.message)
		})
	}
}

// S-40, A-50: quota headers on proxied replies, whatever stands there already.
func TestHeaders(t *testing.T) {
	api := &grapnel.API{RateLimitHeaders: true}
	for name, c := range map[string]struct {
		session *grapnel.Session
		want    http.Header
	}{
		"keyless":   {nil, http.Header{"X-Ratelimit-Limit": {"0"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"0"}}},
		"unlimited": {&grapnel.Session{QuotaMax: -1}, http.Header{"X-Ratelimit-Limit": {"-1"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"0"}}},
		"a quota": {
			&grapnel.Session{QuotaMax: 200, QuotaRemaining: 150, QuotaRenews: 1800000000},
			http.Header{"X-Ratelimit-Limit": {"200"}, "X-Ratelimit-Remaining": {"150"}, "X-Ratelimit-Reset": {"1800000000"}},
		},
	} {
		x := exchange(api, "GET", "/app/x")
		x.Session = c.session
		faked := func(*grapnel.Exchange) (*http.Response, error) {
			return grapnel.Reply(200, http.Header{"X-Ratelimit-Limit": {"7", "8"}}, nil), nil
		}
		res, err := limit.Headers(api)(faked)(x)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, res.Header); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	no := errors.New("no")
	if res, err := limit.Headers(api)(func(*grapnel.Exchange) (*http.Response, error) { return nil, no })(exchange(api, "GET", "/")); res != nil || err != no {
		t.Errorf("a failure became %v, %v", res, err)
	}
}

// What refuses nothing allocates nothing. The method decides here: the pools of
// package regexp lose things on purpose under the race detector.
func TestNothingRefusedAllocatesNothing(t *testing.T) {
	version := &grapnel.Version{MaxSize: 100, Sizes: []grapnel.SizeRule{{PathRule: grapnel.PathRule{Path: regexp.MustCompile("^/x"), Method: "PUT"}, Max: 10}}}
	api := &grapnel.API{
		MaxBody: 100, Addresses: grapnel.AddressRules{Block: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
		Versioning: &grapnel.Versioning{Versions: map[string]*grapnel.Version{"Default": version}},
	}
	reply := grapnel.Reply(http.StatusOK, nil, nil)
	h := grapnel.Chain(func(*grapnel.Exchange) (*http.Response, error) { return reply, nil }, limit.Body(api), limit.Address(api), limit.Size(api))
	x := exchange(api, "POST", "/app/x")
	x.Version, x.Request.ContentLength = version, 50
	x.Request.Header.Set("Content-Length", "50")
	if n := testing.AllocsPerRun(100, func() {
		if _, err := h(x); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
