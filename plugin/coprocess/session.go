package coprocess

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// sessionState is the wire form of a session [B-22…B-27]. The original holds
// back certificate, max_query_depth and, as recorded, key_id; natively they are
// sent [L-1, L-3].
func sessionState(s *grapnel.Session, tyk bool) *wire.SessionState {
	out := &wire.SessionState{
		LastCheck: s.LastCheck, Allowance: s.Allowance, Rate: s.Rate, Per: s.Per,
		Expires: s.Expires, DataExpires: s.DataExpires, SessionLifetime: s.SessionLifetime,
		QuotaMax: s.QuotaMax, QuotaRenews: s.QuotaRenews, QuotaRemaining: s.QuotaRemaining, QuotaRenewalRate: s.QuotaRenewalRate,
		AccessRights: accessRights(s.AccessRights),
		OrgId:        s.OrgID, Alias: s.Alias, Tags: s.Tags,
		OauthClientId: s.OAuthClientID, OauthKeys: s.OAuthKeys,
		BasicAuthData: &wire.BasicAuthData{Password: s.BasicAuthData.Password, Hash: s.BasicAuthData.Hash},
		JwtData:       &wire.JWTData{Secret: s.JWTData.Secret},
		HmacEnabled:   s.HMACEnabled, HmacSecret: s.HMACSecret,
		IsInactive:    s.IsInactive,
		ApplyPolicyId: s.ApplyPolicyID, ApplyPolicies: s.ApplyPolicies,
		Monitor:                 &wire.Monitor{TriggerLimits: s.Monitor.TriggerLimits},
		EnableDetailedRecording: s.DetailedRecording,
		Metadata:                metadata(s.Metadata),
		LastUpdated:             s.LastUpdated,
		IdExtractorDeadline:     s.IDExtractorDeadline,
		PostExpiryAction:        s.PostExpiryAction, PostExpiryGracePeriod: s.PostExpiryGrace,
	}
	if !tyk {
		out.Certificate, out.MaxQueryDepth, out.KeyId = s.Certificate, int64(s.MaxQueryDepth), text(s.KeyID)
	}
	return out
}

func accessRights(rights map[string]grapnel.AccessDefinition) map[string]*wire.AccessDefinition {
	if len(rights) == 0 {
		return nil
	}
	out := make(map[string]*wire.AccessDefinition, len(rights))
	for id, d := range rights {
		w := &wire.AccessDefinition{ApiName: d.APIName, ApiId: d.APIID, Versions: d.Versions}
		for _, u := range d.AllowedURLs {
			w.AllowedUrls = append(w.AllowedUrls, &wire.AccessSpec{Url: u.URL, Methods: u.Methods})
		}
		out[id] = w
	}
	return out
}

// metadata makes texts of a session's metadata: strings stay, all else becomes
// its JSON, and what has none is left out [B-23].
func metadata(m map[string]any) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		if s, ok := v.(string); ok {
			out[k] = s
		} else if b, err := json.Marshal(v); err == nil {
			out[k] = string(b)
		}
	}
	return out
}

// authenticated is the session that the answer to an auth hook gives, under the
// token that it names [C-4…C-9]. An answer without either refuses the client.
func (b *binding) authenticated(got *wire.Object) (*grapnel.Session, error) {
	state := got.GetSession()
	meta := make(map[string]any, len(state.GetMetadata())+len(got.GetMetadata()))
	for k, v := range state.GetMetadata() {
		meta[k] = v
	}
	for k, v := range got.GetMetadata() {
		meta[k] = v // wins [C-5]
	}
	token, _ := meta["token"].(string)
	if state == nil || token == "" {
		return nil, &grapnel.Error{Status: http.StatusForbidden, Code: grapnel.CodePluginRefused, Message: "Forbidden"}
	}
	if err := checkNumbers(state); err != nil {
		return nil, err
	}
	s := session(state)
	s.Metadata, s.KeyID, s.OrgID = meta, token, b.org
	return s, nil
}

// checkNumbers refuses numbers that no stored session can hold.
func checkNumbers(s *wire.SessionState) error {
	type number struct {
		field string
		value float64
	}
	numbers := []number{{"allowance", s.Allowance}, {"rate", s.Rate}, {"per", s.Per}}
	for _, limit := range s.GetMonitor().GetTriggerLimits() {
		numbers = append(numbers, number{"monitor.trigger_limits", limit})
	}
	for _, n := range numbers {
		if math.IsNaN(n.value) || math.IsInf(n.value, 0) {
			return fmt.Errorf("session.%s: %v is not a number", n.field, n.value)
		}
	}
	return nil
}

// session is the session that a plugin returned, without metadata [C-7].
func session(s *wire.SessionState) *grapnel.Session {
	return &grapnel.Session{
		LastCheck: s.LastCheck, Allowance: s.Allowance, Rate: s.Rate, Per: s.Per,
		Expires: s.Expires, DataExpires: s.DataExpires, SessionLifetime: s.SessionLifetime,
		QuotaMax: s.QuotaMax, QuotaRenews: s.QuotaRenews, QuotaRemaining: s.QuotaRemaining, QuotaRenewalRate: s.QuotaRenewalRate,
		AccessRights: returnedRights(s.AccessRights),
		Alias:        s.Alias, Tags: s.Tags,
		OAuthClientID: s.OauthClientId, OAuthKeys: s.OauthKeys,
		BasicAuthData: grapnel.BasicAuthData{Password: s.GetBasicAuthData().GetPassword(), Hash: s.GetBasicAuthData().GetHash()},
		JWTData:       grapnel.JWTData{Secret: s.GetJwtData().GetSecret()},
		HMACEnabled:   s.HmacEnabled, HMACSecret: s.HmacSecret,
		IsInactive:    s.IsInactive,
		ApplyPolicyID: s.ApplyPolicyId, ApplyPolicies: s.ApplyPolicies,
		Monitor:             grapnel.Monitor{TriggerLimits: s.GetMonitor().GetTriggerLimits()},
		DetailedRecording:   s.EnableDetailedRecording,
		LastUpdated:         s.LastUpdated,
		IDExtractorDeadline: s.IdExtractorDeadline,
		PostExpiryAction:    s.PostExpiryAction, PostExpiryGrace: s.PostExpiryGracePeriod,
		Certificate: s.Certificate, MaxQueryDepth: int(s.MaxQueryDepth),
	}
}

func returnedRights(rights map[string]*wire.AccessDefinition) map[string]grapnel.AccessDefinition {
	if len(rights) == 0 {
		return nil
	}
	out := make(map[string]grapnel.AccessDefinition, len(rights))
	for id, d := range rights {
		g := grapnel.AccessDefinition{APIName: d.GetApiName(), APIID: d.GetApiId(), Versions: d.GetVersions()}
		for _, u := range d.GetAllowedUrls() {
			g.AllowedURLs = append(g.AllowedURLs, grapnel.AccessSpec{URL: u.GetUrl(), Methods: u.GetMethods()})
		}
		out[id] = g
	}
	return out
}
