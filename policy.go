package grapnel

// A Policy is what many sessions have in common: limits and rights. Its JSON is
// that of the original [S-10].
type Policy struct {
	ID                  string                      `json:"id"`
	Name                string                      `json:"name"`
	OrgID               string                      `json:"org_id"`
	Rate                float64                     `json:"rate"`
	Per                 float64                     `json:"per"`
	QuotaMax            int64                       `json:"quota_max"`
	QuotaRenewalRate    int64                       `json:"quota_renewal_rate"`
	ThrottleInterval    float64                     `json:"throttle_interval"`
	ThrottleRetryLimit  int                         `json:"throttle_retry_limit"`
	MaxQueryDepth       int                         `json:"max_query_depth"`
	AccessRights        map[string]AccessDefinition `json:"access_rights"`
	HMACEnabled         bool                        `json:"hmac_enabled"`
	SignatureValidation bool                        `json:"enable_http_signature_validation"`
	Active              bool                        `json:"active"`
	IsInactive          bool                        `json:"is_inactive"`
	Tags                []string                    `json:"tags"`
	KeyExpiresIn        int64                       `json:"key_expires_in"` // seconds
	PostExpiryAction    string                      `json:"post_expiry_action,omitempty"`
	PostExpiryGrace     int64                       `json:"post_expiry_grace_period,omitempty"`
	Partitions          Partitions                  `json:"partitions"`
	LastUpdated         string                      `json:"last_updated"`
	Metadata            map[string]any              `json:"meta_data"`
}

// Partitions say which parts of a session a policy governs; none means all
// [S-21].
type Partitions struct {
	Quota      bool `json:"quota"`
	RateLimit  bool `json:"rate_limit"`
	Complexity bool `json:"complexity"`
	ACL        bool `json:"acl"`
	PerAPI     bool `json:"per_api"`
}
