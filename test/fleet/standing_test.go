package fleet

import (
	"net/http"
	"testing"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
	"github.com/grapnel-gateway/grapnel/store/storetest"
)

// TestStanding: a caller of a Tyk set-up is told of its limits, whatever URLs it
// may call; asking counts nothing, and no hook but that of the authentication sees
// it. An API without callers passes the path on [R-56, M-12].
func TestStanding(t *testing.T) {
	hooks := object{"driver": "grpc", "pre": []object{{"name": "Seen"}}, "post_key_auth": []object{{"name": "Seen"}}, "post": []object{{"name": "Seen"}}}
	s := newTykSite(t, storetest.Redis(t), nil,
		definition("keyed", object{"use_standard_auth": true, "custom_middleware": hooks}),
		definition("asking", object{"enable_coprocess_auth": true, "custom_middleware": object{"driver": "grpc", "auth_check": object{"name": "Check"}}}),
		definition("open", object{"use_keyless": true}))
	s.plugin.on("Check", accept(func() *coprocess.SessionState {
		return &coprocess.SessionState{Rate: 7, Per: 1, QuotaMax: 4, QuotaRemaining: 4, QuotaRenewalRate: 3600}
	}))
	g := s.start(t)
	right := rights("keyed")
	right["keyed"].(object)["allowed_urls"] = []object{{"url": "/only", "methods": []string{"GET"}}}
	key := g.createKey(t, object{"rate": 2, "per": 60, "quota_max": 5, "quota_renewal_rate": 3600, "access_rights": right})
	standing := func(path, credential string) (quota, rate object) {
		t.Helper()
		var told struct {
			Quota object `json:"quota"`
			Rate  object `json:"rate_limit"`
		}
		r := g.get(t, path, credential)
		if r.status != http.StatusOK {
			t.Fatalf("%d %s", r.status, r.body)
		}
		decode(t, r.body, &told)
		return told.Quota, told.Rate
	}

	if r := g.get(t, "/keyed/only", key); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	seen := s.plugin.called("Seen")
	for _, path := range []string{"/keyed/tyk/rate-limits/", "/keyed/tyk/rate-limits", "/keyed/tyk/rate-limits/"} {
		quota, rate := standing(path, key)
		if quota["quota_max"] != 5.0 || quota["quota_remaining"] != 4.0 || quota["quota_renews"].(float64) == 0 || rate["requests"] != 2.0 || rate["per_unit"] != 60.0 {
			t.Errorf("%s: %v %v", path, quota, rate)
		}
	}
	if n := s.plugin.called("Seen") - seen; n != 0 || seen != 3 {
		t.Errorf("hooks saw %d of these requests, and %d calls before", n, seen)
	}
	if r := g.get(t, "/keyed/only", key); r.status != http.StatusOK { // the second of two in a minute
		t.Errorf("asking was counted: %d %s", r.status, r.body)
	}
	if quota, rate := standing("/asking/tyk/rate-limits/", "anyone"); quota["quota_remaining"] != 4.0 || rate["requests"] != 7.0 {
		t.Errorf("of a plugin's session: %v %v", quota, rate)
	}
	for credential, want := range map[string]int{"stranger": http.StatusForbidden, "": http.StatusUnauthorized} {
		if r := g.get(t, "/keyed/tyk/rate-limits/", credential); r.status != want {
			t.Errorf("credential %q: %d %s, want %d", credential, r.status, r.body, want)
		}
	}
	before := s.upstream.hits.Load()
	if r := g.get(t, "/open/tyk/rate-limits/", ""); r.status != http.StatusOK || s.upstream.hits.Load() != before+1 {
		t.Errorf("open: %d %s", r.status, r.body)
	}
}

// TestNoStanding: an API of a native configuration passes the path on.
func TestNoStanding(t *testing.T) {
	s := newSite(t, storetest.Redis(t).URL(), api("native", tokenAuth()))
	g := s.start(t)
	key := g.createKey(t, object{"access_rights": rights("native")})
	if r := g.get(t, "/native/tyk/rate-limits/", key); r.status != http.StatusOK || s.upstream.hits.Load() != 1 {
		t.Errorf("%d %s", r.status, r.body)
	}
}
