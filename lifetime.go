package grapnel

import "time"

// APISessions says whose session stays on an exchange, and for how long an
// API's sessions are stored.
type APISessions struct {
	// BaseIdentity names the method whose session stays where several are
	// asked: auth_token, basic_auth_user, jwt_claim, hmac_key, certificate,
	// oauth_key, external_oauth or custom_auth. Without it the last one's does [C-21].
	BaseIdentity string `yaml:"base_identity"`
	// Lifetime is how long sessions are stored that do not say so
	// themselves; 0 is for ever [S-25].
	Lifetime Duration `yaml:"session_lifetime"`
	// RespectExpiry stores no session for less than its key has to live.
	RespectExpiry bool `yaml:"session_lifetime_respects_key_expiration"`
	// ForceLifetime makes Lifetime hold whatever sessions say.
	ForceLifetime bool `yaml:"force_session_lifetime"`
	// Hashed says that no store may hold a credential in clear: a plugin's
	// sessions are kept without their token.
	Hashed bool `yaml:"-"`
}

// TTL is for how long the store keeps a session from now on; 0 is for ever
// [S-25]. What happens after expiry changes it only for sessions that expire.
func (a APISessions) TTL(s *Session, now time.Time) time.Duration {
	ttl := time.Duration(a.Lifetime)
	if a.ForceLifetime {
		return ttl
	}
	if s.SessionLifetime > 0 {
		ttl = time.Duration(s.SessionLifetime) * time.Second
	}
	left, expires := time.Unix(s.Expires, 0).Sub(now), s.Expires > 0
	if a.RespectExpiry && ttl > 0 {
		if !expires {
			return 0
		}
		ttl = max(ttl, left)
	}
	if !expires {
		return ttl
	}
	const soon = time.Second // for what should be gone already
	switch s.PostExpiryAction {
	case "delete":
		if ttl == 0 || left < ttl {
			ttl = max(left, soon)
		}
	case "retain":
		if s.PostExpiryGrace <= 0 {
			return 0
		}
		ttl = max(left+time.Duration(s.PostExpiryGrace)*time.Second, soon)
	}
	return ttl
}
