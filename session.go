package grapnel

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
)

// A Session is who is calling and what they may do. Its JSON is that of the
// original's stored keys [S-1…S-3]; times are Unix seconds, spans are seconds.
type Session struct {
	// KeyID is the credential that stands for the session; plugins see it
	// as session.key_id [B-27]. It is not part of the stored form.
	KeyID string `json:"-"`
	// StoreID is the id under which the session is stored, and counted
	// [Z-1, Z-7]; empty while it is not stored.
	StoreID string `json:"-"`
	// Extra holds the keys of the stored form that this gateway does not
	// know. They are written back as they were read [Z-23].
	Extra map[string]json.RawMessage `json:"-"`

	LastCheck           int64                       `json:"last_check"`
	Allowance           float64                     `json:"allowance"`
	Rate                float64                     `json:"rate"`
	Per                 float64                     `json:"per"`
	ThrottleInterval    float64                     `json:"throttle_interval"`
	ThrottleRetryLimit  int                         `json:"throttle_retry_limit"`
	MaxQueryDepth       int                         `json:"max_query_depth"`
	DateCreated         string                      `json:"date_created,omitempty"`
	Expires             int64                       `json:"expires"`
	QuotaMax            int64                       `json:"quota_max"`
	QuotaRenews         int64                       `json:"quota_renews"`
	QuotaRemaining      int64                       `json:"quota_remaining"`
	QuotaRenewalRate    int64                       `json:"quota_renewal_rate"`
	AccessRights        map[string]AccessDefinition `json:"access_rights"`
	OrgID               string                      `json:"org_id"`
	OAuthClientID       string                      `json:"oauth_client_id"`
	OAuthKeys           map[string]string           `json:"oauth_keys"`
	Certificate         string                      `json:"certificate"`
	BasicAuthData       BasicAuthData               `json:"basic_auth_data"`
	JWTData             JWTData                     `json:"jwt_data"`
	HMACEnabled         bool                        `json:"hmac_enabled"`
	SignatureValidation bool                        `json:"enable_http_signature_validation"`
	HMACSecret          string                      `json:"hmac_string"`
	RSACertificateID    string                      `json:"rsa_certificate_id"`
	IsInactive          bool                        `json:"is_inactive"`
	ApplyPolicyID       string                      `json:"apply_policy_id"`
	ApplyPolicies       []string                    `json:"apply_policies"`
	DataExpires         int64                       `json:"data_expires"`
	Monitor             Monitor                     `json:"monitor"`
	DetailedRecording   bool                        `json:"enable_detailed_recording"`
	Metadata            map[string]any              `json:"meta_data"`
	Tags                []string                    `json:"tags"`
	Alias               string                      `json:"alias"`
	LastUpdated         string                      `json:"last_updated"`
	IDExtractorDeadline int64                       `json:"id_extractor_deadline"`
	SessionLifetime     int64                       `json:"session_lifetime"`
	PostExpiryAction    string                      `json:"post_expiry_action,omitempty"`
	PostExpiryGrace     int64                       `json:"post_expiry_grace_period,omitempty"`
}

// Clone returns a deep copy. Only raw JSON, into which nobody writes, is shared.
func (s *Session) Clone() *Session {
	c := *s
	c.Extra = maps.Clone(s.Extra)
	c.AccessRights = maps.Clone(s.AccessRights)
	for id, right := range c.AccessRights {
		c.AccessRights[id] = right.Clone()
	}
	c.OAuthKeys = maps.Clone(s.OAuthKeys)
	c.ApplyPolicies = slices.Clone(s.ApplyPolicies)
	c.Monitor.TriggerLimits = slices.Clone(s.Monitor.TriggerLimits)
	c.Metadata, _ = cloneValue(s.Metadata).(map[string]any)
	c.Tags = slices.Clone(s.Tags)
	return &c
}

// cloneValue copies a value as JSON has them.
func cloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := maps.Clone(v)
		for key, value := range c {
			c[key] = cloneValue(value)
		}
		return c
	case []any:
		c := slices.Clone(v)
		for i, value := range c {
			c[i] = cloneValue(value)
		}
		return c
	}
	return v
}

