package coprocess

import (
	"context"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// A call is sent again as often as the hook's first steps say, if it may be, and
// its record tells.
func TestRetriesOfHooks(t *testing.T) {
	p := start(t)
	var asked atomic.Int64
	p.answers(func(context.Context, *wire.Object) (*wire.Object, error) {
		asked.Add(1)
		return nil, status.Error(codes.Unavailable, "")
	})
	c := dial(t, grapnel.PluginServer{Target: p.address, RetryBudget: 100})
	retry := grapnel.Step{Kind: grapnel.StepRetry}
	for _, test := range []struct {
		steps      []grapnel.Step
		idempotent bool
		want       int
	}{{nil, true, 1}, {[]grapnel.Step{retry, retry}, false, 1}, {[]grapnel.Step{retry, retry}, true, 3}} {
		b, err := c.Bind(testAPI(), grapnel.Hook{Name: "h", Stage: grapnel.Pre, Failure: grapnel.Failure{OnError: test.steps, Idempotent: test.idempotent}})
		if err != nil {
			t.Fatal(err)
		}
		x := exchange(t, "GET /t/a", "")
		x.Calls = []grapnel.Call{{Hook: "h"}}
		before := asked.Load()
		if _, err := b.Request(within(t), x); err == nil {
			t.Error("no failure")
		}
		if n := int(asked.Load() - before); n != test.want || x.Calls[0].Retries != n-1 || x.Calls[0].Endpoint != p.address {
			t.Errorf("%d steps, idempotent %t: asked %d times, recorded as %+v", len(test.steps), test.idempotent, n, x.Calls[0])
		}
	}
}

// The fair share of a call is an eighth of what its hook may take: its timeout, or
// the budget of all hooks where that is less.
func TestFairShare(t *testing.T) {
	const s = grapnel.Duration(time.Second)
	for _, test := range []struct {
		timeout, budget grapnel.Duration
		want            time.Duration
	}{{0, 0, 0}, {8 * s, 0, time.Second}, {0, 4 * s, time.Second / 2}, {8 * s, 16 * s, time.Second}, {16 * s, 8 * s, time.Second}, {grapnel.Inherit, 0, 0}} {
		b, err := New(grapnel.PluginServer{}, nil).Bind(&grapnel.API{PluginsBudget: test.budget}, grapnel.Hook{Stage: grapnel.Pre, Timeout: test.timeout})
		if err != nil {
			t.Fatal(err)
		}
		if got := b.(*binding).call.Fair; got != test.want {
			t.Errorf("timeout %v, budget %v: %v, want %v", test.timeout, test.budget, got, test.want)
		}
	}
}

// What keeps to one endpoint is a header, or what stands for the session; and
// nothing where there is neither.
func TestKey(t *testing.T) {
	api := testAPI()
	api.Credential.Header = "X-Token"
	key := func(hash string, headers ...string) uint64 {
		c := New(grapnel.PluginServer{Balance: grapnel.Balance{Hash: hash}}, nil)
		x := exchange(t, "GET /t/a", "", headers...)
		x.API, x.Client = api, netip.Addr{}
		return c.key(x)
	}
	if key("", "X-User: a") != 0 || key("X-User") != 0 || key("session") != 0 {
		t.Error("nobody has a key")
	}
	if a, b := key("X-User", "X-User: a"), key("X-User", "X-User: b"); a == 0 || a == b || a != key("x-user", "X-User: a") {
		t.Errorf("by header: %d and %d", a, b)
	}
	if a, b := key("session", "X-Token: a"), key("session", "X-Token: b"); a == 0 || a == b {
		t.Errorf("by session: %d and %d", a, b)
	}
	c := New(grapnel.PluginServer{Balance: grapnel.Balance{Hash: "session"}}, nil)
	x := exchange(t, "GET /t/a", "")
	if x.API, x.Client = api, netip.MustParseAddr("10.0.0.1"); c.key(x) == 0 {
		t.Error("a caller without a credential is known by nothing")
	}
}
