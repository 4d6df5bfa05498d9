package plugin_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin"
)

// All hooks of an exchange share the budget: each gets what is left at most,
// optional ones are skipped when that is little, and when nothing is left the time
// of a hook that must be asked is up at once. Upstreams do not use it up.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var given []time.Duration
		work := func(ctx context.Context, name string) error {
			at, _ := ctx.Deadline()
			given = append(given, time.Until(at))
			took, _ := time.ParseDuration(name)
			select {
			case <-time.After(took):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		f := &fake{request: func(ctx context.Context, x *grapnel.Exchange) (*http.Response, error) {
			all := x.Request.Header["X-Asked"]
			return nil, work(ctx, all[len(all)-1])
		}}
		f.response = func(ctx context.Context, r *http.Response) error {
			all := r.Header["X-Asked"]
			return work(ctx, all[len(all)-1])
		}
		api := &grapnel.API{ID: "a", PluginsBudget: grapnel.Duration(100 * time.Millisecond)}
		pre := hooks(grapnel.Pre, "40ms", "30ms", "1ms", "10ms")
		pre[0].Timeout = grapnel.Duration(50 * time.Millisecond)
		pre[1].Timeout = grapnel.Duration(time.Hour)
		pre[2].Optional, pre[3].Optional = true, true
		request, err := binder(f, &fired{}).Requests(api, pre)
		if err != nil {
			t.Fatal(err)
		}
		response, err := binder(f, &fired{}).Responses(api, hooks(grapnel.Response, "15ms", "1h", "1ms"))
		if err != nil {
			t.Fatal(err)
		}
		x := exchange(t)
		x.API = api
		_, err = grapnel.Chain(func(*grapnel.Exchange) (*http.Response, error) {
			time.Sleep(time.Second) // the upstream's time is its own
			return grapnel.Reply(200, nil, nil), nil
		}, request, response)(x)
		if e := grapnel.AsError(err); e.Status != 500 || e.Code != grapnel.CodePluginFailed {
			t.Errorf("got %v", err)
		}
		ms := time.Millisecond
		if diff := cmp.Diff([]time.Duration{50 * ms, 60 * ms, 30 * ms, 29 * ms, 19 * ms, 4 * ms}, given); diff != "" {
			t.Error(diff)
		}
		want := []string{"p passed", "p passed", "p passed", "p passed", "p passed", "p timeout"}
		if diff := cmp.Diff(want, outcomes(x)); diff != "" {
			t.Error(diff)
		}

	})
}

// Where little is left of the budget, optional hooks are skipped; where nothing is,
// the others fail without being asked.
func TestBudgetUsedUp(t *testing.T) {
	for left, want := range map[time.Duration]string{
		time.Hour:            "p passed",
		25 * time.Minute:     "p passed",
		14*time.Minute + 1e9: "p skipped",
		-time.Hour:           "p skipped",
	} {
		f := answers(nil, nil)
		h := hooks(grapnel.Post, "optional", "must")
		h[0].Optional = true
		x := exchange(t)
		x.API.PluginsBudget = grapnel.Duration(time.Hour)
		x.Calls = []grapnel.Call{{Plugin: "before", Took: time.Hour - left}}
		_, err := through(t, binder(f, &fired{}), x, h)
		last := "p passed"
		if left < 0 {
			last = "p timeout"
		}
		if diff := cmp.Diff([]string{"before ", want, last}, outcomes(x)); diff != "" || (err != nil) != (left < 0) {
			t.Errorf("%v left: %v\n%s", left, err, diff)
		}
		if asked := len(x.Request.Header["X-Asked"]); left < 0 && asked > 0 {
			t.Errorf("%d hooks were asked without any time", asked)
		}
	}
}

// A server that hangs leaves half of the time to the one that is asked instead,
// and the last one has all that is left.
func TestBackupHasTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		given := map[string]time.Duration{}
		hang := func(name string) *fake {
			return &fake{request: func(ctx context.Context, _ *grapnel.Exchange) (*http.Response, error) {
				at, _ := ctx.Deadline()
				given[name] = time.Until(at)
				<-ctx.Done()
				return nil, ctx.Err()
			}}
		}
		b := plugin.Binder{Servers: servers{"p": hang("p"), "second": hang("second"), "third": hang("third")}.lookup, Events: &fired{}}
		h := hooks(grapnel.Pre, "h")
		h[0].Timeout = grapnel.Duration(time.Second)
		h[0].OnError = []grapnel.Step{{Kind: grapnel.StepPlugin, Plugin: "second"}, {Kind: grapnel.StepPlugin, Plugin: "third"}, step(grapnel.StepIgnore)}
		x := exchange(t)
		if resp, err := through(t, b, x, h); err != nil || resp.StatusCode != 200 {
			t.Errorf("%v, %v", resp, err)
		}
		ms := time.Millisecond
		if diff := cmp.Diff(map[string]time.Duration{"p": 500 * ms, "second": 250 * ms, "third": 250 * ms}, given); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"p ignored", "second ignored", "third ignored"}, outcomes(x)); diff != "" {
			t.Error(diff)
		}
	})
}
