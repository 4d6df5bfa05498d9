package auth

import (
	"cmp"
	"encoding/json"
	"maps"

	"github.com/grapnel-gateway/grapnel"
)

// inherit completes the session that a plugin returned with what the stored one
// knows better. The plugin's takes its place [C-7], but for the state of its
// quotas [C-11], and for what the original's message has no place for: what of
// this the plugin leaves out, as one that does not know it does, would else be
// lost with every call [L-20].
func inherit(s, stored *grapnel.Session) {
	s.QuotaRenews, s.QuotaRemaining = stored.QuotaRenews, stored.QuotaRemaining
	s.ThrottleInterval = cmp.Or(s.ThrottleInterval, stored.ThrottleInterval)
	s.ThrottleRetryLimit = cmp.Or(s.ThrottleRetryLimit, stored.ThrottleRetryLimit)
	s.DateCreated = cmp.Or(s.DateCreated, stored.DateCreated)
	s.SignatureValidation = s.SignatureValidation || stored.SignatureValidation
	s.RSACertificateID = cmp.Or(s.RSACertificateID, stored.RSACertificateID)
	s.Extra = inheritExtra(s.Extra, stored.Extra)
	for id, right := range s.AccessRights {
		before, ok := stored.AccessRights[id]
		if !ok {
			continue
		}
		before = before.Clone()
		if right.Limit == (grapnel.APILimit{}) {
			right.Limit, right.Scope = before.Limit, before.Scope
		} else {
			right.Limit.QuotaRenews, right.Limit.QuotaRemaining = before.Limit.QuotaRenews, before.Limit.QuotaRemaining
		}
		if len(right.Endpoints) == 0 {
			right.Endpoints = before.Endpoints
		}
		right.Extra = inheritExtra(right.Extra, before.Extra)
		s.AccessRights[id] = right
	}
	for key, value := range s.Metadata {
		if before, ok := stored.Metadata[key]; ok && sentAs(before, value) {
			s.Metadata[key] = before
		}
	}
}

// inheritExtra adds to what a plugin returned what is stored under other keys.
func inheritExtra(returned, stored map[string]json.RawMessage) map[string]json.RawMessage {
	all := maps.Clone(stored)
	if all == nil {
		return returned
	}
	maps.Copy(all, returned)
	return all
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
