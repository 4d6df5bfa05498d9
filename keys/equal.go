package keys

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"github.com/grapnel-gateway/grapnel"
)

// same reports whether two sessions have one stored form. A list or map that is
// empty is the same as one that is not there: stores do not keep the difference.
func same(a, b *grapnel.Session) bool {
	if !maps.EqualFunc(a.AccessRights, b.AccessRights, sameRight) ||
		!maps.EqualFunc(a.Metadata, b.Metadata, func(x, y any) bool { return reflect.DeepEqual(x, y) }) ||
		!maps.Equal(a.OAuthKeys, b.OAuthKeys) ||
		!slices.Equal(a.Tags, b.Tags) ||
		!slices.Equal(a.ApplyPolicies, b.ApplyPolicies) ||
		!slices.Equal(a.Monitor.TriggerLimits, b.Monitor.TriggerLimits) ||
		!sameExtra(a.Extra, b.Extra) {
		return false
	}
	return reflect.DeepEqual(plain(a), plain(b))
}

// plain is what is left of a session to compare: everything but the ids, which
// are not stored, and the maps and lists.
func plain(s *grapnel.Session) *grapnel.Session {
	p := *s
	p.KeyID, p.StoreID = "", ""
	p.AccessRights, p.Metadata, p.OAuthKeys, p.Tags = nil, nil, nil, nil
	p.ApplyPolicies, p.Monitor.TriggerLimits, p.Extra = nil, nil, nil
	return &p
}

func sameRight(a, b grapnel.AccessDefinition) bool {
	return a.APIName == b.APIName && a.APIID == b.APIID && a.Limit == b.Limit && a.Scope == b.Scope &&
		slices.Equal(a.Versions, b.Versions) &&
		slices.EqualFunc(a.AllowedURLs, b.AllowedURLs, func(x, y grapnel.AccessSpec) bool {
			return x.URL == y.URL && slices.Equal(x.Methods, y.Methods)
		}) &&
		slices.EqualFunc(a.Endpoints, b.Endpoints, func(x, y grapnel.EndpointLimit) bool {
			return x.Path == y.Path && slices.Equal(x.Methods, y.Methods)
		}) &&
		sameExtra(a.Extra, b.Extra)
}

// sameExtra compares keys that this gateway does not know. One that says nothing
// is the same as one that is not there: stores write some of them on their own.
func sameExtra(a, b map[string]json.RawMessage) bool {
	covers := func(a, b map[string]json.RawMessage) bool {
		for key, value := range a {
			switch string(value) {
			case string(b[key]), "null", "false":
			default:
				return false
			}
		}
		return true
	}
	return covers(a, b) && covers(b, a)
}
