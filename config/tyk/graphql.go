package tyk

import (
	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/config"
)

// graphQL is graphql, as far as it has an effect [7.2].
type graphQL struct {
	Enabled       bool       `json:"enabled"`
	ExecutionMode string     `json:"execution_mode"`
	Schema        string     `json:"schema"`
	Playground    enabled    `json:"playground"`
	Introspection switchable `json:"introspection"`
	Proxy         graphProxy `json:"proxy"`
}

type switchable struct {
	Disabled bool `json:"disabled"`
}

type graphProxy struct {
	AuthHeaders    map[string]string `json:"auth_headers"`
	RequestHeaders map[string]string `json:"request_headers"`
}

// graphQL says what may be asked of a GraphQL API. The original bounds queries
// by key only; against queries that no honest client sends, the gateway's own
// bounds hold.
func (t *translation) graphQL() *grapnel.GraphQL {
	d := t.d.GraphQL
	if !d.Enabled {
		return nil
	}
	if m := d.ExecutionMode; m != "" && m != "proxyOnly" {
		t.refuse("graphql.execution_mode", "%q would have the gateway run queries itself; only proxyOnly is supported", m)
	}
	if err := config.CheckSchema(d.Schema); err != nil {
		t.refuse("graphql.schema", "%v", err)
	}
	if d.Playground.Enabled {
		t.warn("graphql.playground", "has no effect: no playground is served")
	}
	if len(d.Proxy.AuthHeaders)+len(d.Proxy.RequestHeaders) > 0 {
		t.warn("graphql.proxy", "its headers are not added; let a hook or transform_headers do so")
	}
	g := &grapnel.GraphQL{}
	g.SetDefaults()
	g.MaxDepth, g.MaxAliases = 0, 0
	g.Introspection = !d.Introspection.Disabled
	g.Schema = d.Schema
	return g
}
