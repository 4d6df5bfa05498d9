package config

import "github.com/grapnel-gateway/grapnel"

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
			if s := c.Plugins[p.hook.Plugin]; s != nil && p.hook.Timeout == grapnel.Inherit {
				p.hook.Timeout = s.Timeout
			}
		}
	}
}

// fillCredential has events tell the key that the first method with a place of
// its own looks at.
func fillCredential(a *grapnel.API) {
	for _, m := range a.Auth {
		switch {
		case m.Token != nil:
			a.Credential = m.Token.Credential
		case m.JWT != nil:
			a.Credential = m.JWT.Credential
		case m.Basic != nil:
			a.Credential = grapnel.Credential{Header: m.Basic.Header}
		case m.HMAC != nil:
			a.Credential = grapnel.Credential{Header: m.HMAC.Header}
		case m.OAuth != nil:
			a.Credential = grapnel.Credential{Header: m.OAuth.Header}
		case m.Introspection != nil:
			a.Credential = m.Introspection.Credential
		default:
			continue
		}
		return
	}
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
