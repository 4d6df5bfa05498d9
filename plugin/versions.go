package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"

	"github.com/twmb/murmur3"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/condition"
)

// NewVersions makes a plugin that is a choice between others. An exchange keeps to
// one version in all its hooks. Close ends what is under way to the shadow; the
// others stay open, they are not its own.
func NewVersions(s grapnel.PluginServer, servers Lookup) (grapnel.Plugin, error) {
	v := &versions{name: s.Name, sticky: s.Sticky}
	for _, name := range slices.Sorted(maps.Keys(s.Versions)) {
		p, ok := servers(name)
		if !ok {
			return nil, fmt.Errorf("versions: no plugin %q", name)
		}
		v.all = append(v.all, version{name, max(s.Versions[name], 0), p})
		v.total += uint64(max(s.Versions[name], 0))
	}
	if v.total == 0 {
		return nil, errors.New("versions: none of them has a weight")
	}
	if s.Shadow != "" {
		p, ok := servers(s.Shadow)
		if !ok {
			return nil, fmt.Errorf("shadow: no plugin %q", s.Shadow)
		}
		v.shadow = newShadow(s.Shadow, p)
	}
	return v, nil
}

// versions implement [grapnel.Plugin].
type versions struct {
	name   string
	sticky string // session, the name of a header, or nothing
	all    []version
	total  uint64  // of the weights
	shadow *shadow // nil is none
}

type version struct {
	name   string
	weight int
	plugin grapnel.Plugin
}

// Bind prepares the hook for every version.
func (v *versions) Bind(api *grapnel.API, h grapnel.Hook) (grapnel.Binding, error) {
	b := &versionsBinding{versions: v, hook: h}
	for _, one := range v.all {
		h.Plugin = one.name
		bound, err := one.plugin.Bind(api, h)
		if err != nil {
			return nil, fmt.Errorf("version %q: %w", one.name, err)
		}
		b.bound = append(b.bound, bound)
	}
	if v.shadow != nil {
		var err error
		if b.trial, err = v.shadow.bind(api, h); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Notify tells one of the versions, by their weights.
func (v *versions) Notify(ctx context.Context, handler string, e grapnel.Event) error {
	return v.all[v.pick(rand.Uint64())].plugin.Notify(ctx, handler, e)
}

// State is the best state of a version, and what came of the shadow; the rest the
// versions tell themselves.
func (v *versions) State() grapnel.PluginState {
	order := []string{"ready", "connecting", "idle", "failing"}
	best := len(order) - 1
	for _, one := range v.all {
		if i := slices.Index(order, one.plugin.State().State); i >= 0 {
			best = min(best, i)
		}
	}
	s := grapnel.PluginState{State: order[best], Breaker: "closed"}
	if v.shadow != nil {
		s.Shadow = v.shadow.state()
	}
	return s
}

// Close ends the calls to the shadow.
func (v *versions) Close() error {
	if v.shadow != nil {
		v.shadow.close()
	}
	return nil
}

// choose is the version that the exchange keeps to.
func (v *versions) choose(x *grapnel.Exchange) int {
	if name, ok := x.Chosen[v.name]; ok {
		return slices.IndexFunc(v.all, func(one version) bool { return one.name == name })
	}
	at := rand.Uint64()
	if v.sticky != "" {
		at = murmur3.StringSum64(v.name + "\x00" + v.caller(x))
	}
	i := v.pick(at)
	if x.Chosen == nil {
		x.Chosen = map[string]string{}
	}
	x.Chosen[v.name] = v.all[i].name
	return i
}

// caller is what keeps to a version: the header, or the session by what stands for
// it before there is one; else whatever the caller is known by.
func (v *versions) caller(x *grapnel.Exchange) string {
	if v.sticky != "session" {
		return cmp.Or(x.Request.Header.Get(v.sticky), condition.Caller(x))
	}
	return cmp.Or(x.API.Credential.Find(x.Request), condition.Caller(x))
}

// pick takes a version by its weight. As weights move, only as many callers move as
// must.
func (v *versions) pick(at uint64) int {
	at %= v.total
	for i, one := range v.all {
		if at < uint64(one.weight) {
			return i
		}
		at -= uint64(one.weight)
	}
	return 0
}

// A versionsBinding is one hook, bound to every version.
type versionsBinding struct {
	*versions
	hook  grapnel.Hook
	bound []grapnel.Binding
	trial *trial // nil without a shadow
}

// Request asks the exchange's version.
func (b *versionsBinding) Request(ctx context.Context, x *grapnel.Exchange) (*http.Response, error) {
	return b.put(ctx, question{x: x})
}

// Response asks the exchange's version.
func (b *versionsBinding) Response(ctx context.Context, x *grapnel.Exchange, reply *http.Response) (*http.Response, error) {
	return b.put(ctx, question{x: x, reply: reply})
}

func (b *versionsBinding) put(ctx context.Context, q question) (*http.Response, error) {
	i := b.choose(q.x)
	if n := len(q.x.Calls); n > 0 {
		q.x.Calls[n-1].Plugin = b.all[i].name
	}
	if b.trial == nil || b.hook.Stream || b.shadow.name == b.all[i].name || b.shadow.busy() {
		return q.put(ctx, b.bound[i])
	}
	again := q.copied()
	resp, err := q.put(ctx, b.bound[i])
	b.trial.start(again, q.effect(resp, err))
	return resp, err
}
