package config

import (
	"slices"

	"github.com/grapnel-gateway/grapnel"
)

// checkOAuth reports an authorization server that could give no tokens, or whose
// tokens would lie in the store for everyone to read.
func checkOAuth(c *grapnel.Config, a *grapnel.API, o *grapnel.OAuthAuth, at string, r *report) {
	if a.OAuth() != o {
		r.add(at, "an API has one authorization server")
	}
	if o.Header == "" {
		r.add(child(at, "header"), "must not be empty")
	}
	if !c.Keys.Hash && c.Compat != grapnel.CompatTyk { // which stores them as the operator has it
		r.add(at, "needs keys.hash: access tokens must not be stored as they are")
	}
	grants := child(at, "grants")
	for i, name := range o.Grants {
		oneOf(r, item(grants, i), name, grapnel.GrantClientCredentials, grapnel.GrantAuthorizationCode, grapnel.GrantRefreshToken)
	}
	codes := slices.Contains(o.Grants, grapnel.GrantAuthorizationCode)
	switch {
	case len(o.Grants) == 0 && c.Compat != grapnel.CompatTyk:
		r.add(grants, "missing; no client could get a token")
	case slices.Contains(o.Grants, grapnel.GrantRefreshToken) && !codes && c.Compat != grapnel.CompatTyk:
		r.add(grants, "refresh_token has no effect without authorization_code")
	}
	if o.Login != nil {
		checkScheme(r, child(at, "login"), o.Login, "http", "https")
	}
	if o.AccessLifetime <= 0 {
		r.add(child(at, "access_lifetime"), "must be more than 0")
	}
	if o.RefreshLifetime <= 0 {
		r.add(child(at, "refresh_lifetime"), "must be more than 0")
	}
}

// checkIntrospection reports a foreign authorization server that could not be
// asked.
func checkIntrospection(i *grapnel.IntrospectionAuth, at string, r *report) {
	if i.URL == nil {
		r.add(child(at, "url"), "missing; it is where the authorization server answers questions about tokens")
	} else {
		checkScheme(r, child(at, "url"), i.URL, "http", "https")
	}
	if i.ClientSecret != "" && i.ClientID == "" {
		r.add(child(at, "client_id"), "missing; a secret without it is of no use")
	}
	if i.Timeout <= 0 {
		r.add(child(at, "timeout"), "must be more than 0")
	}
	notNegative(r, child(at, "cache"), i.Cache)
}
