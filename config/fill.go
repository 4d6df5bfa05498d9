package config

import (
	"github.com/grapnel-gateway/grapnel"
)

// fill puts in what the configuration leaves to be inherited or derived.
func fill(c *grapnel.Config) {
	for name, s := range c.Plugins {
		s.Name = name
	}
	for _, a := range c.APIs {
		a.Sessions.Hashed = c.Keys.Hash
		if a.Name == "" {
			a.Name = a.ID
		}
		if a.MaxBody == -1 {
			a.MaxBody = c.Limits.Body
		}
		if a.Upstream.Timeout == grapnel.Inherit {
			a.Upstream.Timeout = c.Timeouts.Upstream
		}
		if c.Compat != grapnel.CompatTyk { // which has a place of its own
			fillCredential(a)
		}
		if a.Target != nil && len(a.Targets) == 0 {
			a.Targets = []*grapnel.URL{a.Target}
		}
		for _, p := range placesOf(a, "") {
			p.hook.Stage = p.stage
			s := c.Plugins[p.hook.Plugin]
			if s != nil && p.hook.Timeout == grapnel.Inherit {
				p.hook.Timeout = s.Timeout
			}
			if s != nil && !isTyk(c, s) {
				fillSend(p)
			}
		}
	}
}

// isTyk reports whether the plugins of a server, or of one of its versions, are used
// to what Tyk sends.
func isTyk(c *grapnel.Config, s *grapnel.PluginServer) bool {
	for name := range s.Versions {
		if v := c.Plugins[name]; v != nil && v.Compat == grapnel.CompatTyk {
			return true
		}
	}
	return s.Compat == grapnel.CompatTyk || c.Compat == grapnel.CompatTyk
}

// fillSend keeps the secrets of a session from plugins, unless the hook says that
// it is sent them. The plugins of Tyk configurations see what they always saw
// [L-22, L-49].
func fillSend(p place) {
	if p.stage == grapnel.Pre || p.stage == grapnel.Auth {
		return // there is no session yet
	}
	if send := &p.hook.Send; send.Session == "" {
		send.Session = grapnel.SessionRedacted
	}
}

// fillCredential has events tell the key that the first method with a place of
// its own looks at.
func fillCredential(a *grapnel.API) {
	for _, m := range a.Auth {
		if place := credentialOf(m); place != (grapnel.Credential{}) {
			a.Credential = place
			return
		}
	}
}

// credentialOf is where a method looks for what proves who is calling; the zero
// value where it has no place of its own.
func credentialOf(m grapnel.AuthMethod) grapnel.Credential {
	switch {
	case m.Token != nil:
		return m.Token.Credential
	case m.JWT != nil:
		return m.JWT.Credential
	case m.Basic != nil:
		return grapnel.Credential{Header: m.Basic.Header}
	case m.HMAC != nil:
		return grapnel.Credential{Header: m.HMAC.Header}
	case m.OAuth != nil:
		return grapnel.Credential{Header: m.OAuth.Header}
	case m.Introspection != nil:
		return m.Introspection.Credential
	}
	return grapnel.Credential{}
}

// A place is a hook and where it stands, in the configuration and on the
// exchange's way.
type place struct {
	path  string
	stage grapnel.Stage
	hook  *grapnel.Hook
}

// placesOf lists the hooks of the API at path, those that authenticate among them.
func placesOf(a *grapnel.API, path string) []place {
	var places []place
	for i := range a.Auth {
		if m := &a.Auth[i]; m.Asks() {
			places = append(places, place{item(child(path, "auth"), i), grapnel.Auth, &m.Hook})
		}
	}
	list := func(hooks []grapnel.Hook, stage grapnel.Stage) {
		at := child(child(path, "hooks"), stage.String())
		for i := range hooks {
			places = append(places, place{item(at, i), stage, &hooks[i]})
		}
	}
	list(a.Hooks.Pre, grapnel.Pre)
	list(a.Hooks.PostKeyAuth, grapnel.PostKeyAuth)
	list(a.Hooks.Post, grapnel.Post)
	list(a.Hooks.Response, grapnel.Response)
	return places
}
