package keys

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/grapnel-gateway/grapnel"
)

// same reports whether two sessions have one stored form, which every request
// asks that an auth hook has answered. A list or map that is empty is the same as
// one that is not there: stores do not keep the difference. The ids are not
// stored.
func same(a, b *grapnel.Session) bool {
	return sameLimits(a, b) && sameIdentity(a, b) &&
		maps.EqualFunc(a.AccessRights, b.AccessRights, sameRight) &&
		maps.EqualFunc(a.Metadata, b.Metadata, grapnel.SameValue) &&
		maps.Equal(a.OAuthKeys, b.OAuthKeys) &&
		slices.Equal(a.Tags, b.Tags) &&
		slices.Equal(a.ApplyPolicies, b.ApplyPolicies) &&
		slices.Equal(a.Monitor.TriggerLimits, b.Monitor.TriggerLimits) &&
		sameExtra(a.Extra, b.Extra)
}

func sameLimits(a, b *grapnel.Session) bool {
	return a.LastCheck == b.LastCheck && a.Allowance == b.Allowance &&
		a.Rate == b.Rate && a.Per == b.Per &&
		a.ThrottleInterval == b.ThrottleInterval && a.ThrottleRetryLimit == b.ThrottleRetryLimit &&
		a.MaxQueryDepth == b.MaxQueryDepth &&
		a.QuotaMax == b.QuotaMax && a.QuotaRenews == b.QuotaRenews &&
		a.QuotaRemaining == b.QuotaRemaining && a.QuotaRenewalRate == b.QuotaRenewalRate &&
		a.Expires == b.Expires && a.DataExpires == b.DataExpires &&
		a.IDExtractorDeadline == b.IDExtractorDeadline && a.SessionLifetime == b.SessionLifetime &&
		a.PostExpiryAction == b.PostExpiryAction && a.PostExpiryGrace == b.PostExpiryGrace
}

func sameIdentity(a, b *grapnel.Session) bool {
	return a.DateCreated == b.DateCreated && a.LastUpdated == b.LastUpdated &&
		a.OrgID == b.OrgID && a.Alias == b.Alias &&
		a.OAuthClientID == b.OAuthClientID && a.Certificate == b.Certificate &&
		a.BasicAuthData == b.BasicAuthData && a.JWTData == b.JWTData &&
		a.HMACEnabled == b.HMACEnabled && a.HMACSecret == b.HMACSecret &&
		a.SignatureValidation == b.SignatureValidation && a.RSACertificateID == b.RSACertificateID &&
		a.IsInactive == b.IsInactive && a.ApplyPolicyID == b.ApplyPolicyID &&
		a.DetailedRecording == b.DetailedRecording
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