// SameValue compares two values as JSON has them, and any others.
func SameValue(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, SameValue)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, SameValue)
	case nil, string, bool, float64, json.Number:
		return a == b
	}
	return reflect.DeepEqual(a, b)
}

// CounterKey names what the session's calls of an API are counted under: its
// own limits, or those that its right has for the API [S-30, Z-4, Z-7]. A
// session that is not stored is counted by a hash of its credential, so that no
// store holds it in clear.
func (s *Session) CounterKey(apiID string) string {
	key := s.StoreID
	if key == "" {
		sum := sha256.Sum256([]byte(s.KeyID))
		key = hex.EncodeToString(sum[:])
	}
	if right, ok := s.AccessRights[apiID]; ok && right.Limit != (APILimit{}) {
		return cmp.Or(right.Scope, apiID) + "-" + key
	}
	return key
}

// An AccessDefinition is the right to call one API [S-3].
type AccessDefinition struct {
	APIName     string       `json:"api_name"`
	APIID       string       `json:"api_id"`
	Versions    []string     `json:"versions"`
	AllowedURLs []AccessSpec `json:"allowed_urls"`
	// Limit, when not empty, takes the place of the session's own numbers
	// for this API.
	Limit APILimit `json:"limit"`
	// Scope names the counters that Limit is counted with; empty is the
	// session's own.
	Scope string `json:"allowance_scope"`
	// Endpoints limit single endpoints.
	Endpoints []EndpointLimit `json:"endpoints,omitempty"`
	// Extra holds the keys of the stored form that this gateway does not
	// know.
	Extra map[string]json.RawMessage `json:"-"`
}

// Clone returns a deep copy.
func (a AccessDefinition) Clone() AccessDefinition {
	a.Versions = slices.Clone(a.Versions)
	a.AllowedURLs = slices.Clone(a.AllowedURLs)
	for i, u := range a.AllowedURLs {
		a.AllowedURLs[i].Methods = slices.Clone(u.Methods)
	}
	a.Endpoints = slices.Clone(a.Endpoints)
	for i, e := range a.Endpoints {
		a.Endpoints[i].Methods = slices.Clone(e.Methods)
	}
	a.Extra = maps.Clone(a.Extra)
	return a
}

// An APILimit is the limits of a session on one API.
type APILimit struct {
	Rate               float64 `json:"rate"`
	Per                float64 `json:"per"`
	ThrottleInterval   float64 `json:"throttle_interval"`
	ThrottleRetryLimit int     `json:"throttle_retry_limit"`
	MaxQueryDepth      int     `json:"max_query_depth"`
	QuotaMax           int64   `json:"quota_max"`
	QuotaRenews        int64   `json:"quota_renews"`
	QuotaRemaining     int64   `json:"quota_remaining"`
	QuotaRenewalRate   int64   `json:"quota_renewal_rate"`
}

// An EndpointLimit is the rate at which one endpoint may be called.
type EndpointLimit struct {
	Path    string        `json:"path"`
	Methods []MethodLimit `json:"methods"`
}

// A MethodLimit is the rate of one method of an endpoint.
type MethodLimit struct {
	Name  string    `json:"name"`
	Limit RateLimit `json:"limit"`
}

// A RateLimit is a number of requests in a number of seconds.
type RateLimit struct {
	Rate float64 `json:"rate" yaml:"rate"` // how many requests; 0 is no limit
	Per  float64 `json:"per" yaml:"per"`   // in so many seconds
}

// An AccessSpec is the right to call one URL with some methods [S-48].
type AccessSpec struct {
	URL     string   `json:"url"`
	Methods []string `json:"methods"`
}

// BasicAuthData is the password of a session that logs in with one; Hash says
// how Password is hashed.
type BasicAuthData struct {
	Password string `json:"password"`
	Hash     string `json:"hash_type"`
}

// JWTData is the secret that signs a session's tokens.
type JWTData struct {
	Secret string `json:"secret"`
}

// Monitor lists the shares of the quota, in percent, at which the owner is
// told.
type Monitor struct {
	TriggerLimits []float64 `json:"trigger_limits"`
}
