package grapnel

import "time"

// TokenAuth lets callers in who present a stored key as it is [S-41, S-42].
type TokenAuth struct {
	Credential `yaml:",inline"`
	// Certificate takes only keys that are bound to a certificate which the
	// client of the connection has; without a key, the one that was created for
	// this certificate. The listener has to ask for certificates.
	Certificate bool `yaml:"certificate"`
}

// BasicAuth lets callers in who present the name and password of a stored key
// [S-43].
type BasicAuth struct {
	// Header is where they stand, as RFC 7617 encodes them.
	Header string `yaml:"header"`
}

// SetDefaults looks in the Authorization header.
func (b *BasicAuth) SetDefaults() { b.Header = "Authorization" }

// JWTAuth lets callers in who present a signed token [S-44]. One of JWKS,
// PublicKey and Secret says how tokens are verified; without any, each caller's
// stored session holds the key, and is found by the token's kid, or else by its
// identity claim.
type JWTAuth struct {
	Credential `yaml:",inline"`
	// Algorithms are the accepted ones: HS256, RS256, PS256, ES256 and
	// their 384 and 512, and EdDSA. HS does not go with others. What a token
	// says of itself is never believed.
	Algorithms []string `yaml:"algorithms"`
	// JWKS are where the issuers publish their keys.
	JWKS []*URL `yaml:"jwks"`
	// JWKSRefresh is the age at which published keys are fetched again, in
	// the background. A token with an unknown kid has them fetched earlier.
	JWKSRefresh Duration `yaml:"jwks_refresh"`
	// PublicKey is the issuer's one key or certificate, as PEM.
	PublicKey string `yaml:"public_key"`
	// Secret is the one secret of HS algorithms.
	Secret string `yaml:"secret"`
	// Issuer is who must have made the token; empty is anyone with the key.
	Issuer string `yaml:"issuer"`
	// Audience lists who a token may be meant for, of whom it must name
	// one; empty takes tokens that are meant for anyone.
	Audience []string `yaml:"audience"`
	// RequireExpiry refuses tokens that never expire.
	RequireExpiry bool `yaml:"require_expiry"`
	// ClockSkew is how far the issuer's clock may be off.
	ClockSkew Duration `yaml:"clock_skew"`
	// Skew is added to ClockSkew for single claims.
	Skew JWTSkew `yaml:"-"`
	// IdentityClaim names the claim that says who is calling; one identity
	// has one session. Without that claim, sub is taken.
	IdentityClaim string `yaml:"identity_claim"`
	// IgnoreKID finds sessions that hold their own key by the identity
	// claim alone.
	IgnoreKID bool `yaml:"ignore_kid"`
	// PolicyClaim names the claim that holds the caller's policies.
	PolicyClaim string `yaml:"policy_claim"`
	// DefaultPolicies are for tokens that name none.
	DefaultPolicies []string `yaml:"default_policies"`
	// Scope gives policies for the scopes of a token.
	Scope JWTScope `yaml:"scope"`
	// RequirePolicy refuses tokens that lead to no policy, even where none
	// are configured.
	RequirePolicy bool `yaml:"-"`
}

// SetDefaults looks for tokens in the Authorization header and refuses those
// that never expire.
func (j *JWTAuth) SetDefaults() {
	j.Credential.SetDefaults()
	j.JWKSRefresh = Duration(5 * time.Minute)
	j.RequireExpiry = true
	j.IdentityClaim = "sub"
	j.Scope.Claim = "scope"
}

// JWTSkew is how far clocks may be apart, by the claim that tells a time.
type JWTSkew struct {
	IssuedAt, ExpiresAt, NotBefore Duration
}

// JWTScope gives policies for the scopes of a token.
type JWTScope struct {
	// Claim names the claim with the scopes: text with spaces between them,
	// or a list.
	Claim string `yaml:"claim"`
	// Policies are the policies by scope.
	Policies map[string]string `yaml:"policies"`
}

// SetDefaults names the claim that OAuth 2.0 has for scopes.
func (s *JWTScope) SetDefaults() { s.Claim = "scope" }

// HMACAuth lets callers in who sign their requests with the secret of a stored
// key [S-45], after draft-cavage-http-signatures.
type HMACAuth struct {
	// Header is where the signature stands.
	Header string `yaml:"header"`
	// Algorithms are the accepted ones: hmac-sha1, hmac-sha256, hmac-sha384
	// and hmac-sha512; none means all.
	Algorithms []string `yaml:"algorithms"`
	// ClockSkew is how far the request's Date or X-Aux-Date, which must be
	// signed, may be from now; so long can a request be replayed. 0 does not
	// look at the date.
	ClockSkew Duration `yaml:"clock_skew"`
}

// SetDefaults looks for signatures in the Authorization header, and allows five
// minutes between clocks.
func (h *HMACAuth) SetDefaults() {
	*h = HMACAuth{Header: "Authorization", ClockSkew: Duration(5 * time.Minute)}
}

// CertificateAuth lets clients in by the certificate of their TLS connection. A
// certificate passes when any of the lists has it. The listener has to ask for
// certificates. Files are read again when they change. The session's certificate
// is the organisation and the certificate's fingerprint [L-1].
type CertificateAuth struct {
	// Fingerprints are the SHA-256 digests of certificates, in hexadecimal.
	Fingerprints []string `yaml:"fingerprints"`
	// Files are PEM files with certificates.
	Files []string `yaml:"files"`
	// CA is a PEM file with the authorities whose certificates all pass.
	CA string `yaml:"ca"`
	// CRL are files with what these have revoked, as in tls.client_crl.
	CRL []string `yaml:"crl"`
}
