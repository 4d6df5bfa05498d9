package plugin_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/grapnel-gateway/grapnel"
)

// plain is a binding that does nothing, so that the middleware around it is what
// is measured.
type plain struct{ bindOnly }

func (p plain) Bind(*grapnel.API, grapnel.Hook) (grapnel.Binding, error) { return p, nil }
func (plain) Request(context.Context, *grapnel.Exchange) (*http.Response, error) {
	return nil, nil
}
func (plain) Response(context.Context, *grapnel.Exchange, *http.Response) (*http.Response, error) {
	return nil, nil
}

func (p plain) lookup(string) (grapnel.Plugin, bool) { return p, true }

// call makes the handler of one hook around a plugin that does nothing.
func call(t testing.TB, h grapnel.Hook) grapnel.Handler {
	t.Helper()
	b := binder(nil, &fired{})
	b.Servers = plain{}.lookup
	m, err := b.Requests(&grapnel.API{}, []grapnel.Hook{h})
	if err != nil {
		t.Fatal(err)
	}
	reply := grapnel.Reply(200, nil, nil)
	return m(func(*grapnel.Exchange) (*http.Response, error) { return reply, nil })
}

// TestAllocations: a hook with neither condition nor ladder costs the record of its
// call; a timeout costs the context that bounds it.
func TestAllocations(t *testing.T) {
	for name, c := range map[string]struct {
		hook grapnel.Hook
		most float64
	}{
		"plain":   {grapnel.Hook{Plugin: "p", Name: "h", Stage: grapnel.Pre}, 1},
		"timeout": {grapnel.Hook{Plugin: "p", Name: "h", Stage: grapnel.Pre, Timeout: 1e9}, 5},
		"ladder":  {grapnel.Hook{Plugin: "p", Name: "h", Stage: grapnel.Pre, Failure: grapnel.Failure{OnError: []grapnel.Step{step(grapnel.StepIgnore)}}}, 1},
	} {
		handle, x := call(t, c.hook), exchange(t)
		got := testing.AllocsPerRun(100, func() {
			x.Calls = nil
			handle(x)
		})
		if got > c.most {
			t.Errorf("%s: %v allocations, the most is %v", name, got, c.most)
		}
	}
}

func BenchmarkCall(b *testing.B) {
	for name, h := range map[string]grapnel.Hook{
		"plain":   {},
		"timeout": {Timeout: 1e9},
		"methods": {Condition: grapnel.Condition{Methods: []string{"GET"}}},
		"when":    {Condition: grapnel.Condition{When: `request.method == "GET"`}},
		"ladder":  {Failure: grapnel.Failure{OnError: []grapnel.Step{step(grapnel.StepIgnore)}}},
	} {
		h.Plugin, h.Name, h.Stage = "p", "h", grapnel.Pre
		handle, x := call(b, h), exchange(b)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x.Calls = x.Calls[:0]
				handle(x)
			}
		})
	}
}
