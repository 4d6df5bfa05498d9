package auth

import (
	"encoding/json"
	"maps"

	"github.com/grapnel-gateway/grapnel"
)

// inherit completes the session that a plugin returned with what the stored one
// knows better. The plugin's takes its place [C-7], but for the state of its
// quotas [C-11], and for what has no place on the wire and would else be lost
// with every call [L-20].
func inherit(s, stored *grapnel.Session) {
	s.QuotaRenews, s.QuotaRemaining = stored.QuotaRenews, stored.QuotaRemaining
	s.ThrottleInterval, s.ThrottleRetryLimit = stored.ThrottleInterval, stored.ThrottleRetryLimit
	s.DateCreated = stored.DateCreated
	s.SignatureValidation, s.RSACertificateID = stored.SignatureValidation, stored.RSACertificateID
	s.Extra = maps.Clone(stored.Extra)
	for id, right := range s.AccessRights {
		before, ok := stored.AccessRights[id]
		if !ok {
			continue
		}
		before = before.Clone()
		right.Limit, right.Scope, right.Endpoints, right.Extra = before.Limit, before.Scope, before.Endpoints, before.Extra
		s.AccessRights[id] = right
	}
	for key, value := range s.Metadata {
		if before, ok := stored.Metadata[key]; ok && sentAs(before, value) {
			s.Metadata[key] = before
		}
	}
}

// sentAs reports whether a stored value of the metadata becomes this text on the
// wire, where there is nothing but texts: then it keeps its type [L-30].
func sentAs(stored, text any) bool {
	if _, ok := stored.(string); ok {
		return false // is a text already
	}
	b, err := json.Marshal(stored)
	return err == nil && string(b) == text
}
