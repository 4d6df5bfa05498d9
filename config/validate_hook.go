package config

import (
	"errors"
	"maps"
	"slices"

	"golang.org/x/net/http/httpguts"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/condition"
)

func checkHooks(c *grapnel.Config, a *grapnel.API, at string, r *report) {
	notNegative(r, child(at, "plugins_budget"), a.PluginsBudget)
	for _, p := range placesOf(a, at) {
		checkPluginName(c, p.hook.Plugin, child(p.path, "plugin"), r)
		if p.hook.Name == "" && p.stage != grapnel.Auth && c.Compat != grapnel.CompatTyk { // [B-30, D-5]
			r.add(child(p.path, "hook"), "missing; it says which function of the plugin is asked")
		}
		if p.hook.Timeout != grapnel.Inherit { // as it stays when the plugin is unknown
			notNegative(r, child(p.path, "timeout"), p.hook.Timeout)
		}
		checkCondition(a, p, r)
		checkFailure(c, a, p, r)
		checkSend(p, r)
		checkMay(p, r)
		checkReplies(p, r)
		for i, f := range p.hook.Facts {
			oneOf(r, item(child(p.path, "facts"), i), string(f), factNames()...)
		}
		if p.hook.WriteBack && (p.stage == grapnel.Pre || p.stage == grapnel.Auth) {
			r.add(child(p.path, "write_back"), "there is no session yet whose metadata could be kept; it is for post_key_auth, post and response hooks")
		}
	}
}

func factNames() (names []string) {
	for _, f := range grapnel.Facts() {
		names = append(names, string(f))
	}
	return names
}

// checkCondition reports a condition that cannot be used; none of them can on auth
// hooks.
func checkCondition(a *grapnel.API, p place, r *report) {
	h := *p.hook
	h.Stage = p.stage
	if _, err := condition.New(a, h); err != nil {
		if fault, ok := errors.AsType[*condition.Error](err); ok {
			r.add(p.path+"."+fault.Key, "%v", fault.Err)
			return
		}
		r.add(p.path, "%v", err)
	}
}

// checkFailure reports a ladder that does not do what it seems to.
func checkFailure(c *grapnel.Config, a *grapnel.API, p place, r *report) {
	h, at := p.hook, child(p.path, "on_error")
	auth, asked := p.stage == grapnel.Auth, true
	for i, s := range h.OnError {
		here := item(at, i)
		if last := i == len(h.OnError)-1; !last && (s.Kind == grapnel.StepDeny || s.Kind == grapnel.StepIgnore) {
			r.add(here, "%s ends the list; what stands behind it is never tried", s.Kind)
			break
		}
		switch s.Kind {
		case grapnel.StepRetry:
			if !asked {
				r.add(here, "retry asks the plugin server before it once more; it stands at the beginning, or behind {plugin: NAME}")
			}
			continue
		case grapnel.StepPlugin:
			checkPluginName(c, s.Plugin, child(here, "plugin"), r)
			if s.Plugin == h.Plugin {
				r.add(child(here, "plugin"), "%q is the server that has just failed; take retry", s.Plugin)
			}
		case grapnel.StepCached:
			switch {
			case !auth:
				r.add(here, "cached is for auth hooks: it takes an earlier decision about who is calling")
			case s.MaxAge <= 0:
				r.add(child(here, "cached"), "must be more than 0: decisions grow old")
			case len(a.Auth) > 1 && !extracts(a, h):
				r.add(here, "cached needs an id_extractor where there are several methods: it says which credential the decision is about")
			}
		case grapnel.StepIgnore:
			if auth && !h.FailOpen {
				r.add(here, "would let everyone in while the plugin is down; if that is meant, say let_anyone_in_while_the_plugin_is_down: true")
			}
		}
		asked = s.Kind == grapnel.StepPlugin
	}
	ignores := slices.ContainsFunc(h.OnError, func(s grapnel.Step) bool { return s.Kind == grapnel.StepIgnore })
	if h.FailOpen && (!auth || !ignores) {
		r.add(child(p.path, "let_anyone_in_while_the_plugin_is_down"), "has no effect; it is for auth hooks whose on_error ends with ignore")
	}
	switch {
	case h.Optional && auth:
		r.add(child(p.path, "optional"), "auth hooks cannot be: who skips one is let in")
	case h.Optional && a.PluginsBudget == 0:
		r.add(child(p.path, "optional"), "has no effect without plugins_budget")
	}
}

// extracts reports whether the method of the hook has an id extractor.
func extracts(a *grapnel.API, h *grapnel.Hook) bool {
	return slices.ContainsFunc(a.Auth, func(m grapnel.AuthMethod) bool { return m.ID != nil && m.Plugin == h.Plugin && m.Hook.Name == h.Name })
}

// checkVersions reports a choice between servers that leads nowhere.
func checkVersions(c *grapnel.Config, s *grapnel.PluginServer, at string, r *report) {
	total := 0
	for _, name := range slices.Sorted(maps.Keys(s.Versions)) {
		here := child(child(at, "versions"), name)
		if weight := s.Versions[name]; weight < 0 {
			r.add(here, "must not be negative")
		} else {
			total += weight
		}
		checkVersion(c, name, here, r)
	}
	if len(s.Versions) == 0 {
		if s.Shadow != "" || s.Sticky != "" {
			r.add(at, "shadow and sticky belong to versions, and there are none")
		}
		return
	}
	if total == 0 {
		r.add(child(at, "versions"), "none of them has a weight")
	}
	if s.Shadow != "" {
		checkVersion(c, s.Shadow, child(at, "shadow"), r)
	}
	if s.Sticky != "" && !httpguts.ValidHeaderFieldName(s.Sticky) {
		r.add(child(at, "sticky"), "%q is neither session nor the name of a header", s.Sticky)
	}
}

// checkVersion reports a version that is not a server.
func checkVersion(c *grapnel.Config, name, at string, r *report) {
	checkPluginName(c, name, at, r)
	if v := c.Plugins[name]; v != nil && len(v.Versions) > 0 {
		r.add(at, "%q has versions itself; name those", name)
	}
}
