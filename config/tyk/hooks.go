package tyk

import (
	"fmt"
	"maps"
	"slices"

	"github.com/grapnel-gateway/grapnel"
)

const (
	driverGRPC     = "grpc" // exactly so [5.1]
	defaultHeader  = "Authorization"
	customIdentity = "custom_auth" // in base_identity_provided_by [C-21]
)

// hooks translates the four lists of hooks.
func (t *translation) hooks() grapnel.Hooks {
	m := t.d.CustomMiddleware
	h := grapnel.Hooks{
		Pre:         list(m.Pre, grapnel.Pre),
		PostKeyAuth: list(m.PostKeyAuth, grapnel.PostKeyAuth),
		Post:        list(m.Post, grapnel.Post),
		Response:    list(m.Response, grapnel.Response),
	}
	if t.d.UseKeyless && len(h.PostKeyAuth) > 0 {
		t.warn("custom_middleware.post_key_auth", "does not run: the API is keyless [M-2]")
		h.PostKeyAuth = nil
	}
	return h
}

// list leaves out what is disabled [D-4].
func list(hooks []hook, stage grapnel.Stage) []grapnel.Hook {
	var out []grapnel.Hook
	for _, h := range hooks {
		if !h.Disabled {
			out = append(out, grapnel.Hook{
				Plugin: PluginName, Name: h.Name, Timeout: grapnel.Inherit, RawBodyOnly: h.RawBodyOnly, Stage: stage,
			})
		}
	}
	return out
}

// auth translates custom authentication. A hook that is nameless or disabled is
// asked all the same, without a name: only the switch of the API turns it off
// [B-30, D-9].
func (t *translation) auth() []grapnel.AuthMethod {
	if t.d.UseKeyless || !t.d.custom() {
		if check := t.d.CustomMiddleware.AuthCheck; check.Name != "" && !check.Disabled {
			t.warn("custom_middleware.auth_check", "is not asked: custom_plugin_auth_enabled is off or the API is keyless [C-1]")
		}
		return nil
	}
	h := grapnel.Hook{Plugin: PluginName, Timeout: grapnel.Inherit, Stage: grapnel.Auth}
	switch check := t.d.CustomMiddleware.AuthCheck; {
	case check.Disabled:
		t.warn("custom_middleware.auth_check.disabled",
			"does not switch the hook off: it is asked without a name; clear custom_plugin_auth_enabled instead [D-9]")
	case check.Name != "":
		h.Name, h.RawBodyOnly = check.Name, check.RawBodyOnly
	}
	if !t.d.DisableRateLimit {
		t.warn("disable_rate_limit", "RATES ARE NOT LIMITED: this version does not enforce the rate of a plugin's session")
	}
	if !t.d.DisableQuota {
		t.warn("disable_quota", "QUOTAS ARE NOT ENFORCED: this version does not count against the quota of a plugin's session")
	}
	return []grapnel.AuthMethod{{Hook: h}}
}

// credential says where callers put what strip_auth_data removes.
func (t *translation) credential() grapnel.Credential {
	p := t.d.Auth
	if own := t.d.AuthConfigs.CoProcess; own != nil {
		p = *own
	}
	c := grapnel.Credential{Header: orDefault(p.Header, defaultHeader), Strip: t.d.StripAuthData}
	if p.DisableHeader {
		c.Header = ""
	}
	if p.UseParam {
		c.Param = orDefault(p.Param, orDefault(p.Header, defaultHeader))
	}
	if p.UseCookie {
		c.Cookie = orDefault(p.Cookie, orDefault(p.Header, defaultHeader))
	}
	return c
}

// events translates the handlers of the events that this gateway fires [11].
func (t *translation) events() map[grapnel.EventType][]grapnel.EventHandler {
	out := map[grapnel.EventType][]grapnel.EventHandler{}
	for _, name := range slices.Sorted(maps.Keys(t.d.EventHandlers.Events)) {
		handlers := t.d.EventHandlers.Events[name]
		event := grapnel.EventType(name)
		at := "event_handlers.events." + name
		if !slices.Contains(grapnel.EventTypes(), event) {
			if len(handlers) > 0 {
				t.warn(at, "has no effect: this version does not fire the event")
			}
			continue
		}
		for i, h := range handlers {
			if handler, ok := t.event(fmt.Sprintf("%s[%d]", at, i), h); ok {
				out[event] = append(out[event], handler)
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// event translates one handler. One that cannot be told is left out, as in the
// original [E-2].
func (t *translation) event(at string, h eventHandler) (grapnel.EventHandler, bool) {
	switch {
	case h.Name == "eh_log_handler":
		return grapnel.EventHandler{Name: h.Meta.Prefix}, true
	case h.Name != "cp_dynamic_handler":
		t.warn(at, "has no effect: the handler %q is not supported; cp_dynamic_handler and eh_log_handler are", h.Name)
	case t.d.CustomMiddleware.Driver != driverGRPC || !t.conf.hasPlugins():
		t.warn(at, "has no effect: the handler needs the driver \"grpc\" and a coprocess_grpc_server [E-2]")
	case h.Meta.Name == "":
		t.warn(at, "has no effect: handler_meta.name is empty")
	default:
		return grapnel.EventHandler{Plugin: PluginName, Name: h.Meta.Name}, true
	}
	return grapnel.EventHandler{}, false
}
