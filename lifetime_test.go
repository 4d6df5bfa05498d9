package grapnel_test

import (
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// TestTTL: how long a session is stored [S-25, T-127, T-143].
func TestTTL(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	in := func(d time.Duration) int64 { return now.Add(d).Unix() }
	minute := grapnel.Duration(time.Minute)
	for _, c := range []struct {
		name    string
		api     grapnel.APISessions
		session grapnel.Session
		want    time.Duration
	}{
		{"nobody says", grapnel.APISessions{}, grapnel.Session{Expires: in(time.Hour)}, 0},
		{"the API says", grapnel.APISessions{Lifetime: minute}, grapnel.Session{}, time.Minute},
		{"the session says first", grapnel.APISessions{Lifetime: minute}, grapnel.Session{SessionLifetime: 5}, 5 * time.Second},
		{"forced", grapnel.APISessions{Lifetime: minute, ForceLifetime: true}, grapnel.Session{SessionLifetime: 5, Expires: in(time.Hour), PostExpiryAction: "retain"}, time.Minute},
		{"forced to for ever", grapnel.APISessions{ForceLifetime: true}, grapnel.Session{SessionLifetime: 5}, 0},
		{"respects expiry", grapnel.APISessions{Lifetime: minute, RespectExpiry: true}, grapnel.Session{Expires: in(time.Hour)}, time.Hour},
		{"respects expiry, which is sooner", grapnel.APISessions{Lifetime: minute, RespectExpiry: true}, grapnel.Session{Expires: in(time.Second)}, time.Minute},
		{"respects a key that never expires", grapnel.APISessions{Lifetime: minute, RespectExpiry: true}, grapnel.Session{Expires: -1}, 0},
		{"deleted at expiry", grapnel.APISessions{}, grapnel.Session{Expires: in(time.Hour), PostExpiryAction: "delete"}, time.Hour},
		{"lifetime before deletion", grapnel.APISessions{Lifetime: minute}, grapnel.Session{Expires: in(time.Hour), PostExpiryAction: "delete"}, time.Minute},
		{"deleted, expired already", grapnel.APISessions{}, grapnel.Session{Expires: in(-time.Hour), PostExpiryAction: "delete"}, time.Second},
		{"retained for ever", grapnel.APISessions{Lifetime: minute}, grapnel.Session{Expires: in(time.Hour), PostExpiryAction: "retain"}, 0},
		{"retained for a while", grapnel.APISessions{}, grapnel.Session{Expires: in(time.Hour), PostExpiryAction: "retain", PostExpiryGrace: 60}, time.Hour + time.Minute},
		{"an action without expiry", grapnel.APISessions{Lifetime: minute}, grapnel.Session{Expires: -1, PostExpiryAction: "delete"}, time.Minute},
	} {
		if got := c.api.TTL(&c.session, now); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
