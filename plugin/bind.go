package plugin

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/condition"
)

// A Lookup finds a plugin server by its configured name.
type Lookup func(name string) (grapnel.Plugin, bool)

// A Binder makes of configured hooks what an API's chain needs of them.
type Binder struct {
	Servers   Lookup
	Events    grapnel.Events
	Tracer    grapnel.Tracer // nil where nobody traces
	Decisions *Decisions     // of auth hooks that have them remembered
}

// A call is one hook of one API, ready to be asked. It serves many exchanges at
// once.
type call struct {
	when   *condition.Condition
	first  *server // the one that is asked first
	ladder []rung
	open   bool          // an auth hook may let everyone in
	budget time.Duration // for all hooks of an exchange; 0 is none
	memory *memory       // nil remembers nothing
	events grapnel.Events

	refusals refusals
}

// A server is a plugin server, bound to the hook that it is asked.
type server struct {
	hook     grapnel.Hook
	bound    grapnel.Binding
	tracer   grapnel.Tracer
	followed bool // by another one, when it fails
}

// record is the record of a call to the server.
func (s *server) record(o grapnel.Outcome) grapnel.Call {
	return grapnel.Call{Stage: s.hook.Stage, Plugin: s.hook.Plugin, Hook: s.hook.Name, Outcome: o}
}

func (b Binder) calls(api *grapnel.API, hooks []grapnel.Hook) ([]*call, error) {
	var calls []*call
	for _, h := range hooks {
		c, err := b.call(api, h)
		if err != nil {
			return nil, err
		}
		calls = append(calls, c)
	}
	return slices.Clip(calls), nil
}

// call prepares a hook. Its ladder is cut where servers are asked: the retries
// that follow a server belong to it, and are carried out below its binding.
func (b Binder) call(api *grapnel.API, h grapnel.Hook) (*call, error) {
	if h.Stream {
		h.Send.Body = grapnel.BodyNone // it passes by itself, in pieces
	}
	c := &call{open: h.FailOpen, budget: time.Duration(api.PluginsBudget), events: b.Events}
	var err error
	if c.when, err = condition.New(api, h); err != nil {
		return nil, fault(api, h, err)
	}
	steps := h.OnError
	if c.first, steps, err = b.server(api, h, h.Plugin, steps); err != nil {
		return nil, fault(api, h, err)
	}
	c.refusals.hook = &c.first.hook
	for len(steps) > 0 {
		r := rung{Step: steps[0]}
		steps = steps[1:]
		switch {
		case r.Kind == grapnel.StepPlugin:
			r.server, steps, err = b.server(api, h, r.Plugin, steps)
		case h.Stage != grapnel.Auth && r.Kind == grapnel.StepCached:
			err = errors.New("on_error: cached is for auth hooks")
		case h.Stage == grapnel.Auth && r.Kind == grapnel.StepIgnore && !h.FailOpen:
			err = errors.New("on_error: ignore would let everyone in")
		}
		if err != nil {
			return nil, fault(api, h, err)
		}
		c.ladder = append(c.ladder, r)
	}
	return c, nil
}

// server binds the hook to a server, with the retries that the steps begin with.
// It returns the steps after them.
func (b Binder) server(api *grapnel.API, h grapnel.Hook, name string, steps []grapnel.Step) (*server, []grapnel.Step, error) {
	p, ok := b.Servers(name)
	if !ok {
		return nil, nil, fmt.Errorf("no plugin %q", name)
	}
	n := slices.IndexFunc(steps, func(s grapnel.Step) bool { return s.Kind != grapnel.StepRetry })
	if n < 0 {
		n = len(steps)
	}
	h.Plugin, h.OnError = name, steps[:n:n]
	bound, err := p.Bind(api, h)
	if err != nil {
		return nil, nil, err
	}
	followed := slices.ContainsFunc(steps, func(s grapnel.Step) bool { return s.Kind == grapnel.StepPlugin })
	return &server{hook: h, bound: bound, tracer: b.Tracer, followed: followed}, steps[n:], nil
}

func fault(api *grapnel.API, h grapnel.Hook, err error) error {
	return fmt.Errorf("api %q, %s hook %q: %w", api.ID, h.Stage, h.Name, err)
}

// anyMay reports whether any of the hooks may be called, as far as the request
// tells.
func anyMay(calls []*call, x *grapnel.Exchange) bool {
	return slices.ContainsFunc(calls, func(c *call) bool { return c.when.May(x) })
}

// recalls reports whether the ladder has a step that needs a memory.
func (c *call) recalls() bool {
	return slices.ContainsFunc(c.ladder, func(r rung) bool { return r.Kind == grapnel.StepCached })
}
