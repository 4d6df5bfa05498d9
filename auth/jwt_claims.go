package auth

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// claims are what a token says of its bearer. Numbers are json.Number.
type claims map[string]any

// time returns a claim that tells a time, in Unix seconds; ok says that it does,
// or that there is none.
func (c claims) time(name string) (seconds float64, given, ok bool) {
	v, given := c[name]
	if !given {
		return 0, false, true
	}
	n, isNumber := v.(json.Number)
	seconds, err := n.Float64()
	return seconds, true, isNumber && err == nil
}

// text returns a claim that is text or a number; empty is none.
func (c claims) text(name string) string {
	switch v := c[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// list returns a claim that is one text or several, without empty ones.
func (c claims) list(name string) []string {
	values, several := c[name].([]any)
	if !several {
		values = []any{c[name]}
	}
	var out []string
	for _, v := range values {
		if s, ok := v.(string); ok && s != "" {
			out = append(out, s)
		}
	}
	return out
}

// invalid says why a verified token does not count here and now; empty is that
// it does. Clients are told the reason.
func (b *bearer) invalid(c claims, at time.Time) string {
	now, skew := float64(at.UnixMilli())/1000, b.config.Skew
	within := func(d time.Duration) float64 { return (time.Duration(b.config.ClockSkew) + d).Seconds() }
	exp, expires, expOK := c.time("exp")
	nbf, _, nbfOK := c.time("nbf")
	iat, _, iatOK := c.time("iat")
	switch {
	case !expOK || !nbfOK || !iatOK:
		return "token has a time that is none"
	case !expires && b.config.RequireExpiry:
		return "token never expires"
	case expires && now >= exp+within(time.Duration(skew.ExpiresAt)):
		return "token has expired"
	case now < nbf-within(time.Duration(skew.NotBefore)):
		return "token is not valid yet"
	case now < iat-within(time.Duration(skew.IssuedAt)):
		return "token used before issued"
	case b.config.Issuer != "" && c["iss"] != b.config.Issuer:
		return "token has invalid issuer"
	}
	if want := b.config.Audience; len(want) > 0 {
		meant := func(name string) bool { return slices.Contains(want, name) }
		if !slices.ContainsFunc(c.list("aud"), meant) {
			return "token has invalid audience"
		}
	}
	return ""
}

// identity returns who is calling: the claim that the API names, or else sub
// [7.2].
func (b *bearer) identity(c claims) string {
	if name := b.config.IdentityClaim; name != "" && name != "sub" {
		if v := c.text(name); v != "" {
			return v
		}
	}
	return c.text("sub")
}

// policies returns the policies of a token: those that it names, and those of
// its scopes. The default ones are for tokens that have neither claim; ok is
// false when a token has one that leads to nothing.
func (b *bearer) policies(c claims) (policies []string, ok bool) {
	named := false
	if claim := b.config.PolicyClaim; claim != "" {
		policies = c.list(claim)
		named = len(policies) > 0
	}
	if scopes := b.config.Scope; len(scopes.Policies) > 0 {
		given := c.list(scopes.Claim)
		if len(given) == 1 { // as OAuth 2.0 has them [RFC 8693 4.2]
			given = strings.Fields(given[0])
		}
		for _, scope := range given {
			if p := scopes.Policies[scope]; p != "" && !slices.Contains(policies, p) {
				policies = append(policies, p)
			}
		}
		named = named || len(given) > 0
	}
	if !named {
		policies = b.config.DefaultPolicies
	}
	return policies, len(policies) > 0
}
